package org.javisor.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.testkit.GuestCode.RAX;
import static org.javisor.testkit.GuestCode.RBX;
import static org.javisor.testkit.GuestCode.RSP;
import static org.javisor.testkit.SmallGuest.CODE;
import static org.javisor.testkit.SmallGuest.DATA;
import static org.javisor.testkit.SmallGuest.FREE_SELECTOR;

import org.javisor.hypervisor.VcpuState;
import org.javisor.hypervisor.VcpuState.TableRegister;
import org.javisor.testkit.SmallGuest.Ending;
import org.javisor.testkit.SmallGuest.Kind;
import org.junit.jupiter.api.Test;

/** Exceptions and interrupts in 64-bit mode (Intel SDM vol. 3A, chapter 6). */
public abstract class ExceptionContract extends GuestContract {
    private static final int NOT_PRESENT_GATE = 0x0e;

    private static GuestCode kernel() {
        return GuestCode.at(CODE);
    }

    private static GuestCode user() {
        return GuestCode.at(SmallGuest.USER);
    }

    private void assertFaultAt(Ending ending, int vector, long errorCode, long rip) {
        assertException(ending, vector, errorCode);
        assertThat(ending.rip()).isEqualTo(rip);
        // A fault's frame has RF set, a trap's has not (SDM vol. 3B, 18.3.1.1).
        assertThat(ending.flags() & 0x10000).isEqualTo(0x10000);
    }

    // Exceptions of instructions

    @Test
    public void divideByZero_faultsAtTheInstruction() {
        assertFaultAt(guest.run(kernel().hex("31c9 f7f1")), 0, 0, CODE + 2);
    }

    @Test
    public void undefinedOpcodes_fault() {
        assertFaultAt(guest.run(kernel().hex("0f0b")), 6, 0, CODE);
        assertFaultAt(guest.run(kernel().hex("f00f0b")), 6, 0, CODE);
        assertFaultAt(guest.run(kernel().hex("f0 90")), 6, 0, CODE);
        assertFaultAt(guest.run(kernel().hex("06")), 6, 0, CODE);
    }

    @Test
    public void instructionsOfMoreThanFifteenBytes_areGeneralProtection() {
        assertFaultAt(guest.run(kernel().hex("66".repeat(15) + "90")), 13, 0, CODE);
        assertEnd(guest.run(kernel().hex("66".repeat(14) + "90").end()));
    }

    @Test
    public void softwareInterrupts_returnBehindTheInstruction() {
        Ending breakpoint = guest.run(kernel().hex("cc"));
        assertException(breakpoint, 3, 0);
        assertThat(breakpoint.rip()).isEqualTo(CODE + 1);
        assertThat(breakpoint.flags() & 0x10000).isZero();
        Ending interrupt = guest.run(kernel().interrupt(0x77));
        assertException(interrupt, 0x77, 0);
        assertThat(interrupt.rip()).isEqualTo(CODE + 2);
    }

    @Test
    public void fpuInstructions_faultWhileTheTaskIsSwitched() {
        guest.load(kernel().hex("d9e8"));
        VcpuState state = guest.kernelState(CODE);
        state.cr0 |= 8;
        assertFaultAt(guest.run(state), 7, 0, CODE);
        guest.load(kernel().hex("0f58c0"));
        assertFaultAt(guest.run(state), 7, 0, CODE);
        guest.load(kernel().hex("0f06 0f58c0").end());
        assertEnd(guest.run(state));
        guest.load(kernel().hex("0f58c0"));
        state.cr0 &= ~8L;
        state.cr4 &= ~0x200L;
        assertFaultAt(guest.run(state), 6, 0, CODE);
    }

    @Test
    public void unmaskedX87Errors_waitForTheNextInstruction() {
        GuestCode code = kernel().hex("dbe3 6a00 d92c24").label("divide");
        code.hex("d9e8 d9ee def9").label("next").hex("d9e8");
        Ending ending = guest.run(code.end());
        assertFaultAt(ending, 16, 0, code.addressOf("next"));
    }

