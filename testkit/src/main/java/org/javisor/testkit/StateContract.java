package org.javisor.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.javisor.testkit.GuestCode.RAX;
import static org.javisor.testkit.GuestCode.RBX;
import static org.javisor.testkit.GuestCode.RDX;
import static org.javisor.testkit.SmallGuest.CODE;
import static org.javisor.testkit.SmallGuest.DATA;
import static org.javisor.testkit.SmallGuest.FREE;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.javisor.hypervisor.DebugRequest;
import org.javisor.hypervisor.ExitReason;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuState;
import org.javisor.testkit.SmallGuest.Ending;
import org.javisor.testkit.SmallGuest.Kind;
import org.junit.jupiter.api.Test;

/** State taken and given, exits on request, and the time-stamp counter. */
public abstract class StateContract extends GuestContract {
    private static final int TSC = 0x10, TSC_ADJUST = 0x3b, LSTAR = 0xc0000082;

    private static final DebugRequest STEP = new DebugRequest(true, false, List.of(), List.of());

    private static GuestCode kernel() {
        return GuestCode.at(CODE);
    }

    private static void assertSame(VcpuState actual, VcpuState expected) {
        assertThat(actual.gpr).isEqualTo(expected.gpr);
        assertThat(actual.rip).isEqualTo(expected.rip);
        assertThat(actual.rflags).isEqualTo(expected.rflags);
        assertThat(actual.segments).isEqualTo(expected.segments);
        assertThat(actual.gdtr).isEqualTo(expected.gdtr);
        assertThat(actual.idtr).isEqualTo(expected.idtr);
        assertThat(new long[] {actual.cr0, actual.cr2, actual.cr3, actual.cr4, actual.efer})
                .isEqualTo(
                        new long[] {
                            expected.cr0, expected.cr2, expected.cr3, expected.cr4, expected.efer
                        });
        assertThat(actual.xcr0).isEqualTo(expected.xcr0);
        assertThat(actual.dr).isEqualTo(expected.dr);
        assertThat(actual.xsave).isEqualTo(expected.xsave);
        assertThat(actual.activity).isEqualTo(expected.activity);
        assertThat(actual.interruptShadow).isEqualTo(expected.interruptShadow);
        assertThat(actual.nmiBlocked).isEqualTo(expected.nmiBlocked);
        assertThat(actual.nmiPending).isEqualTo(expected.nmiPending);
        assertThat(actual.msrs).isEqualTo(expected.msrs);
    }

    @Test
    public void state_returnsWhatWasSet() {
        VcpuState state = guest.kernelState(CODE);
        Random random = new Random(5);
        for (int n = 0; n < 16; n++) {
            state.gpr[n] = random.nextLong();
        }
        state.rflags = 0x246ad7;
        state.cr2 = random.nextLong();
        state.dr[0] = 0x1234;
        state.dr[7] = 0x401;
        for (int n = 160; n < 416; n++) {
            state.xsave[n] = (byte) random.nextInt();
        }
        for (int n = 0; n < 8; n++) {
            for (int b = 0; b < 10; b++) {
                state.xsave[32 + 16 * n + b] = (byte) random.nextInt();
            }
        }
        state.xsave[4] = 0x55;
        state.xsave[512] = 3;
        state.interruptShadow = true;
        state.nmiBlocked = true;
        guest.vcpu().setState(state);
        VcpuState first = guest.vcpu().state();
        assertThat(first.gpr).isEqualTo(state.gpr);
        assertThat(first.rflags).isEqualTo(state.rflags);
        assertThat(first.dr).isEqualTo(state.dr);
        assertThat(first.interruptShadow).isTrue();
        assertThat(first.nmiBlocked).isTrue();
        for (int n = 32; n < 416; n++) {
            assertThat(first.xsave[n]).as("byte %d", n).isEqualTo(state.xsave[n]);
        }
        guest.vcpu().setState(first);
        assertSame(guest.vcpu().state(), first);
    }

    /** Runs code with and without moving the state to another machine in its middle. */
    private void assertMovable(GuestCode code, VcpuState begin) {
        guest.load(code);
        Ending whole = guest.run(begin);
        try (SmallGuest other = new SmallGuest(hypervisor())) {
            guest.vcpu().setState(begin);
            guest.vcpu().setDebug(STEP);
            Ending step = guest.resume();
            int steps = 0;
            while (step.kind() == Kind.DEBUG) {
                // There and back again between any two instructions.
                other.vcpu().setState(guest.vcpu().state());
                guest.vcpu().setState(other.vcpu().state());
                step = guest.resume();
                assertThat(++steps).isLessThan(10_000);
            }
            assertThat(step.kind()).isEqualTo(whole.kind());
            assertThat(step.vector()).isEqualTo(whole.vector());
            assertThat(step.state().gpr).isEqualTo(whole.state().gpr);
            assertThat(step.state().xsave).isEqualTo(whole.state().xsave);
            assertThat(step.flags()).isEqualTo(whole.flags());
        } finally {
            guest.vcpu().setDebug(DebugRequest.NONE);
        }
    }

