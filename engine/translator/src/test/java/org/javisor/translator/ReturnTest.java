package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;

import org.javisor.testkit.GuestCode;
import org.javisor.testkit.SmallGuest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A return that does not go where the call came from. */
class ReturnTest {
    private static final long CALLER = SmallGuest.CODE, ELSEWHERE = SmallGuest.FREE;

    /** After the call, in its page. */
    private static final int AFTER = 0x100;

    /** More than the host's stack has room for; the engines' contract has the same in ring 3. */
    private static final int DEEP = 3_000_000;

    /** So often that all is linked. */
    private static final int TIMES = 100;

    /**
     * Pages are numbered in the order of their first use: the sums of number and offset are alike.
     */
    @ParameterizedTest
    @ValueSource(ints = {-3, -2, -1, 0, 1, 2, 3})
    void returnToAnotherPage_arrivesThere_howeverCloseItsOffset(int farther) {
        try (SmallGuest guest = new SmallGuest(new TranslatorHypervisor())) {
            long target = ELSEWHERE + AFTER + farther;
            GuestCode elsewhere = GuestCode.at(ELSEWHERE).hex("c3").padTo(target);
            // inc ebp; dec ecx; jz over; jmp r8
            elsewhere.hex("ffc5 ffc9").jcc(4, "over").hex("41ffe0").label("over").end();
            guest.load(elsewhere);
            GuestCode code = GuestCode.at(CALLER).mov(GuestCode.RDI, ELSEWHERE).hex("ffd7");
            code.mov32(GuestCode.RCX, TIMES).mov(GuestCode.RDI, CALLER + AFTER);
            code.mov32(GuestCode.RBP, 0).mov(9, 0).lea(8, "next").label("next");
            code.padTo(CALLER + AFTER - 5).call("instead");
            // First the place to return to; later the wrong one: inc ebx; dec ecx; jnz next
            code.hex("ffc3 ffc9").jcc(5, "next").hex("4d85c9").jcc(5, "end"); // test r9, r9
            code.mov(9, 1).mov32(GuestCode.RCX, TIMES).mov32(GuestCode.RBX, 0);
            code.mov(GuestCode.RDI, target).jmp("next").label("end").end();
            code.label("instead").hex("48893c24 c3"); // mov [rsp], rdi; ret
            long[] registers = guest.run(code).state().gpr;
            assertThat(registers[GuestCode.RBX]).isZero();
            assertThat(registers[GuestCode.RBP]).isEqualTo(TIMES);
        }
    }

    @Test
    void millionsOfCallsOfTheKernelWithoutAReturn_endAsTheyWould() {
        try (SmallGuest guest = new SmallGuest(new TranslatorHypervisor())) {
            GuestCode code = GuestCode.at(CALLER).mov32(GuestCode.RCX, DEEP);
            code.lea(GuestCode.RSI, "second").label("l").call("first");
            // lea rsp, [rsp + 8]; call rsi; and again; dec ecx
            code.label("first").hex("488d642408 ffd6").label("second").hex("488d642408");
            SmallGuest.Ending ending = guest.run(code.hex("ffc9").jcc(5, "l").end());
            assertThat(ending.kind()).isEqualTo(SmallGuest.Kind.END);
            long stack = guest.kernelState(CALLER).gpr[GuestCode.RSP];
            assertThat(ending.state().gpr[GuestCode.RSP]).isEqualTo(stack);
        }
    }

    @Test
    void millionsOfReturnsOfTheKernelWithoutACall_endAsTheyWould() {
        try (SmallGuest guest = new SmallGuest(new TranslatorHypervisor())) {
            GuestCode code = GuestCode.at(CALLER).mov32(GuestCode.RCX, DEEP);
            code.mov32(GuestCode.RBX, 0).lea(GuestCode.RSI, "next").label("l");
            // push rsi; ret; inc ebx; dec ecx
            code.hex("56 c3").label("next").hex("ffc3 ffc9").jcc(5, "l");
            SmallGuest.Ending ending = guest.run(code.end());
            assertThat(ending.kind()).isEqualTo(SmallGuest.Kind.END);
            assertThat(ending.state().gpr[GuestCode.RBX]).isEqualTo(DEEP);
        }
    }
}