    @Test
    public void unmaskedSimdErrors_faultAtTheInstruction() {
        GuestCode code = kernel().hex("6a00 0fae1424 0f57c0").label("divide").hex("0f5ec0");
        Ending ending = guest.run(code.end());
        assertFaultAt(ending, 19, 0, code.addressOf("divide"));
    }

    // Segment selectors in error codes

    @Test
    public void loadingASelectorBeyondTheTable_isGeneralProtectionWithTheSelector() {
        assertException(guest.run(kernel().segment(VcpuState.DS, 0x1000).end()), 13, 0x1000);
        assertException(guest.run(kernel().segment(VcpuState.FS, 0x1003).end()), 13, 0x1000);
        // No LDT.
        assertException(guest.run(kernel().segment(VcpuState.FS, 0xc).end()), 13, 0xc);
    }

    @Test
    public void loadingASegmentThatIsNotPresent_isNotPresent_ofTheStackAStackFault() {
        guest.descriptor(FREE_SELECTOR, 0x00cf13000000ffffL);
        Ending data = guest.run(kernel().segment(VcpuState.ES, FREE_SELECTOR).end());
        assertException(data, 11, FREE_SELECTOR);
        Ending stack = guest.run(kernel().segment(VcpuState.SS, FREE_SELECTOR).end());
        assertException(stack, 12, FREE_SELECTOR);
    }

    @Test
    public void loadingTheWrongKindOfSegment_isGeneralProtection() {
        // A stack in a code segment, data in an execute-only one, a system descriptor.
        assertException(
                guest.run(kernel().segment(VcpuState.SS, SmallGuest.CODE32)),
                13,
                SmallGuest.CODE32);
        guest.descriptor(FREE_SELECTOR, 0x00cf99000000ffffL);
        assertException(
                guest.run(kernel().segment(VcpuState.DS, FREE_SELECTOR)), 13, FREE_SELECTOR);
        assertException(
                guest.run(kernel().segment(VcpuState.DS, SmallGuest.TASK)), 13, SmallGuest.TASK);
        // Ring 3 and a segment of ring 0; the null selector in SS.
        int kernelData = SmallGuest.DATA32;
        assertException(
                guest.runUser(user().segment(VcpuState.DS, kernelData | 3)), 13, kernelData);
        assertException(guest.runUser(user().segment(VcpuState.SS, 0)), 13, 0);
        assertEnd(guest.runUser(user().segment(VcpuState.DS, 0).end()));
    }

    @Test
    public void farJumps_checkTheirTarget() {
        GuestCode toData = kernel().pushImmediate(SmallGuest.DATA32).pushLabel("x").label("x");
        assertException(guest.run(toData.hex("48cb")), 13, SmallGuest.DATA32);
        GuestCode toNull = kernel().pushImmediate(0).pushLabel("x").label("x").hex("48cb");
        assertException(guest.run(toNull), 13, 0);
        guest.descriptor(FREE_SELECTOR, 0x00af1b000000ffffL);
        GuestCode toAbsent = kernel().pushImmediate(FREE_SELECTOR).pushLabel("x").label("x");
        assertException(guest.run(toAbsent.hex("48cb")), 11, FREE_SELECTOR);
    }

    // Delivery that fails

    @Test
    public void gates_areChecked() {
        guest.gate(0x40, SmallGuest.handler(0x40), NOT_PRESENT_GATE, 0);
        assertException(guest.run(kernel().interrupt(0x40)), 11, 0x40 << 3 | 2);
        // A task gate.
        guest.gate(0x41, SmallGuest.handler(0x41), 0x85, 0);
        assertException(guest.run(kernel().interrupt(0x41)), 13, 0x41 << 3 | 2);
        assertException(guest.runUser(user().interrupt(0x42)), 13, 0x42 << 3 | 2);
        guest.gate(0x42, SmallGuest.handler(0x42), 0xee, 0);
        assertException(guest.runUser(user().interrupt(0x42)), 0x42, 0);
        guest.load(kernel().interrupt(0x43));
        VcpuState state = guest.kernelState(CODE);
        state.idtr = new TableRegister(SmallGuest.IDT, 0x42 * 16 + 15);
        assertException(guest.run(state), 13, 0x43 << 3 | 2);
    }

