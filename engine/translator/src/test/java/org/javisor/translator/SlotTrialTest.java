package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;

import org.javisor.hypervisor.VcpuState;
import org.javisor.testkit.GuestCode;
import org.javisor.testkit.SmallGuest;
import org.junit.jupiter.api.Test;

/** User code in busy blocks whose accesses change their page often or seldom. */
class SlotTrialTest {
    private static final int ROUNDS = 1_000_000;
    private static final int PAGE_BIT = 12;

    /** So that the end can be told. */
    private static final int IO_PRIVILEGE = 0x3000;

    /**
     * Reads one of two pages, chosen by a bit of the rounds left.
     *
     * @return how often translated code was left for a memory access
     */
    private static long exits(int bit) {
        try (SmallGuest guest = new SmallGuest(TranslatorHypervisor.busy())) {
            GuestCode code = GuestCode.at(SmallGuest.USER).mov32(GuestCode.RCX, ROUNDS);
            code.mov(GuestCode.RBX, SmallGuest.USER_STACK).label("next");
            // mov eax, ecx; shl eax, PAGE_BIT - bit; and eax, 1 << PAGE_BIT
            code.hex("89c8 c1e0%02x 2500100000".formatted(PAGE_BIT - bit));
            // sub rbx, rax; mov edx, [rbx - 64]; add rbx, rax; dec ecx
            code.hex("4829c3 8b53c0 4801c3 ffc9").jcc(5, "next").end();
            guest.load(code);
            VcpuState state = guest.userState(SmallGuest.USER);
            state.rflags |= IO_PRIVILEGE;
            assertThat(guest.run(state).kind()).isEqualTo(SmallGuest.Kind.END);
            return guest.vm().statistics().counters().get("translator.exits.memory");
        }
    }

    @Test
    void placeThatChangesItsPageAllTheTime_looksIntoTheTlbSoon() {
        assertThat(exits(0)).isLessThan(12);
    }

    /** A million rounds change the page 15,625 times, the patience of 61 slots. */
    @Test
    void placeThatSeldomDoes_keepsItsSlot_andIsNotAskedAgain() {
        assertThat(exits(6)).isLessThan(12);
    }
}
