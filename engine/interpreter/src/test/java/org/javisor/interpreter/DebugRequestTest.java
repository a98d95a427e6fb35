package org.javisor.interpreter;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.javisor.hypervisor.DebugRequest;
import org.javisor.hypervisor.DebugRequest.Watchpoint;
import org.javisor.hypervisor.ExitReason;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuState;
import org.javisor.hypervisor.VcpuState.Segment;
import org.javisor.hypervisor.VcpuState.TableRegister;
import org.javisor.hypervisor.Vm;
import org.javisor.memory.GuestMemory;
import org.javisor.testkit.FakeClock;
import org.javisor.testkit.SilentDevices;
import org.javisor.testkit.VectorSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a debugger asks of a processor, on 32-bit code without paging. */
@Timeout(30)
class DebugRequestTest {
    private static final int GDT = 0x4000, IDT = 0x5000, HANDLER = 0x6000, STACK = 0x8000;
    private static final int VECTOR = 0x40;
    private static final Segment CODE = new Segment(0x10, 0, -1, 0xc09b);
    private static final Segment DATA = new Segment(0x18, 0, -1, 0xc093);

    /** Interrupt gate to {@link #HANDLER}. */
    private static final long GATE = (long) HANDLER | 0x10 << 16 | 0x8e00L << 32;

    private final GuestMemory memory = GuestMemory.allocate(1 << 20);
    private final Vm vm = new InterpreterHypervisor().createVm(memory, new FakeClock());
    private final Vcpu vcpu = vm.createVcpu(0, Identification.table(), new SilentDevices());
    private final VectorSource interrupts = new VectorSource(vcpu);

    @AfterEach
    void close() {
        vm.close();
        memory.close();
    }

    /**
     * @param code bytes in hexadecimal, placed and begun at {@code address}
     */
    private VcpuState begin(int address, String code) {
        memory.write64(GDT + 0x10, 0x00cf9b000000ffffL);
        memory.write64(GDT + 0x18, 0x00cf93000000ffffL);
        for (int vector = 0; vector < 256; vector++) {
            memory.write64(IDT + 8 * vector, GATE);
        }
        byte[] bytes = HexFormat.of().parseHex(code.replace(" ", ""));
        memory.write(address, bytes, 0, bytes.length);
        VcpuState state = vcpu.state();
        Arrays.fill(state.segments, 0, 6, DATA);
        state.segments[VcpuState.CS] = CODE;
        state.gdtr = new TableRegister(GDT, 0x1f);
        state.idtr = new TableRegister(IDT, 0x7ff);
        state.cr0 = 1;
        state.rip = address;
        Arrays.fill(state.gpr, 0);
        state.gpr[VcpuState.RSP] = STACK;
        vcpu.setState(state);
        return state;
    }

    private static DebugRequest breakpoints(Long... addresses) {
        return new DebugRequest(false, false, List.of(addresses), List.of());
    }

    private static DebugRequest watch(int address, int length, boolean read, boolean write) {
        Watchpoint watchpoint = new Watchpoint(address, length, read, write);
        return new DebugRequest(false, false, List.of(), List.of(watchpoint));
    }

    private static DebugRequest step() {
        return new DebugRequest(true, true, List.of(), List.of());
    }

    private VcpuState runToDebug() {
        assertThat(vcpu.run()).isEqualTo(ExitReason.DEBUG);
        return vcpu.state();
    }

    // inc eax; add ebx,2; nop; jmp back to the inc
    private static final String LOOP = "40 83c302 90 ebf9";

    @ParameterizedTest
    @ValueSource(ints = {0x1000, 0x1ffe, 0x1fff})
    void stopsBeforeEachInstructionOnce_whenBreakpointsAreInOneBlock(int at) {
        begin(at, LOOP);
        vcpu.setDebug(breakpoints(at + 4L, (long) at, at + 1L));
        for (int round = 0; round < 3; round++) {
            VcpuState s = runToDebug();
            assertThat(s.rip).isEqualTo(at);
            assertThat(vcpu.debugAddress()).isEqualTo(-1);
            s = runToDebug();
            assertThat(s.rip).isEqualTo(at + 1);
            assertThat(s.gpr[VcpuState.RAX]).isEqualTo(round + 1);
            assertThat(s.gpr[VcpuState.RBX]).isEqualTo(2 * round);
            s = runToDebug();
            assertThat(s.rip).isEqualTo(at + 4);
            assertThat(s.gpr[VcpuState.RBX]).isEqualTo(2 * round + 2);
        }
    }