    @Test
    public void benignExceptionWithoutAGate_isFollowedByAnother_tellingOfAnExternalEvent() {
        guest.gate(6, SmallGuest.handler(6), NOT_PRESENT_GATE, 0);
        assertException(guest.run(kernel().hex("0f0b")), 11, 6 << 3 | 3);
    }

    @Test
    public void contributoryExceptions_makeADoubleFault() {
        guest.gate(0, SmallGuest.handler(0), NOT_PRESENT_GATE, 0);
        Ending ending = guest.run(kernel().hex("31c9 f7f1"));
        assertException(ending, 8, 0);
        assertThat(ending.rip()).isEqualTo(CODE + 2);
    }

    @Test
    public void pageFaultDuringAPageFault_isADoubleFault_ofAGeneralProtectionFaultNot() {
        guest.load(kernel().mov(RSP, 0x40000000L).load(RAX, 0x50000000L));
        guest.gate(8, SmallGuest.handler(8), 0x8e, 1);
        assertException(guest.run(guest.kernelState(CODE)), 8, 0);
        // The page fault of the stack comes after the general protection fault.
        guest.gate(14, SmallGuest.handler(14), 0x8e, 1);
        guest.load(kernel().mov(RSP, 0x40000000L).segment(VcpuState.DS, 0x1000));
        Ending ending = guest.run(guest.kernelState(CODE));
        assertPageFault(ending, 2, 0x40000000L - 8 * 6);
    }

    @Test
    public void exceptionDuringADoubleFault_shutsTheProcessorDown() {
        guest.gate(0, SmallGuest.handler(0), NOT_PRESENT_GATE, 0);
        guest.gate(8, SmallGuest.handler(8), NOT_PRESENT_GATE, 0);
        Ending ending = guest.run(kernel().hex("31c9 f7f1"));
        assertThat(ending.kind()).isEqualTo(Kind.SHUTDOWN);
        assertThat(ending.state().activity).isEqualTo(VcpuState.Activity.SHUTDOWN);
        assertThat(guest.resume().kind()).isEqualTo(Kind.SHUTDOWN);
    }

    @Test
    public void missingInterruptTable_shutsTheProcessorDown() {
        guest.load(kernel().hex("cc"));
        VcpuState state = guest.kernelState(CODE);
        state.idtr = new TableRegister(0, 0);
        assertThat(guest.run(state).kind()).isEqualTo(Kind.SHUTDOWN);
    }

    // Stacks

    @Test
    public void handlers_getTheirStackFromTheTaskState_whenThePrivilegeChanges() {
        Ending ending = guest.runUser(user().hex("0f0b"));
        assertException(ending, 6, 0);
        assertThat(ending.state().gpr[RSP]).isEqualTo(SmallGuest.STACK - 5 * 8 - 2 * 8);
        assertThat(ending.rsp()).isEqualTo(SmallGuest.USER_STACK - 0x100);
        assertThat(ending.ss()).isEqualTo(SmallGuest.USER_DATA);
        assertThat(ending.cs()).isEqualTo(SmallGuest.USER_CODE64);
        assertThat(ending.state().segments[VcpuState.SS].selector()).isZero();
        assertThat(ending.state().segments[VcpuState.CS].selector()).isEqualTo(SmallGuest.CODE64);
        assertThat(ending.state().rflags & 0x200).isZero();
    }

