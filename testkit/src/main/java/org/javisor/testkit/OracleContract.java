package org.javisor.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.Oracle.Mismatch;
import org.javisor.x86.CodeSize;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Compares an engine with the host's processor, instruction by instruction; an engine's tests
 * extend it and say which engine:
 *
 * <pre>{@code
 * class TranslatorOracleTest extends OracleContract {
 *     @Override
 *     protected Hypervisor hypervisor() {
 *         return new TranslatorHypervisor();
 *     }
 * }
 * }</pre>
 *
 * <p>Each form that the decoder knows is executed from random states with its memory operand inside
 * pages, across them, and where it faults: once each by a run of its own, and many times in a row
 * by a loop within the guest, so that code is compared both cold and hot.
 *
 * <p>{@code -Djavisor.oracle.cases=} sets how often each form runs by itself, {@code
 * -Djavisor.oracle.repeats=} how often in a row (at most 64), {@code -Djavisor.oracle.seed=} the
 * seed of the run, {@code -Djavisor.oracle.form=} chooses forms by a part of their name. A long run
 * ({@link Thoroughness}) has more of everything. Differences are described in the failure, the
 * first of each form in full, and written to files that can be kept for ever: see {@link
 * OracleCaseFile}.
 */
public abstract class OracleContract {
    private static final int CASES = Thoroughness.cases("javisor.oracle.cases", 4, 16);
    private static final int REPEATS = Integer.getInteger("javisor.oracle.repeats", 24);
    private static final long SEED = Long.getLong("javisor.oracle.seed", 20260101);
    private static final String FORM = System.getProperty("javisor.oracle.form", "");

    /** The engine to be tested. */
    protected abstract Hypervisor hypervisor();

    /**
     * One form of so many is executed in a row, but in a long run all are; more for engines that
     * need long to begin with new code.
     */
    protected int formsForEachInARow() {
        return 3;
    }

    @ParameterizedTest
    @EnumSource(
            value = CodeSize.class,
            names = {"BITS32", "BITS64"})
    public void everyForm_agreesWithTheHost(CodeSize size) {
        compareForms("single", size, CASES, 1);
    }

    @ParameterizedTest
    @EnumSource(
            value = CodeSize.class,
            names = {"BITS32", "BITS64"})
    public void everyForm_agreesWithTheHost_whenExecutedInARow(CodeSize size) {
        compareForms("in a row", size, 1, REPEATS);
    }

    private void compareForms(String what, CodeSize size, int encodings, int states) {
        List<EncodableForm> forms =
                Stream.<EncodableForm>concat(
                                ComparableForms.all(size).stream(),
                                ComparableForms.vex(size).stream())
                        .filter(form -> form.toString().contains(FORM))
                        .toList();
        boolean all = states == 1 || Thoroughness.isLongRun() || !FORM.isEmpty();
        int stride = all ? 1 : formsForEachInARow();
        boolean as32 = size == CodeSize.BITS32;
        OracleFindings findings = new OracleFindings(getClass());
        try (Oracle oracle = OracleFindings.open(hypervisor())) {
            for (int at = Math.floorMod(SEED, stride); at < forms.size(); at += stride) {
                EncodableForm form = forms.get(at);
                Random random = new Random(SEED ^ form.toString().hashCode());
                for (int n = 0; n < encodings; n++) {
                    byte[] code = form.encode(random);
                    OracleCase c = oracle.instruction(code, random.nextLong(), states, as32);
                    Optional<Mismatch> mismatch =
                            states == 1 ? oracle.compare(c) : oracle.compareInARow(c);
                    mismatch.ifPresent(m -> findings.add(form.toString(), m));
                }
            }
            System.out.printf(
                    "Oracle, %s, %s: %d forms, %d comparisons, %d mismatches, seed %d%n",
                    size,
                    what,
                    Math.ceilDiv(forms.size(), stride),
                    oracle.compared(),
                    findings.count(),
                    SEED);
        }
        assertThat(findings.report()).isEmpty();
    }

    @Test
    public void casesThatOnceDiffered_agree() {
        OracleFindings findings = new OracleFindings(getClass());
        try (Oracle oracle = OracleFindings.open(hypervisor())) {
            Map<String, OracleCase> kept = OracleCaseFile.kept();
            assertThat(kept).isNotEmpty();
            kept.forEach(
                    (name, c) -> {
                        if (c.base() != oracle.baseAddress()) {
                            System.out.printf("%s not compared: the address is taken%n", name);
                            return;
                        }
                        oracle.compare(c.with(c.states().subList(0, 1)))
                                .or(() -> oracle.compareInARow(c))
                                .ifPresent(m -> findings.add(name, m));
                    });
        }
        assertThat(findings.report()).isEmpty();
    }
}
