package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
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

    private static final TranslatorOptions SMALL = TranslatorOptions.DEFAULT.withCodeCache(1 << 20);

    /** Of each processor. */
    private static final int FUNCTIONS = 8192;

    /** Between functions; no power of two, so that some lie on two pages. */
    private static final int STRIDE = 30;

    private static final int FILLER = 2000;
    private static final int SLOW_CALLS = 500;
    private static final int CALLS = 60_000;
    private static final int MIX = 0x9e3779b1;
    private static final int FACTOR = 1103515245;
    private static final int SUMMAND = 12345;
    private static final long CALLER = 0x300000, STACKS = 0x310000;

    @Test
    void cacheThatIsTooSmall_isFilledAgainAndAgain_whileAllProcessorsGoOn() throws Exception {
        try (SmallGuest guest = new SmallGuest(new TranslatorHypervisor(SMALL), PROCESSORS);
                ExecutorService threads = Executors.newFixedThreadPool(PROCESSORS)) {
            guest.tables().mapIdentity(CODE, 0x200000, PageTables.PRESENT | PageTables.WRITABLE);
            guest.load(chain());
            List<Future<SmallGuest.Ending>> endings = new ArrayList<>();
            for (int n = 0; n < PROCESSORS; n++) {
                int processor = n;
                endings.add(threads.submit(() -> run(guest, processor)));
            }
            for (Future<SmallGuest.Ending> ending : endings) {
                assertThat(ending.get().kind()).isEqualTo(SmallGuest.Kind.END);
                assertThat(ending.get().state().gpr[0]).isEqualTo(ROUNDS * INCREMENTS);
            }
            assertEvicted(guest);
        }
    }

    /**
     * Functions that call others, at addresses in no order: direct jumps and returns between parts
     * of the cache of every age, the table of computed jumps, instructions on two pages.
     */
    @Test
    void functionsThatCallEachOther_computeTheSame_whenOnlySomeFitIntoTheCache() throws Exception {
        assertCallsComputeTheSame(false);
    }

    @Test
    void functionsThatAreWritten_computeTheSame_whenOnlySomeFitIntoTheCache() throws Exception {
        assertCallsComputeTheSame(true);
    }

    private static void assertCallsComputeTheSame(boolean writing) throws Exception {
        int processors = 2;
        try (SmallGuest guest = new SmallGuest(new TranslatorHypervisor(SMALL), processors);
                ExecutorService threads = Executors.newFixedThreadPool(processors)) {
            guest.tables().mapIdentity(CODE, 0x200000, PageTables.PRESENT | PageTables.WRITABLE);
            guest.load(caller(writing));
            List<Future<SmallGuest.Ending>> endings = new ArrayList<>();
            for (int n = 0; n < processors; n++) {
                int processor = n;
                guest.load(functions(base(n)));
                endings.add(threads.submit(() -> callAtRandom(guest, processor)));
            }
            for (int n = 0; n < processors; n++) {
                SmallGuest.Ending ending = endings.get(n).get();
                assertThat(ending.kind()).isEqualTo(SmallGuest.Kind.END);
                assertThat(ending.state().gpr[0] & 0xffffffffL)
                        .isEqualTo(expected(seed(n), writing));
            }
            assertEvicted(guest);
        }
    }

    /**
     * A processor stays long in a function whose code is kept, while another has that of the caller
     * overwritten; the host's own return must not lead there.
     */
    @Test
    void callerEvictedDuringACall_isReturnedToAllTheSame() throws Exception {
        try (SmallGuest guest = new SmallGuest(new TranslatorHypervisor(SMALL), 2);
                ExecutorService threads = Executors.newFixedThreadPool(2)) {
            guest.tables().mapIdentity(CODE, 0x200000, PageTables.PRESENT | PageTables.WRITABLE);
            guest.load(chain());
            GuestCode code = GuestCode.at(CALLER).label("next");
            code.call("filler").call("slow").hex("ffcb").jcc(5, "next").end(); // dec ebx
            code.label("slow").mov32(1, 1_000_000).label("l").hex("ffc9").jcc(5, "l").hex("c3");
            // Enough to have the slow function in another part of the cache than its caller
            code.label("filler");
            for (int n = 0; n < FILLER; n++) {
                code.hex("ffc0 eb00");
            }
            guest.load(code.hex("c3"));
            VcpuState state = guest.kernelState(CALLER);
            state.gpr[0] = 0;
            state.gpr[3] = SLOW_CALLS;
            state.gpr[4] = STACKS + 0x1000L;
            guest.vcpu(1).setState(state);
            Future<SmallGuest.Ending> evicting = threads.submit(() -> run(guest, 0));
            Future<SmallGuest.Ending> calling = threads.submit(() -> guest.resume(1));
            assertThat(evicting.get().state().gpr[0]).isEqualTo(ROUNDS * INCREMENTS);
            assertThat(calling.get().state().gpr[0]).isEqualTo(FILLER * SLOW_CALLS);
            assertEvicted(guest);
        }
    }

    private static void assertEvicted(SmallGuest guest) {
        Map<String, Long> counters = guest.vm().statistics().counters();
        assertThat(counters.get("translator.evictions")).isGreaterThan(16);
        assertThat(counters.get("translator.code-bytes")).isLessThanOrEqualTo(1 << 20);
        assertThat(counters.get("translator.evicted-blocks"))
                .isLessThanOrEqualTo(counters.get("translator.blocks"));
        assertThat(counters.get("translator.evicted-bytes")).isGreaterThan(1 << 20);
    }

    private static long base(int processor) {
        return CODE + (long) processor * FUNCTIONS * STRIDE;
    }

    /** Number k turns and changes EAX; if k is odd, so does number k / 2 afterwards. */
    private static GuestCode functions(long base) {
        GuestCode code = GuestCode.at(base);
        for (int k = 0; k < FUNCTIONS; k++) {
            long start = base + (long) k * STRIDE;
            code.hex("c1c005 35").raw32(k * MIX); // rol eax, 5; xor eax, k * MIX
            if (k % 2 == 1) {
                long target = base + (long) (k / 2) * STRIDE;
                code.hex("e8").raw32(target - (code.here() + 4));
            }
            code.hex("c3").padTo(start + STRIDE);
        }
        return code;
    }

    /**
     * Calls as many functions as RCX says, of those at RDI, by random numbers from EBX.
     *
     * @param writing whether a function is given that number to change EAX by before it is called
     */
    private static GuestCode caller(boolean writing) {
        GuestCode code = GuestCode.at(CALLER).label("next");
        code.hex("69db").raw32(FACTOR).hex("81c3").raw32(SUMMAND);
        code.hex("89de c1ee10 81e6").raw32(FUNCTIONS - 1); // (ebx >> 16) % FUNCTIONS
        code.hex("6bf6").raw(STRIDE).hex("01fe"); // imul esi, esi, STRIDE; add esi, edi
        if (writing) {
            code.hex("895e04"); // mov [rsi + 4], ebx
        }
        return code.hex("ffd6 ffc9").jcc(5, "next").end(); // call rsi; dec ecx
    }

    private static int seed(int processor) {
        return 4711 + processor;
    }

    private static long expected(int seed, boolean writing) {
        int[] constants = new int[FUNCTIONS];
        Arrays.setAll(constants, k -> k * MIX);
        int random = seed;
        int value = 0;
        for (int n = 0; n < CALLS; n++) {
            random = random * FACTOR + SUMMAND;
            int k = (random >>> 16) % FUNCTIONS;
            if (writing) {
                constants[k] = random;
            }
            value = Integer.rotateLeft(value, 5) ^ constants[k];
            while (k % 2 == 1) {
                k /= 2;
                value = Integer.rotateLeft(value, 5) ^ constants[k];
            }
        }
        return value & 0xffffffffL;
    }

    private static SmallGuest.Ending callAtRandom(SmallGuest guest, int processor) {
        VcpuState state = guest.kernelState(CALLER);
        state.gpr[0] = 0;
        state.gpr[1] = CALLS;
        state.gpr[3] = seed(processor);
        state.gpr[4] = STACKS + 0x1000L * (processor + 1);
        state.gpr[7] = base(processor);
        guest.vcpu(processor).setState(state);
        return guest.resume(processor);
    }

    /** Goes through as many increments of EAX, ECX times. */
    private static GuestCode chain() {
        GuestCode code = GuestCode.at(CODE);
        for (int n = 0; n < INCREMENTS; n++) {
            code.hex("ffc0 eb00");
        }
        // dec ecx; jz over the jump back
        return code.hex("ffc9 7405 e9").raw32(-(4L * INCREMENTS + 9)).end();
    }

    private static SmallGuest.Ending run(SmallGuest guest, int processor) {
        VcpuState state = guest.kernelState(CODE);
        state.gpr[0] = 0;
        state.gpr[1] = ROUNDS;
        guest.vcpu(processor).setState(state);
        return guest.resume(processor);
    }
}