    @Test
    public void handlers_keepAnAlignedStack_whenThePrivilegeStays() {
        Ending ending = guest.run(kernel().mov(RSP, 0x7ff5).hex("0f0b"));
        assertException(ending, 6, 0);
        assertThat(ending.state().gpr[RSP]).isEqualTo(0x7ff0 - 5 * 8 - 2 * 8);
        assertThat(ending.rsp()).isEqualTo(0x7ff5);
    }

    @Test
    public void interruptStackTable_switchesStacksInAnyRing() {
        guest.gate(6, SmallGuest.handler(6), 0x8e, 1);
        long expected = SmallGuest.INTERRUPT_STACK - 5 * 8 - 2 * 8;
        assertThat(guest.run(kernel().hex("0f0b")).state().gpr[RSP]).isEqualTo(expected);
        assertThat(guest.runUser(user().hex("0f0b")).state().gpr[RSP]).isEqualTo(expected);
    }

    @Test
    public void stackInTheTaskState_mustBeCanonical() {
        guest.memory().write64(SmallGuest.TSS + 4, 1L << 47);
        guest.gate(12, SmallGuest.handler(12), 0x8e, 1);
        assertException(guest.runUser(user().hex("0f0b")), 12, 0);
    }

    @Test
    public void trapGates_keepInterruptsOn() {
        guest.gate(0x50, SmallGuest.handler(0x50), 0x8f, 0);
        assertThat(guest.run(kernel().sti().interrupt(0x50)).state().rflags & 0x200)
                .isEqualTo(0x200);
        assertThat(guest.run(kernel().sti().interrupt(0x51)).state().rflags & 0x200).isZero();
    }

    // External interrupts

    /** A handler that traces a byte and returns. */
    private void tracingHandler(int vector, int value) {
        long at = DATA + 0x40 * (vector & 0x3f);
        guest.load(GuestCode.at(at).push(RAX).trace(value).pop(RAX).iret());
        guest.gate(vector, at, 0x8e, 0);
    }

    @Test
    public void interrupts_waitUntilTheyAreEnabled_andTheInstructionAfterSti() {
        VectorSource source = new VectorSource(guest.vcpu());
        tracingHandler(0x60, 1);
        source.request(0x60);
        guest.run(kernel().trace(10).sti().trace(11).trace(12).end());
        // TRACE is MOV and OUT: the shadow covers the MOV.
        assertThat(guest.trace()).containsExactly(10, 1, 11, 12);
    }

    @Test
    public void stiThenCli_letsNothingIn() {
        VectorSource source = new VectorSource(guest.vcpu());
        tracingHandler(0x60, 1);
        source.request(0x60);
        guest.run(kernel().sti().cli().trace(10).nop(20).trace(11).end());
        assertThat(guest.trace()).containsExactly(10, 11);
    }

    @Test
    public void loadingTheStackSegment_holdsInterruptsForOneInstruction() {
        VectorSource source = new VectorSource(guest.vcpu());
        tracingHandler(0x60, 1);
        guest.devices(new RequestOnWrite(source, 0x60));
        // The request comes with the OUT; the shadow of STI is over by then.
        GuestCode code = kernel().mov32(RBX, SmallGuest.DATA32).sti().nop(2).hex("8ed3");
        guest.run(code.out8(0x80).trace(10).end());
        assertThat(guest.trace()).containsExactly(1, 10);
        guest.run(kernel().mov32(RBX, SmallGuest.DATA32).sti().nop(2).out8(0x80).trace(11).end());
        assertThat(guest.trace()).containsExactly(1, 10, 1, 11);
    }

    /** Requests an interrupt when the guest writes to a port. */
    private static final class RequestOnWrite extends SilentDevices {
        private final VectorSource source;
        private final int vector;

        RequestOnWrite(VectorSource source, int vector) {
            this.source = source;
            this.vector = vector;
        }

        @Override
        public void writePort(int port, int size, int value) {
            source.request(vector);
        }
    }