    @Test
    public void state_canBeMovedBetweenAnyTwoInstructions() {
        GuestCode code = kernel().mov(RAX, 7).hex("f30f2ac0 0f51c8 d9eb d9fa 31db").mov(1, 5);
        code.label("l").hex("480fafc1 4801c3").loop("l");
        code.mov(GuestCode.RDI, FREE).mov(1, 9).hex("f3aa").hex("9c 5a").push(RAX).pop(RBX);
        assertMovable(code.hex("0f0b"), guest.kernelState(CODE));
    }

    @Test
    public void state_canBeMovedInAnInterruptsHandler() {
        guest.load(GuestCode.at(DATA).hex("48ffc3").nop(2).iret());
        guest.gate(0x60, DATA, 0x8e, 1);
        assertMovable(
                kernel().hex("31db").sti().interrupt(0x60).interrupt(0x60).hex("9c 5a 0f0b"),
                guest.kernelState(CODE));
    }

    @Test
    public void state_canBeMovedInRing3AndCompatibilityMode() {
        guest.gate(0x80, DATA, 0xee, 0);
        guest.load(GuestCode.at(DATA).hex("48ffc3").iret());
        GuestCode code = GuestCode.at(SmallGuest.USER).hex("31db").interrupt(0x80);
        assertMovable(code.interrupt(0x80).hex("0f0b"), guest.userState(SmallGuest.USER));
        VcpuState narrow = guest.userState(SmallGuest.USER);
        narrow.segments[VcpuState.CS] =
                new VcpuState.Segment(SmallGuest.USER_CODE32, 0, -1, 0xc0fb);
        assertMovable(GuestCode.at(SmallGuest.USER).hex("31db 40 43 cd80 0f0b"), narrow);
    }

    @Test
    public void pendingNonMaskableInterrupt_isPartOfTheState() {
        guest.vcpu().setState(guest.kernelState(CODE));
        guest.vcpu().nmi();
        VcpuState state = guest.vcpu().state();
        assertThat(state.nmiPending).isTrue();
        guest.load(kernel().nop(3).end());
        Ending ending = guest.run(state);
        assertException(ending, 2, 0);
        assertThat(guest.vcpu().state().nmiBlocked).isTrue();
        assertThat(guest.vcpu().state().nmiPending).isFalse();
    }

    @Test
    public void haltedProcessor_staysSo_whenItsStateIsMoved() {
        VectorSource source = new VectorSource(guest.vcpu());
        guest.load(kernel().sti().hlt().end());
        guest.vcpu().setState(guest.kernelState(CODE));
        guest.vcpu().setDebug(STEP);
        guest.resume();
        VcpuState halted = guest.resume().state();
        assertThat(halted.activity).isEqualTo(VcpuState.Activity.HALTED);
        guest.vcpu().setDebug(DebugRequest.NONE);
        source.request(0x60);
        assertException(guest.run(halted), 0x60, 0);
        assertThat(guest.vcpu().state().activity).isEqualTo(VcpuState.Activity.RUNNING);
    }

