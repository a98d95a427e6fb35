package org.javisor.interpreter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.testkit.SmallGuest.CODE;
import static org.javisor.testkit.SmallGuest.FREE;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.javisor.hypervisor.VcpuState;
import org.javisor.testkit.GuestCode;
import org.javisor.testkit.SilentDevices;
import org.javisor.testkit.SmallGuest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RefusedInstructionsTest {
    private static final String FLD1 = "d9e8", FSTP = "ddd8", NOP = "90";

    private final SmallGuest guest = new SmallGuest(new InterpreterHypervisor());
    private final RefusedInstructions refused =
            new RefusedInstructions(
                    guest.memory(),
                    guest.clock(),
                    new InterpreterHypervisor().cpuid(),
                    new SilentDevices());

    @AfterEach
    void close() {
        refused.close();
        guest.close();
    }

    /** Where the processor stands after this code, which begins at {@link SmallGuest#CODE}. */
    private long after(String code, int limit) {
        return after(GuestCode.at(CODE).hex(code), limit);
    }

    private long after(GuestCode code, int limit) {
        guest.load(code);
        return refused.execute(guest.kernelState(code.address()), limit).rip - code.address();
    }

    @Test
    void theInstructionAlone_isCarriedOut_whileNothingElseWasRefused() {
        assertThat(after(FLD1 + FSTP + FLD1 + NOP, 64)).isEqualTo(2);
    }

    @Test
    void thoseThatFollow_areCarriedOut_ifTheirLikeWasRefused_upToTheLimit() {
        after(FSTP, 1);
        assertThat(after(FLD1 + FSTP + FLD1 + NOP + FLD1, 64)).isEqualTo(6);
        assertThat(after(FLD1 + FSTP + FLD1 + NOP + FLD1, 2)).isEqualTo(4);
        assertThat(after(FLD1 + FSTP + FLD1 + NOP + FLD1, 1)).isEqualTo(2);
    }

    @Test
    void codeThatHasChanged_isReadAgain_onEveryPageOfTheRow() {
        long next = FREE + 0x1000, last = next - 2;
        assertThat(after(GuestCode.at(last).hex(FLD1 + FLD1 + NOP), 64)).isEqualTo(4);
        writeUnnoticed(next, 0x9090);
        assertThat(refused.execute(guest.kernelState(last), 64).rip).isEqualTo(next);
        writeUnnoticed(next, 0xe8d9);
        assertThat(refused.execute(guest.kernelState(last), 64).rip).isEqualTo(next + 2);
        writeUnnoticed(last, 0x9090);
        assertThat(refused.execute(guest.kernelState(last), 1).rip).isEqualTo(last + 1);
    }

    /** As a processor that another engine runs. */
    private void writeUnnoticed(long gpa, int value) {
        MemorySegment.ofAddress(guest.memory().hostAddress(gpa))
                .reinterpret(2)
                .set(ValueLayout.JAVA_SHORT_UNALIGNED, 0, (short) value);
    }

    @Test
    void aFault_isDelivered_andEndsTheRow() {
        VcpuState state = guest.kernelState(CODE);
        guest.load(GuestCode.at(CODE).hex(FLD1 + FLD1 + NOP));
        state.cr0 |= 8; // task switched
        VcpuState after = refused.execute(state, 64);
        assertThat(after.rip).isEqualTo(SmallGuest.handler(7));
        assertThat(guest.memory().read64(after.gpr[GuestCode.RSP])).isEqualTo(CODE);
    }

    @Test
    void codeThatCannotBeFetched_endsTheRow() {
        long last = FREE + 0x1000 - 2;
        guest.load(GuestCode.at(last).hex(FLD1));
        guest.tables().map(FREE + 0x1000, 0, 0);
        VcpuState after = refused.execute(guest.kernelState(last), 64);
        assertThat(after.rip).isEqualTo(last + 2);
        assertThat(after.cr2).isZero();
    }

    @Test
    void theStateBefore_isNotChanged() {
        guest.load(GuestCode.at(CODE).hex(FLD1 + FLD1 + NOP));
        VcpuState state = guest.kernelState(CODE);
        byte[] xsave = state.xsave.clone();
        assertThat(refused.execute(state, 64).xsave).isNotEqualTo(xsave);
        assertThat(state.xsave).isEqualTo(xsave);
        assertThat(state.rip).isEqualTo(CODE);
    }
}
