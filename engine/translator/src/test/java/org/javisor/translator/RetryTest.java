package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.javisor.testkit.GuestCode;
import org.javisor.testkit.SmallGuest;
import org.junit.jupiter.api.Test;

/** Blocks that are left to be come back to, and taken away in between. */
class RetryTest {
    private static final long CALLER = 0x20000, FUNCTION = CALLER + 0x100;
    private static final long WRITER = 0x30000, DONE = 0x50000, DATA = 0x51000;
    private static final int TIMES = 200_000;

    /** Between writes, so that mostly the function is there and jumped to. */
    private static final int PAUSE = 20_000;

    /** Where instructions are counted, a block does not begin with what may leave it. */
    private static final TranslatorOptions NOT_COUNTING =
            TranslatorOptions.DEFAULT.withCountInstructions(false);

    /** NOPs of 8 bytes. */
    private static final long NOP = 0x0000_0000_0084_1f0fL, OTHER_NOP = 0x0100_0000_0084_1f0fL;

    /**
     * The function begins with an access whose page the TLB has just been made to forget, so its
     * block is left each time. It is reached by a jump from a block that counts, which must not be
     * executed a second time.
     */
    @Test
    void blockTakenAwayBeforeItsFirstInstructionIsTriedAgain_isGoneOnWithWhereItBegan()
            throws Exception {
        try (SmallGuest guest = new SmallGuest(new TranslatorHypervisor(NOT_COUNTING), 2);
                ExecutorService threads = Executors.newFixedThreadPool(2)) {
            GuestCode caller = GuestCode.at(CALLER).mov(12, 0).mov(13, 0).label("next");
            // inc r12
            caller.invlpg(DATA).hex("49ffc4").jmp("function").padTo(FUNCTION).label("function");
            // mov rax, [DATA]; the NOP; inc r13; cmp r13d, TIMES
            caller.load(0, DATA).hex("0f1f840000000000 49ffc5 4181fd").raw32(TIMES);
            guest.load(caller.jcc(5, "next").mov(0, 1).store(DONE, 0).end());
            GuestCode writer = GuestCode.at(WRITER).mov(8, NOP).mov(9, OTHER_NOP).label("next");
            // xchg r8, r9; test rax, rax
            writer.mov32(1, PAUSE).label("pause").loop("pause");
            writer.store(FUNCTION + 8, 8).hex("4d87c1").load(0, DONE).hex("4885c0");
            guest.load(writer.jcc(4, "next").end());
            guest.vcpu(0).setState(guest.kernelState(CALLER));
            guest.vcpu(1).setState(guest.kernelState(WRITER));
            Future<SmallGuest.Ending> calls = threads.submit(() -> guest.resume(0));
            Future<SmallGuest.Ending> writes = threads.submit(() -> guest.resume(1));
            SmallGuest.Ending ending = calls.get();
            assertThat(ending.kind()).isEqualTo(SmallGuest.Kind.END);
            assertThat(writes.get().kind()).isEqualTo(SmallGuest.Kind.END);
            assertThat(ending.state().gpr[13]).isEqualTo(TIMES);
            assertThat(ending.state().gpr[12]).isEqualTo(TIMES);
        }
    }
}
