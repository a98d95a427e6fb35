package org.javisor.testkit;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.javisor.memory.GuestMemory;

/**
 * Runs the same code from many states in one run of a {@link GuestProcessor}: a loop in the guest's
 * ring 0 loads one state after the other, goes to the code, and is entered again by the interrupt
 * at its end or by the exception in it. So an engine that treats code differently once it is hot
 * does so here.
 *
 * <p>Each state has a slot in guest memory, in which its result replaces it.
 */
final class GuestSeries {
    /** States in a run at most. */
    static final int MOST = 64;

    // A slot
    private static final int FLAGS = 0x80, FS_BASE = 0x88, GS_BASE = 0x90, RIP = 0x98;
    private static final int VECTOR = 0xa0, ERROR_CODE = 0xa8, CR2 = 0xb0, FPU = 0x200;
    private static final int DATA = 0x1000;
    private static final int DATA_SIZE = RandomState.WRITABLE_PAGES * RandomState.PAGE;
    private static final int SLOT = DATA + DATA_SIZE;

    /** Guest-physical address of the slots, where {@link HostProcessor} never lies, and bytes. */
    static final long SLOTS = 0x8000_0000L;

    static final long SIZE = (long) MOST * SLOT;

    // Guest-physical addresses of the loop and what belongs to it
    private static final long LOOP = 0x8000, CONTROL = 0x8f00, IDT = 0x9000, HANDLERS = 0xa000;
    private static final int HANDLER_SIZE = 32;

    // In the control block: the slot that has its turn, the last one's end, then what the code
    // begins with
    private static final int NEXT = 0, END = 8, DATA_SELECTOR = 0x10, CS = 0x18, START = 0x20;

    private static final long KERNEL = GuestProcessor.KERNEL;

    private final GuestProcessor guest;
    private final GuestMemory memory;
    private final MemorySegment slots;

    GuestSeries(GuestProcessor guest) {
        this.guest = guest;
        memory = guest.memory();
        for (long at = SLOTS; at < SLOTS + SIZE; at += GuestMemory.PAGE_SIZE) {
            guest.tables().map(KERNEL + at, at, PageTables.PRESENT | PageTables.WRITABLE);
        }
        // One region of the guest's memory, contiguous in the host's too, open as long as it is.
        slots = MemorySegment.ofAddress(memory.hostAddress(SLOTS)).reinterpret(SIZE);
        GuestCode loop = GuestCode.at(KERNEL + LOOP);
        writeEntry(loop);
        writeReturn(loop);
        load(loop);
        for (int vector = 0; vector < 256; vector++) {
            writeHandler(vector, loop.addressOf("return"));
        }
    }

    private void load(GuestCode code) {
        byte[] bytes = code.bytes();
        memory.write(code.address() - KERNEL, bytes, 0, bytes.length);
    }

    /** From the slot into the registers and to the code. */
    private void writeEntry(GuestCode code) {
        code.label("next").mov(GuestCode.RBP, KERNEL + CONTROL);
        code.hex("488b5d00"); // mov rbx, [rbp + NEXT]
        code.hex("483b5d08").jcc(3, "done"); // cmp rbx, [rbp + END]; jae done
        code.hex("fc 488db3").raw32(DATA); // cld; lea rsi, [rbx + DATA]
        code.mov32(GuestCode.RDI, (int) guest.dataAddress());
        code.mov32(GuestCode.RCX, DATA_SIZE / 8).hex("f348a5"); // rep movsq
        code.hex("488b83").raw32(FS_BASE).hex("f3480faed0"); // mov rax, ...; wrfsbase rax
        code.hex("488b83").raw32(GS_BASE).hex("f3480faed8"); // mov rax, ...; wrgsbase rax
        code.mov32(GuestCode.RAX, guest.components()).mov32(GuestCode.RDX, 0);
        code.hex("480faeab").raw32(FPU); // xrstor64
        code.hex("8b4510 8ed8 8ec0"); // mov eax, [rbp + DATA_SELECTOR]; mov ds, eax; mov es, eax
        code.raw(0x6a, HostProcessor.USER_DS); // push USER_DS
        code.hex("ff7320 ffb3").raw32(FLAGS); // push [rbx + RSP]; push [rbx + FLAGS]
        code.hex("ff7518 ff7520"); // push [rbp + CS]; push [rbp + START]
        for (int register = 0; register < 16; register++) {
            if (register != GuestCode.RSP && register != GuestCode.RBX) {
                move(code, 0x8b, register);
            }
        }
        move(code, 0x8b, GuestCode.RBX);
        code.iret();
    }