    @Test
    void goesOn_whenADebuggerWroteOtherRegistersAtABreakpoint() {
        begin(0x1000, LOOP);
        vcpu.setDebug(breakpoints(0x1001L));
        VcpuState s = runToDebug();
        s.gpr[VcpuState.RBX] = 100;
        vcpu.setState(s);
        s = runToDebug();
        assertThat(s.gpr[VcpuState.RBX]).isEqualTo(102);
        assertThat(s.gpr[VcpuState.RAX]).isEqualTo(2);
    }

    @Test
    void stopsAtOnce_whenTheDebuggerMovesToAnotherBreakpoint() {
        begin(0x1000, LOOP);
        vcpu.setDebug(breakpoints(0x1001L, 0x1004L));
        VcpuState s = runToDebug();
        s.rip = 0x1004;
        vcpu.setState(s);
        s = runToDebug();
        assertThat(s.rip).isEqualTo(0x1004);
        assertThat(s.gpr[VcpuState.RBX]).isZero();
    }

    @Test
    void comparesLinearAddresses_whenTheCodeSegmentHasABase() {
        VcpuState s = begin(0x12340, LOOP);
        s.cr0 = 0;
        s.segments[VcpuState.CS] = new Segment(0x1234, 0x12340, 0xffff, 0x9b);
        s.rip = 0;
        vcpu.setState(s);
        vcpu.setDebug(breakpoints(4L, 0x12344L));
        s = runToDebug();
        assertThat(s.rip).isEqualTo(4);
        assertThat(s.gpr[VcpuState.RBX]).isEqualTo(2);
    }

    @Test
    void stopsAfterEachInstruction_whenStepping() {
        begin(0x1000, LOOP);
        vcpu.setDebug(step());
        for (long expected : new long[] {0x1001, 0x1004, 0x1005, 0x1000, 0x1001}) {
            assertThat(runToDebug().rip).isEqualTo(expected);
        }
    }

    @Test
    void stopsAtTheHandler_whenTheInstructionSteppedFaults() {
        begin(0x1000, "0f0b 90"); // ud2
        vcpu.setDebug(step());
        assertThat(runToDebug().rip).isEqualTo(HANDLER);
        assertThat(memory.read32(STACK - 12)).isEqualTo(0x1000);
    }

    @Test
    void stopsAfterEachRepetition_whenSteppingThroughStringInstructions() {
        VcpuState s = begin(0x1000, "f3a4 90"); // rep movsb
        s.gpr[VcpuState.RCX] = 3;
        s.gpr[VcpuState.RSI] = 0x2000;
        s.gpr[VcpuState.RDI] = 0x3000;
        vcpu.setState(s);
        vcpu.setDebug(step());
        assertThat(runToDebug().gpr[VcpuState.RCX]).isEqualTo(2);
        s = runToDebug();
        assertThat(s.gpr[VcpuState.RCX]).isEqualTo(1);
        assertThat(s.rip).isEqualTo(0x1000);
        s = runToDebug();
        assertThat(s.gpr[VcpuState.RDI]).isEqualTo(0x3003);
        assertThat(s.rip).isEqualTo(0x1002);
    }

    // sti; three nops; jmp to itself
    private static final String INTERRUPTIBLE = "fb 90 90 90 ebfe";

    @Test
    void leavesInterruptsPending_whenStepsHoldThem() {
        begin(0x1000, INTERRUPTIBLE);
        interrupt();
        vcpu.setDebug(step());
        for (int n = 1; n < 4; n++) {
            assertThat(runToDebug().rip).isEqualTo(0x1000 + n);
        }
        vcpu.setDebug(breakpoints((long) HANDLER));
        runToDebug();
        // One more instruction than was stepped: the one the debugger knew to come next.
        assertThat(memory.read32(STACK - 12)).isEqualTo(0x1004);
    }

    @Test
    void takesInterrupts_whenStepsDoNotHoldThem() {
        begin(0x1000, INTERRUPTIBLE);
        memory.write8(HANDLER, 0x90);
        interrupt();
        vcpu.setDebug(new DebugRequest(true, false, List.of(), List.of()));
        runToDebug();
        runToDebug();
        assertThat(runToDebug().rip).isEqualTo(HANDLER + 1);
    }

