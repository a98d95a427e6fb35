package org.javisor.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.Oracle.Mismatch;
import org.junit.jupiter.api.Test;

/**
 * Compares an engine with the host's processor by random programs; an engine's tests extend it as
 * they do {@link OracleContract}. Programs have branches, loops, calls, strings, memory operands
 * across pages, and end in a fault now and then. Each is run once, then from several states in a
 * row.
 *
 * <p>{@code -Djavisor.oracle.programs=} sets how many (of long and of self-modifying ones a
 * quarter), {@code -Djavisor.oracle.seed=} the seed. Of a program that differs, the shortest
 * beginning that does is described.
 */
public abstract class ProgramContract {
    private static final long SEED = Long.getLong("javisor.oracle.seed", 20260101);
    private static final int STATES = 12;

    /** The engine to be tested. */
    protected abstract Hypervisor hypervisor();

    /** How many programs are tried but in a long run. */
    protected int usualPrograms() {
        return 1000;
    }

    private int programs() {
        return Thoroughness.cases("javisor.oracle.programs", usualPrograms(), 4000);
    }

    @Test
    public void randomPrograms_agreeWithTheHost() {
        compare("programs", RandomProgram.Style.SHORT, programs());
    }

    @Test
    public void longPrograms_agreeWithTheHost() {
        compare("long programs", RandomProgram.Style.LONG, programs() / 4);
    }

    @Test
    public void selfModifyingPrograms_agreeWithTheHost() {
        compare("self-modifying programs", RandomProgram.Style.SELF_MODIFYING, programs() / 4);
    }

    private void compare(String what, RandomProgram.Style style, int count) {
        OracleFindings findings = new OracleFindings(getClass());
        Random seeds = new Random(SEED);
        try (Oracle oracle = OracleFindings.open(hypervisor())) {
            RandomProgram programs = new RandomProgram(oracle.dataAddress(), style);
            for (int n = 0; n < count; n++) {
                long seed = seeds.nextLong();
                List<Integer> cuts = new ArrayList<>();
                long address = oracle.codeAddress() + Oracle.programOffset(seed);
                byte[] code = programs.make(new Random(seed), address, cuts);
                Optional<Mismatch> mismatch = compare(oracle, code, seed);
                if (mismatch.isPresent()) {
                    String name = "%s %016x".formatted(what, seed);
                    addShortest(findings, name, oracle, code, seed, cuts, mismatch.get());
                }
            }
            System.out.printf(
                    "Oracle, %s: %d, %d comparisons, %d mismatches, seed %d%n",
                    what, count, oracle.compared(), findings.count(), SEED);
        }
        assertThat(findings.report()).isEmpty();
    }

    private static Optional<Mismatch> compare(Oracle oracle, byte[] code, long seed) {
        OracleCase c = oracle.program(code, seed, STATES);
        return oracle.compare(c.with(c.states().subList(0, 1))).or(() -> oracle.compareInARow(c));
    }

    /** Looks for the shortest beginning of a program that differs. */
    private static void addShortest(
            OracleFindings findings,
            String name,
            Oracle oracle,
            byte[] code,
            long seed,
            List<Integer> cuts,
            Mismatch whole) {
        int from = 0;
        for (int cut : cuts) {
            byte[] beginning = Arrays.copyOf(code, cut);
            Optional<Mismatch> mismatch = compare(oracle, beginning, seed);
            if (mismatch.isPresent()) {
                String last = HexFormat.of().formatHex(beginning, from, cut);
                Mismatch m = mismatch.get();
                String text = m.difference() + "\n    last statement " + last;
                findings.add(name, new Mismatch(text, m.shownBy()));
                return;
            }
            from = cut;
        }
        findings.add(name, new Mismatch(whole.difference() + " as a whole only", whole.shownBy()));
    }
}
