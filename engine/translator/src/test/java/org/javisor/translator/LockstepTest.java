package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.HexFormat;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.javisor.testkit.GuestCode;
import org.javisor.testkit.SmallGuest;
import org.junit.jupiter.api.Test;

class LockstepTest {
    private static final TranslatorOptions VERIFY = TranslatorOptions.DEFAULT.withVerify(true);
    private static final long CODE = SmallGuest.CODE, DATA = SmallGuest.DATA;

    /** Replaces bytes of translated code by others, all of them or those of one block. */
    private static UnaryOperator<byte[]> replacing(String from, String to) {
        byte[] wanted = HexFormat.of().parseHex(from);
        byte[] given = HexFormat.of().parseHex(to);
        return code -> {
            byte[] spoilt = code.clone();
            for (int at = 0; at + wanted.length <= code.length; at++) {
                boolean found = true;
                for (int n = 0; n < wanted.length; n++) {
                    found &= code[at + n] == wanted[n];
                }
                if (found) {
                    System.arraycopy(given, 0, spoilt, at, given.length);
                }
            }
            return spoilt;
        };
    }

    private static LockstepDifference difference(UnaryOperator<byte[]> fault, GuestCode code) {
        try (SmallGuest guest =
                new SmallGuest(new TranslatorHypervisor(VERIFY, fault, BusyBlocks::new))) {
            return catchThrowableOfType(LockstepDifference.class, () -> guest.run(code));
        }
    }

    @Test
    void wrongResult_isReportedWithBothStatesAndTheCodeOfBothSides() {
        GuestCode code = GuestCode.at(CODE).mov32(0, 7).hex("90 83c005").end();
        LockstepDifference found = difference(replacing("83c005", "83c006"), code);
        assertThat(found).hasMessage("rax");
        assertThat(found.report())
                .containsPattern("rax +[0-9a-f]{16}  000000000000000d  000000000000000c  <--")
                .contains("add eax,0x5")
                .contains("add eax,0x6")
                .contains("83c006");
    }

    @Test
    void wrongFlags_areReported() {
        // STC becomes CLC; JNC over a NOP looks at it.
        GuestCode code = GuestCode.at(CODE).hex("f9 7301 90").end();
        assertThat(difference(replacing("f9", "f8"), code)).isNotNull();
    }

    @Test
    void wrongStore_isReported() {
        GuestCode code = GuestCode.at(CODE).mov(7, DATA).hex("c70744332211").end();
        LockstepDifference found = difference(replacing("44332211", "44332212"), code);
        assertThat(found).hasMessage("Memory");
        assertThat(found.report()).contains("%08x".formatted(DATA)).contains("12223344");
    }

    /** The interpreter writes a page that translated code has left alone. */
    @Test
    void missingStore_isReported() {
        GuestCode code = GuestCode.at(CODE).mov(7, DATA).hex("c60755").end();
        // mov byte [r14], 55h becomes cmp byte [r14], 55h, to nobody's harm but the store's.
        LockstepDifference found = difference(replacing("41c60655", "41803e55"), code);
        assertThat(found).isNotNull();
    }

    @Test
    void wrongVectorResult_isReported() {
        // paddd xmm1, xmm2 becomes psubd.
        GuestCode code = GuestCode.at(CODE);
        code.mov32(0, 9).hex("660f6ed0 660f6ec8 660ffeca").end();
        assertThat(difference(replacing("660ffeca", "660ffaca"), code)).hasMessage("ymm1");
    }

    /** It is found in the middle of a long stretch, and told by its block alone. */
    @Test
    void faultDeepInALoop_isReportedByItsFirstBlock() {
        GuestCode code = GuestCode.at(CODE).mov32(1, 500).mov32(0, 0).label("l");
        code.hex("ffc0 3d2c010000").jcc(5, "on").jmp("rare").label("rare").hex("83c303");
        code.label("on").hex("ffc9").jcc(5, "l");
        LockstepDifference found = difference(replacing("83c303", "83c304"), code.end());
        assertThat(found).hasMessage("rbx");
        assertThat(found.report()).contains("add ebx,0x3").contains("add ebx,0x4");
        assertThat(found.report().lines().filter(l -> l.contains("inc eax")).count())
                .isLessThanOrEqualTo(1);
    }