    @Test
    void carriesOutTheInstructionBeforeAnInterrupt_whenGoingOnFromABreakpoint() {
        begin(0x1000, INTERRUPTIBLE);
        vcpu.setDebug(breakpoints(0x1002L, (long) HANDLER));
        assertThat(runToDebug().rip).isEqualTo(0x1002);
        interrupt();
        assertThat(runToDebug().rip).isEqualTo(HANDLER);
        assertThat(memory.read32(STACK - 12)).isEqualTo(0x1003);
    }

    private static final String ACCESSES =
            "c7050030000007000000" // 1000 mov dword [3000h], 7
                    + "a104300000" // 100a mov eax, [3004h]
                    + "f00fb10d0c300000" // 100f lock cmpxchg [300ch], ecx
                    + "f0ff0510300000" // 1017 lock inc dword [3010h]
                    + "ff0514300000" // 101e inc dword [3014h]
                    + "8915fe2f0000" // 1024 mov [2ffeh], edx
                    + "ebfe"; // 102a jmp to itself

    @Test
    void stopsAfterTheAccess_whenItsBytesAreWatched() {
        begin(0x1000, ACCESSES);
        vcpu.setDebug(watch(0x3000, 4, false, true));
        assertThat(runToDebug().rip).isEqualTo(0x100a);
        assertThat(vcpu.debugAddress()).isEqualTo(0x3000);
        assertThat(memory.read32(0x3000)).isEqualTo(7);
        // The store across the border of two pages, of which the second half counts.
        assertThat(runToDebug().rip).isEqualTo(0x102a);
        assertThat(vcpu.debugAddress()).isEqualTo(0x3000);
    }

    @Test
    void stopsOnlyForTheKindOfAccess_whenReadsAreWatched() {
        begin(0x1000, ACCESSES);
        vcpu.setDebug(watch(0x3000, 8, true, false));
        assertThat(runToDebug().rip).isEqualTo(0x100f);
        assertThat(vcpu.debugAddress()).isEqualTo(0x3004);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x300c, 0x3010, 0x3014})
    void stopsAfterTheWrite_whenAReadModifyWriteIsWatched(int address) {
        begin(0x1000, ACCESSES);
        vcpu.setDebug(watch(address + 1, 1, false, true));
        int next = address == 0x300c ? 0x1017 : address == 0x3010 ? 0x101e : 0x1024;
        assertThat(runToDebug().rip).isEqualTo(next);
    }

    @Test
    void worksAtomically_whenALockedOperandIsWatchedAndAnotherProcessorStoresBesideIt() {
        vm.createVcpu(1, Identification.table(), new SilentDevices());
        begin(0x1000, ACCESSES);
        memory.write32(0x3010, 41);
        vcpu.setDebug(watch(0x3010, 4, true, true));
        assertThat(runToDebug().rip).isEqualTo(0x101e);
        assertThat(memory.read32(0x3010)).isEqualTo(42);
    }

    @Test
    void stopsInTheMiddle_whenAStringInstructionTouchesWatchedBytes() {
        VcpuState s = begin(0x1000, "f3ab ebfe"); // rep stosd
        s.gpr[VcpuState.RCX] = 100;
        s.gpr[VcpuState.RDI] = 0x2f80;
        vcpu.setState(s);
        vcpu.setDebug(watch(0x3006, 1, false, true));
        s = runToDebug();
        assertThat(s.rip).isEqualTo(0x1000);
        assertThat(s.gpr[VcpuState.RDI]).isEqualTo(0x3008);
        assertThat(s.gpr[VcpuState.RCX]).isEqualTo(100 - (0x3008 - 0x2f80) / 4);
        vcpu.setDebug(breakpoints(0x1002L));
        assertThat(runToDebug().gpr[VcpuState.RCX]).isZero();
    }

    @Test
    void stopsNoMore_whenTheRequestIsTakenBack() {
        begin(0x1000, ACCESSES);
        vcpu.setDebug(watch(0x3000, 4, false, true));
        runToDebug();
        vcpu.setDebug(DebugRequest.NONE);
        Thread asker = new Thread(this::askForExitAtTheEnd);
        asker.start();
        assertThat(vcpu.run()).isEqualTo(ExitReason.REQUESTED);
        assertThat(vcpu.state().rip).isEqualTo(0x102a);
        assertThat(vcpu.debugAddress()).isEqualTo(-1);
    }

    /** The store to 3014h is the last but one before the endless loop. */
    private void askForExitAtTheEnd() {
        while (memory.read32(0x3014) == 0) {
            Thread.onSpinWait();
        }
        vcpu.requestExit();
    }

    private void interrupt() {
        interrupts.request(VECTOR);
    }
}
