package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.javisor.hypervisor.VcpuState;
import org.javisor.testkit.GuestCode;
import org.javisor.testkit.PageTables;
import org.javisor.testkit.SmallGuest;
import org.junit.jupiter.api.Test;

class CodeCacheTest {
    private static final long CODE = 0x200000;

    /** Each with a block of its own: too many for the smallest cache. */
    private static final int INCREMENTS = 40_000;

    private static final int ROUNDS = 4;
    private static final int PROCESSORS = 3;

    @Test
    void cacheThatIsTooSmall_isDroppedAgainAndAgain_whileAllProcessorsGoOn() throws Exception {
        TranslatorOptions small = TranslatorOptions.DEFAULT.withCodeCache(1 << 20);
        try (SmallGuest guest = new SmallGuest(new TranslatorHypervisor(small), PROCESSORS);
                ExecutorService threads = Executors.newFixedThreadPool(PROCESSORS)) {
            guest.tables().mapIdentity(CODE, 0x200000, PageTables.PRESENT | PageTables.WRITABLE);
            GuestCode code = GuestCode.at(CODE);
            for (int n = 0; n < INCREMENTS; n++) {
                code.hex("ffc0 eb00");
            }
            // dec ecx; jz over the jump back
            code.hex("ffc9 7405 e9").raw32(-(4L * INCREMENTS + 9)).end();
            guest.load(code);
            List<Future<SmallGuest.Ending>> endings = new ArrayList<>();
            for (int n = 0; n < PROCESSORS; n++) {
                int processor = n;
                endings.add(threads.submit(() -> run(guest, processor)));
            }
            for (Future<SmallGuest.Ending> ending : endings) {
                assertThat(ending.get().kind()).isEqualTo(SmallGuest.Kind.END);
                assertThat(ending.get().state().gpr[0]).isEqualTo(ROUNDS * INCREMENTS);
            }
            assertThat(guest.vm().statistics().counters().get("translator.flushes"))
                    .isGreaterThan(1);
        }
    }

    private static SmallGuest.Ending run(SmallGuest guest, int processor) {
        VcpuState state = guest.kernelState(CODE);
        state.gpr[0] = 0;
        state.gpr[1] = ROUNDS;
        guest.vcpu(processor).setState(state);
        return guest.resume(processor);
    }
}