    /** From the handlers, with the vector and an error code on the stack, into the slot. */
    private void writeReturn(GuestCode code) {
        code.label("return").push(GuestCode.RBX).push(GuestCode.RBP);
        code.mov(GuestCode.RBP, KERNEL + CONTROL).hex("488b5d00"); // mov rbx, [rbp + NEXT]
        for (int register = 0; register < 16; register++) {
            boolean pushed = register == GuestCode.RBX || register == GuestCode.RBP;
            if (register != GuestCode.RSP && !pushed) {
                move(code, 0x89, register);
            }
        }
        code.hex("8f4328 8f4318"); // pop [rbx + RBP]; pop [rbx + RBX]
        code.hex("8f83").raw32(VECTOR).hex("8f83").raw32(ERROR_CODE); // pop [rbx + ...]
        code.hex("8f83").raw32(RIP).hex("58 8f83").raw32(FLAGS); // pop rax passes CS
        code.hex("8f4320"); // pop [rbx + RSP]
        code.fromControl(GuestCode.RAX, 2).hex("488983").raw32(CR2); // mov [rbx + CR2], rax
        code.mov32(GuestCode.RAX, guest.components()).mov32(GuestCode.RDX, 0);
        code.hex("480faea3").raw32(FPU); // xsave64
        code.hex("f3480faec0 488983").raw32(FS_BASE); // rdfsbase rax; mov [rbx + ...], rax
        code.hex("f3480faec8 488983").raw32(GS_BASE); // rdgsbase rax; mov [rbx + ...], rax
        code.hex("fc 488dbb").raw32(DATA); // cld; lea rdi, [rbx + DATA]
        code.mov32(GuestCode.RSI, (int) guest.dataAddress());
        code.mov32(GuestCode.RCX, DATA_SIZE / 8).hex("f348a5"); // rep movsq
        code.hex("48814500").raw32(SLOT); // add qword [rbp + NEXT], SLOT
        code.mov(GuestCode.RSP, KERNEL + GuestProcessor.KERNEL_STACK).jmp("next");
        code.label("done").out8(GuestProcessor.END_PORT).jmp("done");
    }

    /** MOV between a register and its place in the slot. */
    private static void move(GuestCode code, int opcode, int register) {
        code.raw(0x48 | register >> 3 << 2, opcode, 0x43 | (register & 7) << 3, 8 * register);
    }

    private void writeHandler(int vector, long target) {
        long at = HANDLERS + HANDLER_SIZE * vector;
        GuestCode code = GuestCode.at(KERNEL + at);
        boolean errorCode = vector < 32 && (GuestProcessor.WITH_ERROR_CODE >> vector & 1) != 0;
        if (!errorCode) {
            code.hex("6a00"); // push 0
        }
        code.pushImmediate(vector).raw(0xe9);
        load(code.raw32(target - (code.here() + 4))); // jmp target
        int dpl = vector == GuestProcessor.END_VECTOR || vector == 3 || vector == 4 ? 3 : 0;
        long low = at & 0xffff | GuestProcessor.KERNEL_CS << 16 | (0x8e00L | dpl << 13) << 32;
        memory.write64(IDT + 16 * vector, low);
        memory.write64(IDT + 16 * vector + 8, KERNEL >>> 32);
    }

    /**
     * Puts a state into its slot.
     *
     * @param data the operand memory's writable pages
     */
    void set(int index, UserState state, MemorySegment data) {
        MemorySegment slot = slots.asSlice((long) index * SLOT, SLOT);
        MemorySegment.copy(state.gpr, 0, slot, ValueLayout.JAVA_LONG, 0, 16);
        slot.set(ValueLayout.JAVA_LONG, FLAGS, state.flags | 0x202);
        slot.set(ValueLayout.JAVA_LONG, FS_BASE, state.fsBase);
        slot.set(ValueLayout.JAVA_LONG, GS_BASE, state.gsBase);
        slot.set(ValueLayout.JAVA_LONG, VECTOR, UserState.NO_FAULT);
        MemorySegment.copy(state.fpu, 0, slot, ValueLayout.JAVA_BYTE, FPU, UserState.FPU_SIZE);
        slot.set(ValueLayout.JAVA_LONG, FPU + UserState.XSTATE_BV, guest.components());
        slot.asSlice(DATA, DATA_SIZE).copyFrom(data);
    }

    /** Runs code from the first slots' states, one after the other. */
    void run(byte[] code, int offset, int count, boolean as32) {
        long begin = guest.codeAddress() + offset;
        guest.place(begin, code, code.length);
        memory.write64(CONTROL + NEXT, KERNEL + SLOTS);
        memory.write64(CONTROL + END, KERNEL + SLOTS + (long) count * SLOT);
        memory.write64(CONTROL + DATA_SELECTOR, as32 ? HostProcessor.USER_DS : 0);
        memory.write64(CONTROL + CS, as32 ? HostProcessor.USER32_CS : HostProcessor.USER_CS);
        memory.write64(CONTROL + START, begin);
        guest.runKernel(KERNEL + LOOP, IDT);
    }

    /**
     * Takes a result out of its slot.
     *
     * @param end where the code ended
     * @param data the operand memory's writable pages, changed
     */
    void result(int index, long end, UserState state, MemorySegment data) {
        MemorySegment slot = slots.asSlice((long) index * SLOT, SLOT);
        MemorySegment.copy(slot, ValueLayout.JAVA_LONG, 0, state.gpr, 0, 16);
        MemorySegment.copy(slot, ValueLayout.JAVA_BYTE, FPU, state.fpu, 0, UserState.FPU_SIZE);
        state.flags = slot.get(ValueLayout.JAVA_LONG, FLAGS);
        state.fsBase = slot.get(ValueLayout.JAVA_LONG, FS_BASE);
        state.gsBase = slot.get(ValueLayout.JAVA_LONG, GS_BASE);
        int vector = (int) slot.get(ValueLayout.JAVA_LONG, VECTOR);
        long rip = slot.get(ValueLayout.JAVA_LONG, RIP);
        boolean ended =
                vector == GuestProcessor.END_VECTOR && rip == end + GuestProcessor.END_LENGTH;
        state.rip = ended ? end : rip;
        state.vector = ended ? UserState.NO_FAULT : vector;
        state.errorCode = ended ? 0 : slot.get(ValueLayout.JAVA_LONG, ERROR_CODE);
        boolean pageFault = state.vector == UserState.PAGE_FAULT;
        state.faultAddress = pageFault ? slot.get(ValueLayout.JAVA_LONG, CR2) : 0;
        data.copyFrom(slot.asSlice(DATA, DATA_SIZE));
    }
}
