package org.javisor.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.javisor.hypervisor.Hypervisor;
import org.junit.jupiter.api.Test;

/**
 * Compares an engine with the host's processor by random programs; an engine's tests extend it.
 * {@code -Djavisor.oracle.programs=} sets how many, {@code -Djavisor.oracle.seed=} the seed.
 */
public abstract class ProgramContract {
    private static final int PROGRAMS = Integer.getInteger("javisor.oracle.programs", 1000);
    private static final long SEED = Long.getLong("javisor.oracle.seed", 20260101);
    private static final int LISTED = 20;

    protected abstract Hypervisor hypervisor();

    @Test
    public void randomPrograms_agreeWithTheHost() {
        StringBuilder failures = new StringBuilder();
        int mismatches = 0;
        Random seeds = new Random(SEED);
        Optional<Oracle> opened = Oracle.open(hypervisor());
        assumeTrue(opened.isPresent(), "needs Linux on an x86-64 host");
        try (Oracle oracle = opened.orElseThrow()) {
            RandomProgram programs = new RandomProgram(oracle.dataAddress());
            for (int n = 0; n < PROGRAMS; n++) {
                long seed = seeds.nextLong();
                List<Integer> cuts = new ArrayList<>();
                long address = oracle.codeAddress() + Oracle.programOffset(seed);
                byte[] code = programs.make(new Random(seed), address, cuts);
                String difference = oracle.compareProgram(code, seed);
                if (!difference.isEmpty() && ++mismatches <= LISTED) {
                    failures.append(shortest(oracle, code, seed, cuts)).append('\n');
                }
            }
            System.out.printf(
                    "Oracle, programs: %d, %d mismatches, seed %d%n", PROGRAMS, mismatches, SEED);
        }
        assertThat(failures.toString()).isEmpty();
    }

    /** The shortest beginning of a program that differs. */
    private static String shortest(Oracle oracle, byte[] code, long seed, List<Integer> cuts) {
        int from = 0;
        for (int cut : cuts) {
            byte[] beginning = Arrays.copyOf(code, cut);
            String difference = oracle.compareProgram(beginning, seed);
            if (!difference.isEmpty()) {
                HexFormat hex = HexFormat.of();
                return "program "
                        + hex.formatHex(beginning)
                        + " "
                        + seed
                        + "\n    last "
                        + hex.formatHex(beginning, from, cut)
                        + ":"
                        + difference
                        + "\n    "
                        + oracle.describe(beginning, seed);
            }
            from = cut;
        }
        return "program "
                + HexFormat.of().formatHex(code)
                + " "
                + seed
                + " differs only as a whole";
    }
}
