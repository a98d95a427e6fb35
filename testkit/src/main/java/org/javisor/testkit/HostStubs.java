package org.javisor.testkit;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The machine code around the instructions that {@link HostProcessor} runs, and where everything
 * lies in its mapping. Callee-saved registers as in the System V ABI; signal frames as Linux lays
 * them out for x86-64 (struct ucontext and sigcontext of its user-space headers).
 */
final class HostStubs {
    // Data, from the mapping's start
    static final int GPRS = 0, FLAGS = 0x80;
    private static final int HOST_RSP = 0x88;

    /** Offset and selector of the code, for a far jump to 32-bit code. */
    static final int FAR_TARGET = 0x90;

    static final int TARGET = 0x98;
    private static final int HOST_FS = 0xa0, HOST_GS = 0xa8;
    static final int FS_BASE = 0xb0, GS_BASE = 0xb8;

    /** Not 0: the FPU's registers and the segment bases are exchanged too. */
    static final int WHOLE = 0xc0;

    /** What the signal handler left; {@link #SIGNAL} is 0 if there was none. */
    static final int SIGNAL = 0xc8, TRAP = 0xd0, ERROR_CODE = 0xd8, CR2 = 0xe0;

    static final int FAULT_RIP = 0xe8, FAULT_FLAGS = 0xf0;

    /** Two stack_t for sigaltstack. */
    private static final int ALTERNATE_ON = 0x100, ALTERNATE_OFF = 0x120;

    /** By signal number: the handler that was there before. */
    static final int PREVIOUS = 0x140;

    static final int FPU = 0x400;
    private static final int HOST_FPU = 0x800;

    // Code
    static final int ENTRY64 = 0x1000, ENTRY32 = 0x1200, HANDLER = 0x1400;
    static final int CODE = 0x1800, EXIT = 0x2800;

    /** Bytes of the signal stack: the code under test has any value in RSP. */
    static final int SIGNAL_STACK_SIZE = 0x10000;

    static final int DATA = 0x10000;

    private static final int SIGALTSTACK = 131, SS_DISABLE = 2;

    // In struct ucontext
    private static final int UC_RIP = 168, UC_FLAGS = 176, UC_CS = 184, UC_ERROR = 192;
    private static final int UC_TRAP = 200, UC_CR2 = 216;

    private final MemorySegment mapping;
    private final int base;
    private final long signalStack;
    private final boolean segmentBases;
    private final int components;
    private int at;

    /**
     * @param signalStack where the code under test is unlikely to have its own
     */
    HostStubs(MemorySegment mapping, long signalStack) {
        this.mapping = mapping;
        this.signalStack = signalStack;
        base = (int) mapping.address();
        segmentBases = hostHas("fsgsbase");
        components = components();
    }

    /** The components of XSAVE that are exchanged: x87, SSE and, where the host has it, AVX. */
    static int components() {
        return hostHas("avx") ? 7 : 3;
    }

    /** Whether the host's processor has a feature, named as in /proc/cpuinfo. */
    static boolean hostHas(String feature) {
        try {
            return Files.readString(Path.of("/proc/cpuinfo"))
                    .lines()
                    .anyMatch(line -> (line + " ").contains(" " + feature + " "));
        } catch (IOException e) {
            return false;
        }
    }

    void write() {
        mapping.set(ValueLayout.JAVA_LONG, ALTERNATE_ON, signalStack);
        mapping.set(ValueLayout.JAVA_LONG, ALTERNATE_ON + 16, SIGNAL_STACK_SIZE);
        mapping.set(ValueLayout.JAVA_INT, ALTERNATE_OFF + 8, SS_DISABLE);
        mapping.set(ValueLayout.JAVA_INT, FAR_TARGET + 4, HostProcessor.USER32_CS);
        at = ENTRY64;
        writeEntry(false);
        at = ENTRY32;
        writeEntry(true);
        at = HANDLER;
        writeHandler();
        at = EXIT;
        writeExit();
    }

    private void writeEntry(boolean to32) {
        put(0x53, 0x55); // push rbx, rbp
        put(0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57); // push r12-r15
        absolute(HOST_RSP, 0x48, 0x89, 0x24); // mov [HOST_RSP], rsp
        alternateStack(ALTERNATE_ON);
        absolute(WHOLE, 0x80, 0x3c); // cmp byte [WHOLE], 0
        put(0);
        int skip = jump(0x74);
        putComponents();
        absolute(HOST_FPU, 0x48, 0x0f, 0xae, 0x24); // xsave64 [HOST_FPU]
        absolute(FPU, 0x48, 0x0f, 0xae, 0x2c); // xrstor64 [FPU]
        if (segmentBases) {
            put(0xf3, 0x48, 0x0f, 0xae, 0xc0); // rdfsbase rax
            absolute(HOST_FS, 0x48, 0x89, 0x04); // mov [HOST_FS], rax
            put(0xf3, 0x48, 0x0f, 0xae, 0xc8); // rdgsbase rax
            absolute(HOST_GS, 0x48, 0x89, 0x04);
            absolute(FS_BASE, 0x48, 0x8b, 0x04); // mov rax, [FS_BASE]
            put(0xf3, 0x48, 0x0f, 0xae, 0xd0); // wrfsbase rax
            absolute(GS_BASE, 0x48, 0x8b, 0x04);
            put(0xf3, 0x48, 0x0f, 0xae, 0xd8); // wrgsbase rax
        }
        land(skip);
        if (to32) {
            put(0xb8, HostProcessor.USER_DS, 0, 0, 0); // mov eax, USER_DS
            put(0x8e, 0xd8, 0x8e, 0xc0); // mov ds, ax; mov es, ax
        }
        absolute(FLAGS, 0xff, 0x34); // push qword [FLAGS]
        put(0x9d); // popfq
        for (int r = 0; r < 16; r++) {
            absolute(GPRS + 8 * r, 0x48 | r >> 3 << 2, 0x8b, 4 | (r & 7) << 3); // mov r, [r]
        }
        if (to32) {
            absolute(FAR_TARGET, 0xff, 0x2c); // jmp far [FAR_TARGET]
        } else {
            absolute(TARGET, 0xff, 0x24); // jmp [TARGET]
        }
    }