    @Test
    public void setState_refusesWhatTheEngineCannotHold() {
        VcpuState state = guest.kernelState(CODE);
        state.msrs.put(LSTAR, 1L << 62);
        assertThatThrownBy(() -> guest.vcpu().setState(state))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    public void modelSpecificRegisters_arePartOfTheState() {
        VcpuState state = guest.kernelState(CODE);
        state.msrs.put(LSTAR, 0xffffffff81000000L);
        state.msrs.put(0x174, 0x10L);
        guest.load(kernel().mov(1, LSTAR & 0xffffffffL).hex("0f32").end());
        Ending ending = guest.run(state);
        assertEnd(ending);
        assertThat(ending.state().gpr[RAX]).isEqualTo(0x81000000L);
        assertThat(ending.state().gpr[RDX]).isEqualTo(0xffffffffL);
        assertThat(ending.state().msrs).containsEntry(0x174, 0x10L);
    }

    @Test
    public void reset_leavesAProcessorAsAfterPowerOn() {
        VcpuState fresh = guest.vcpu().state();
        guest.run(kernel().mov(RAX, 5).wrmsr(LSTAR, 0x1234).hex("d9e8 0f28c8").end());
        guest.vcpu().reset();
        VcpuState after = guest.vcpu().state();
        after.tscOffset = fresh.tscOffset;
        assertSame(after, fresh);
        assertThat(fresh.rip).isEqualTo(0xfff0);
        assertThat(fresh.segments[VcpuState.CS].base()).isEqualTo(0xffff0000L);
        assertThat(fresh.cr0).isEqualTo(0x60000010);
    }

    // Exits on request

    @Test
    public void requestExit_stopsAnEndlessLoop_fromAnotherThread() throws Exception {
        assertStops(kernel().cli().label("l").jmp("l"));
    }

    @Test
    public void requestExit_stopsAHaltedProcessor_fromAnotherThread() throws Exception {
        assertStops(kernel().cli().hlt());
    }

    @Test
    public void requestExit_stopsALongStringInstruction_fromAnotherThread() throws Exception {
        assertStops(kernel().cli().label("l").mov(1, 1L << 20).mov(7, FREE).hex("f3ac").jmp("l"));
    }

    @Test
    public void requestExit_stopsAnExceptionsLoop_fromAnotherThread() throws Exception {
        guest.load(GuestCode.at(DATA).iret());
        guest.gate(6, DATA, 0x8e, 0);
        assertStops(kernel().hex("0f0b"));
    }

    private void assertStops(GuestCode code) throws Exception {
        guest.load(code);
        Vcpu vcpu = guest.vcpu();
        vcpu.setState(guest.kernelState(CODE));
        for (int n = 0; n < 20; n++) {
            CountDownLatch begun = new CountDownLatch(1);
            ExitReason[] reason = new ExitReason[1];
            Thread runner =
                    Thread.ofPlatform()
                            .start(
                                    () -> {
                                        begun.countDown();
                                        reason[0] = vcpu.run();
                                    });
            begun.await();
            vcpu.requestExit();
            runner.join();
            assertThat(reason[0]).isEqualTo(ExitReason.REQUESTED);
        }
    }

    @Test
    public void requestExit_beforeRun_makesItReturnAtOnce_onceOnly() {
        guest.load(kernel().trace(1).end());
        guest.vcpu().setState(guest.kernelState(CODE));
        guest.vcpu().requestExit();
        guest.vcpu().requestExit();
        assertThat(guest.resume().kind()).isEqualTo(Kind.REQUESTED);
        assertThat(guest.trace()).isEmpty();
        assertEnd(guest.resume());
    }

    // Time

    private long ticks(long nanos) {
        return Math.multiplyExact(nanos, guest.vm().tscFrequency()) / 1_000_000_000L;
    }

    /** The counter as the guest reads it into RAX. */
    private long readCounter() {
        Ending ending = guest.run(kernel().hex("0f31 48c1e220 4809d0").end());
        return ending.state().gpr[RAX];
    }

    @Test
    public void timeStampCounter_followsTheMachinesClock() {
        long first = readCounter();
        assertThat(readCounter()).isEqualTo(first);
        guest.clock().advance(123_456_789);
        assertThat(readCounter() - first).isEqualTo(ticks(123_456_789));
        assertThat(guest.vcpu().tsc()).isEqualTo(readCounter());
    }

    @Test
    public void timeStampCounter_canBeWritten_andItsAdjustmentFollows() {
        guest.clock().advance(1_000_000);
        GuestCode code = kernel().wrmsr(TSC, 0x1_0000_0000L).mov(1, TSC_ADJUST).hex("0f32");
        Ending ending = guest.run(code.hex("48c1e220 4809d0 4889c3 0f31 48c1e220 4809d0").end());
        assertEnd(ending);
        assertThat(ending.state().gpr[RAX]).isEqualTo(0x1_0000_0000L);
        assertThat(ending.state().gpr[RBX]).isEqualTo(0x1_0000_0000L - ticks(1_000_000));
    }

    @Test
    public void timeStampCounter_isItsOwnAgain_whenTheAdjustmentIsTakenBack() {
        guest.clock().advance(1_000_000);
        guest.run(kernel().wrmsr(TSC, 0x1_0000_0000L).wrmsr(TSC_ADJUST, 0).end());
        assertThat(guest.vcpu().tsc()).isEqualTo(ticks(1_000_000));
    }

    @Test
    public void timeStampCounter_goesOn_whenTheStateIsSetAgain() {
        guest.run(kernel().wrmsr(TSC, 500).end());
        VcpuState state = guest.vcpu().state();
        guest.clock().advance(1_000);
        guest.vcpu().setState(state);
        assertThat(guest.vcpu().tsc()).isEqualTo(500 + ticks(1_000));
    }

    /** Whether this engine has been told to count. */
    protected boolean countsInstructions() {
        return true;
    }

    @Test
    public void statistics_countInstructions() {
        assumeTrue(countsInstructions(), "does not count instructions");
        long before = guest.vm().statistics().instructions();
        guest.run(kernel().nop(1000).end());
        long counted = guest.vm().statistics().instructions() - before;
        assertThat(counted).isBetween(1001L, 1010L);
    }
}