    @Test
    public void halt_endsWithAnInterrupt_andReturnsBehindIt() {
        VectorSource source = new VectorSource(guest.vcpu());
        tracingHandler(0x60, 1);
        guest.devices(new RequestOnWrite(source, 0x60));
        guest.run(kernel().out8(0x80).sti().hlt().trace(10).end());
        assertThat(guest.trace()).containsExactly(1, 10);
    }

    /** A handler that counts, and comes to the end after so many. */
    private void countingHandler(int vector, int times) {
        long count = DATA + 0x800;
        guest.memory().write32(count, 0);
        GuestCode handler = GuestCode.at(DATA).inc32(count).push(RAX).trace(1).load(RAX, count);
        handler.hex("83f8").raw(times).pop(RAX).jcc(4, "enough").iret().label("enough").end();
        guest.load(handler);
        guest.gate(vector, DATA, 0x8e, 0);
    }

    /** Sends an event from another thread each time the one before has been handled. */
    private void assertEachIsHandled(GuestCode code, int times, Runnable event) throws Exception {
        guest.load(code);
        guest.vcpu().setState(guest.kernelState(CODE));
        Thread sender =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    for (int n = 0; n < times; n++) {
                                        while (guest.trace().size() < n) {
                                            Thread.onSpinWait();
                                        }
                                        event.run();
                                    }
                                });
        assertEnd(guest.resume());
        sender.join();
        assertThat(guest.trace()).hasSize(times);
    }

    @Test
    public void haltedProcessor_wakesForEachInterruptFromOutside() throws Exception {
        VectorSource source = new VectorSource(guest.vcpu());
        countingHandler(0x60, 50);
        GuestCode code = kernel().label("again").sti().hlt().jmp("again");
        assertEachIsHandled(code, 50, () -> source.request(0x60));
    }

    @Test
    public void haltInRing3_isGeneralProtection() {
        assertFaultAt(guest.runUser(user().hlt()), 13, 0, SmallGuest.USER);
    }

    @Test
    public void interrupts_nest() {
        VectorSource source = new VectorSource(guest.vcpu());
        GuestCode outer = GuestCode.at(DATA + 0x800).push(RAX).trace(1).sti().nop(4).trace(2);
        guest.load(outer.pop(RAX).iret());
        guest.gate(0x60, DATA + 0x800, 0x8e, 0);
        tracingHandler(0x70, 3);
        source.request(0x60);
        source.request(0x70);
        guest.run(kernel().sti().nop(4).trace(10).end());
        assertThat(guest.trace()).containsExactly(1, 3, 2, 10);
    }

    @Test
    public void taskPriority_holdsInterruptsOff() {
        VectorSource source = new VectorSource(guest.vcpu());
        tracingHandler(0x60, 1);
        source.request(0x60);
        GuestCode code = kernel().control(8, 7).sti().nop(4).trace(10);
        guest.run(code.control(8, 5).nop(4).trace(11).fromControl(RBX, 8).end());
        assertThat(guest.trace()).containsExactly(10, 1, 11);
        assertThat(guest.vcpu().state().gpr[RBX]).isEqualTo(5);
        assertException(guest.run(kernel().control(8, 16).end()), 13, 0);
    }

    // Non-maskable interrupts

    @Test
    public void haltedProcessor_wakesForEachNonMaskableInterrupt_withInterruptsOff()
            throws Exception {
        countingHandler(2, 100);
        GuestCode code = kernel().cli().label("again").hlt().jmp("again");
        assertEachIsHandled(code, 100, () -> guest.vcpu().nmi());
    }

    @Test
    public void runningProcessor_takesEachNonMaskableInterrupt_withInterruptsOff()
            throws Exception {
        countingHandler(2, 100);
        GuestCode code = kernel().cli().label("again").nop(1).jmp("again");
        assertEachIsHandled(code, 100, () -> guest.vcpu().nmi());
    }

    @Test
    public void processorAtX87Instructions_takesEachNonMaskableInterrupt() throws Exception {
        countingHandler(2, 100);
        // fninit; then fldz; fstp st(0)
        GuestCode code = kernel().cli().hex("dbe3").label("again").hex("d9ee ddd8").jmp("again");
        assertEachIsHandled(code, 100, () -> guest.vcpu().nmi());
    }

    @Test
    public void nonMaskableInterrupts_areHeldUntilInterruptReturn() {
        long handler = DATA + 0x800;
        guest.load(GuestCode.at(handler).push(RAX).out8(0x80).trace(1).trace(2).pop(RAX).iret());
        guest.gate(2, handler, 0x8e, 0);
        guest.devices(new SecondInterrupt(guest));
        guest.load(kernel().nop(4).trace(10).end());
        guest.vcpu().setState(guest.kernelState(CODE));
        guest.vcpu().nmi();
        assertEnd(guest.resume());
        assertThat(guest.trace()).containsExactly(1, 2, 1, 2, 10);
    }

    /** Sends an NMI at the first write to a port. */
    private static final class SecondInterrupt extends SilentDevices {
        private final SmallGuest guest;
        private boolean sent;

        SecondInterrupt(SmallGuest guest) {
            this.guest = guest;
        }

        @Override
        public void writePort(int port, int size, int value) {
            if (!sent) {
                sent = true;
                guest.vcpu().nmi();
            }
        }
    }

    // Restarting

    @Test
    public void stringInstruction_tellsHowFarItCame_andGoesOnAfterTheFault() {
        long target = 0x40000000L;
        guest.tables().map(target, SmallGuest.FREE, 3);
        long entry = guest.tables().entry(target + 0x1000, 1);
        GuestCode handler = GuestCode.at(DATA).push(RAX).store(DATA + 0x800, GuestCode.RCX);
        handler.store(DATA + 0x808, GuestCode.RDI).mov(RAX, SmallGuest.FREE + 0x1000 | 3);
        guest.load(handler.store(entry, RAX).pop(RAX).hex("4883c408").iret());
        guest.gate(14, DATA, 0x8e, 0);
        GuestCode code = kernel().mov(RAX, 0x1122334455667788L).mov(GuestCode.RCX, 0x100);
        Ending ending = guest.run(code.mov(GuestCode.RDI, target + 0xf00).hex("f348ab").end());
        assertEnd(ending);
        assertThat(guest.memory().read64(DATA + 0x800)).isEqualTo(0x100 - 0x20);
        assertThat(guest.memory().read64(DATA + 0x808)).isEqualTo(target + 0x1000);
        assertThat(ending.state().gpr[GuestCode.RCX]).isZero();
        assertThat(guest.memory().read64(SmallGuest.FREE + 0x16f8)).isEqualTo(0x1122334455667788L);
        assertThat(guest.memory().read64(SmallGuest.FREE + 0x1700)).isZero();
    }

    @Test
    public void longStringInstruction_letsInterruptsIn() {
        VectorSource source = new VectorSource(guest.vcpu());
        guest.load(GuestCode.at(DATA).store(DATA + 0x800, GuestCode.RCX).end());
        guest.gate(0x60, DATA, 0x8e, 0);
        guest.devices(new RequestOnWrite(source, 0x60));
        GuestCode code = kernel().mov(GuestCode.RCX, 1L << 40).mov(GuestCode.RDI, SmallGuest.FREE);
        // LODS touches one address range again and again: 8 MiB are mapped, nothing faults before.
        code.mov(GuestCode.RSI, 0).out8(0x80).sti().hex("f3a6");
        Ending ending = guest.run(code.end());
        assertEnd(ending);
        assertThat(guest.memory().read64(DATA + 0x800))
                .isGreaterThan(0)
                .isLessThanOrEqualTo(1L << 40);
    }
}