    private void writeExit() {
        for (int r = 0; r < 16; r++) {
            absolute(GPRS + 8 * r, 0x48 | r >> 3 << 2, 0x89, 4 | (r & 7) << 3); // mov [r], r
        }
        absolute(HOST_RSP, 0x48, 0x8b, 0x24); // mov rsp, [HOST_RSP]
        put(0x9c); // pushfq
        absolute(FLAGS, 0x8f, 0x04); // pop qword [FLAGS]
        put(0x6a, 2, 0x9d); // push 2; popfq
        put(0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0); // xor eax, eax; mov ds, ax; mov es, ax
        absolute(WHOLE, 0x80, 0x3c); // cmp byte [WHOLE], 0
        put(0);
        int skip = jump(0x74);
        putComponents();
        absolute(FPU, 0x48, 0x0f, 0xae, 0x24); // xsave64 [FPU]
        absolute(HOST_FPU, 0x48, 0x0f, 0xae, 0x2c); // xrstor64 [HOST_FPU]
        if (segmentBases) {
            put(0xf3, 0x48, 0x0f, 0xae, 0xc0); // rdfsbase rax
            absolute(FS_BASE, 0x48, 0x89, 0x04);
            put(0xf3, 0x48, 0x0f, 0xae, 0xc8); // rdgsbase rax
            absolute(GS_BASE, 0x48, 0x89, 0x04);
            absolute(HOST_FS, 0x48, 0x8b, 0x04); // mov rax, [HOST_FS]
            put(0xf3, 0x48, 0x0f, 0xae, 0xd0); // wrfsbase rax
            absolute(HOST_GS, 0x48, 0x8b, 0x04);
            put(0xf3, 0x48, 0x0f, 0xae, 0xd8); // wrgsbase rax
        }
        land(skip);
        alternateStack(ALTERNATE_OFF);
        put(0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c); // pop r15-r12
        put(0x5d, 0x5b, 0xc3); // pop rbp, rbx; ret
    }

    /**
     * RDI the signal, RSI its siginfo, RDX the ucontext. Ours are those that arrive on our stack;
     * the others are HotSpot's.
     */
    private void writeHandler() {
        put(0x48, 0x89, 0xe0); // mov rax, rsp
        absolute(ALTERNATE_ON, 0x48, 0x2b, 0x04); // sub rax, [ALTERNATE_ON]
        put(0x48, 0x3d); // cmp rax, SIGNAL_STACK_SIZE
        int32(SIGNAL_STACK_SIZE);
        int ours = jump(0x72);
        put(0xff, 0x24, 0xfd); // jmp [PREVIOUS + rdi * 8]
        int32(base + PREVIOUS);
        land(ours);
        absolute(SIGNAL, 0x48, 0x89, 0x3c); // mov [SIGNAL], rdi
        int[][] copies = {
            {UC_RIP, FAULT_RIP},
            {UC_FLAGS, FAULT_FLAGS},
            {UC_TRAP, TRAP},
            {UC_ERROR, ERROR_CODE},
            {UC_CR2, CR2}
        };
        for (int[] copy : copies) {
            put(0x48, 0x8b, 0x82); // mov rax, [rdx + field]
            int32(copy[0]);
            absolute(copy[1], 0x48, 0x89, 0x04); // mov [copy], rax
        }
        put(0x48, 0xc7, 0x82); // mov qword [rdx + UC_RIP], EXIT
        int32(UC_RIP);
        int32(base + EXIT);
        put(0x66, 0xc7, 0x82); // mov word [rdx + UC_CS], USER_CS
        int32(UC_CS);
        put(HostProcessor.USER_CS, 0);
        put(0xc3); // ret
    }

    /** The bitmap for XSAVE and XRSTOR. */
    private void putComponents() {
        put(0xb8); // mov eax, components
        int32(components);
        put(0x31, 0xd2); // xor edx, edx
    }

    private void alternateStack(int description) {
        put(0xb8); // mov eax, SIGALTSTACK
        int32(SIGALTSTACK);
        put(0xbf); // mov edi, description
        int32(base + description);
        put(0x31, 0xf6, 0x0f, 0x05); // xor esi, esi; syscall
    }

    /** A short jump forward whose target {@link #land} fills in. */
    private int jump(int opcode) {
        put(opcode, 0);
        return at;
    }

    private void land(int from) {
        mapping.set(ValueLayout.JAVA_BYTE, from - 1, (byte) (at - from));
    }

    /** An instruction with a ModRM byte whose memory operand is an absolute address. */
    private void absolute(int offset, int... bytes) {
        put(bytes);
        put(0x25); // SIB: neither base nor index
        int32(base + offset);
    }

    private void int32(int value) {
        mapping.set(ValueLayout.JAVA_INT_UNALIGNED, at, value);
        at += 4;
    }

    private void put(int... bytes) {
        for (int b : bytes) {
            mapping.set(ValueLayout.JAVA_BYTE, at++, (byte) b);
        }
    }
}