    @Test
    void rightTranslations_agree_andTellHowMuchWasCompared() {
        try (SmallGuest guest = new SmallGuest(new TranslatorHypervisor(VERIFY))) {
            GuestCode code = GuestCode.at(CODE).mov32(1, 10_000).mov(7, DATA).label("l");
            code.hex("ff07 4889f8 0fafc1 894708 ffc9").jcc(5, "l");
            guest.run(code.end());
            assertThat(guest.memory().read32(DATA)).isEqualTo(10_000);
            assertThat(guest.vm().statistics().counters().get("verify.instructions"))
                    .isGreaterThan(60_000);
        }
    }

    @Test
    void stringInstructionInterruptedInTheMiddle_agrees() {
        try (SmallGuest guest = new SmallGuest(new TranslatorHypervisor(VERIFY))) {
            // More pages than a stretch keeps copies of.
            GuestCode code = GuestCode.at(CODE).mov(7, 0x200000).mov(1, 0x300000).mov(0, 0x5a);
            guest.tables().mapIdentity(0x200000, 0x400000, 3);
            guest.run(code.hex("f3aa").end());
            assertThat(guest.memory().read8(0x4fffff)).isEqualTo(0x5a);
        }
    }

    @Test
    void timeReadInTheMiddleOfAStretch_isTheSameForBoth() {
        try (SmallGuest guest = new SmallGuest(new TranslatorHypervisor(VERIFY))) {
            GuestCode code = GuestCode.at(CODE).mov32(1, 1000).label("l");
            // rdtsc; add rbx, rax; mov [DATA], eax
            code.hex("0f31 4801c3").store(DATA, 0).hex("ffc9").jcc(5, "l");
            guest.run(code.end());
            assertThat(guest.vm().statistics().counters())
                    .doesNotContainKey("interpreted.rdtsc")
                    .containsEntry("verify.disturbed", 0L)
                    .hasEntrySatisfying(
                            "translator.exits.timestamp", n -> assertThat(n).isEqualTo(1000));
        }
    }

    @Test
    void processorThatSpins_asksTheSchedulerNowAndThen_andLosesNothing() {
        try (SmallGuest guest = new SmallGuest(new TranslatorHypervisor(VERIFY))) {
            GuestCode code = GuestCode.at(CODE).mov32(1, 1000).mov32(0, 0).label("l");
            // The carry of the addition outlives PAUSE, between accesses to memory.
            code.mov32(2, -1).hex("83c201").store(DATA, 0).hex("f390 83d000").store(DATA, 0);
            guest.run(code.hex("ffc9").jcc(5, "l").end());
            assertThat(guest.memory().read32(DATA)).isEqualTo(1000);
            assertThat(guest.vm().statistics().counters())
                    .containsEntry(
                            "translator.exits.spinning", 1000L / ProcessorBlock.PAUSES_IN_A_ROW);
        }
    }

    /** As the timer of a local APIC does. */
    @Test
    void timeReadByAnotherThread_isNotTakenFromWhatTheGuestHasRead() throws Exception {
        try (SmallGuest guest = new SmallGuest(new TranslatorHypervisor(VERIFY));
                ExecutorService threads = Executors.newSingleThreadExecutor()) {
            AtomicBoolean over = new AtomicBoolean();
            Future<Long> reader =
                    threads.submit(
                            () -> {
                                long read = 0;
                                while (!over.get()) {
                                    read = Math.max(read, guest.vcpu().tsc());
                                }
                                return read;
                            });
            GuestCode code = GuestCode.at(CODE).mov32(1, 20_000).label("l");
            guest.run(code.hex("0f31 4801c3 ffc9").jcc(5, "l").end());
            over.set(true);
            assertThat(reader.get()).isNotNegative();
        }
    }

    @Test
    void wrongUseOfTheTime_isReported() {
        GuestCode code = GuestCode.at(CODE).mov32(3, 0).hex("0f31 83c305").end();
        assertThat(difference(replacing("83c305", "83c306"), code)).hasMessage("rbx");
    }

    @Test
    void secondProcessor_isRefused() {
        UnsupportedOperationException refusal =
                catchThrowableOfType(
                        UnsupportedOperationException.class,
                        () -> new SmallGuest(new TranslatorHypervisor(VERIFY), 2));
        assertThat(refusal).hasMessageContaining("one processor");
    }
}
