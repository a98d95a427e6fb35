package org.javisor.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.x86.CodeSize;
import org.junit.jupiter.api.Test;

/**
 * Compares an engine with the host's processor; an engine's tests extend it. {@code
 * -Djavisor.oracle.cases=} sets how often each form runs, {@code -Djavisor.oracle.programs=} how
 * many random programs, {@code -Djavisor.oracle.seed=} the seed of the run, {@code
 * -Djavisor.oracle.form=} chooses forms by a part of their name.
 */
public abstract class OracleContract {
    private static final int CASES = Integer.getInteger("javisor.oracle.cases", 8);
    private static final long SEED = Long.getLong("javisor.oracle.seed", 20260101);
    private static final String FORM = System.getProperty("javisor.oracle.form", "");
    private static final int PROGRAMS = Integer.getInteger("javisor.oracle.programs", 1000);
    private static final int LISTED = 60;

    protected abstract Hypervisor hypervisor();

    private Oracle open() {
        Optional<Oracle> oracle = Oracle.open(hypervisor());
        assumeTrue(oracle.isPresent(), "needs Linux on an x86-64 host");
        return oracle.orElseThrow();
    }

    @Test
    public void everyForm_agreesWithTheHost_in64BitCode() {
        compareForms(CodeSize.BITS64);
    }

    @Test
    public void everyForm_agreesWithTheHost_in32BitCode() {
        compareForms(CodeSize.BITS32);
    }

    private void compareForms(CodeSize size) {
        List<InstructionForm> forms =
                ComparableForms.all(size).stream()
                        .filter(form -> form.toString().contains(FORM))
                        .toList();
        Tally tally = new Tally();
        try (Oracle oracle = open()) {
            for (InstructionForm form : forms) {
                Random random = new Random(SEED ^ form.toString().hashCode());
                for (int n = 0; n < CASES; n++) {
                    byte[] code = form.encode(random);
                    long seed = random.nextLong();
                    String difference = oracle.compare(code, seed, size == CodeSize.BITS32);
                    if (!difference.isEmpty()) {
                        tally.add(form, difference + "\n    " + oracle.describe(code, seed));
                    }
                }
            }
            System.out.printf(
                    "Oracle, %s: %d forms, %d comparisons, %d mismatches, seed %d%n",
                    size, forms.size(), oracle.compared(), tally.mismatches, SEED);
        }
        assertThat(tally.report()).isEmpty();
    }

    @Test
    public void randomPrograms_agreeWithTheHost() {
        StringBuilder failures = new StringBuilder();
        int mismatches = 0;
        Random seeds = new Random(SEED);
        try (Oracle oracle = open()) {
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

    @Test
    public void casesThatOnceDiffered_agree() throws IOException {
        try (Oracle oracle = open()) {
            StringBuilder failures = new StringBuilder();
            regressions()
                    .lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .forEach(
                            line -> {
                                String[] words = line.trim().split(" +");
                                byte[] code = HexFormat.of().parseHex(words[1]);
                                long seed = Long.parseLong(words[2]);
                                String difference =
                                        words[0].equals("program")
                                                ? oracle.compareProgram(code, seed)
                                                : oracle.compare(code, seed, words[0].equals("32"));
                                if (!difference.isEmpty()) {
                                    failures.append(line).append(difference).append('\n');
                                }
                            });
            assertThat(failures.toString()).isEmpty();
        }
    }

    private static String regressions() throws IOException {
        try (InputStream in = OracleContract.class.getResourceAsStream("oracle-regressions.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    /** Mismatches by form, the first of each in full. */
    private static final class Tally {
        private final TreeMap<String, Integer> counts = new TreeMap<>();
        private final StringBuilder examples = new StringBuilder();
        private int mismatches;

        void add(InstructionForm form, String difference) {
            mismatches++;
            int count = counts.merge(form.toString(), 1, Integer::sum);
            if (count == 1 && counts.size() <= LISTED) {
                examples.append(form).append(':').append(difference).append('\n');
            }
        }

        String report() {
            return counts.isEmpty() ? "" : examples + counts.toString();
        }
    }
}
