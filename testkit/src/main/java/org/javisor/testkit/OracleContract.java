package org.javisor.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.x86.CodeSize;
import org.junit.jupiter.api.Test;

/**
 * Compares an engine with the host's processor, instruction by instruction; an engine's tests
 * extend it. {@code -Djavisor.oracle.cases=} sets how often each form runs, {@code
 * -Djavisor.oracle.seed=} the seed of the run, {@code -Djavisor.oracle.form=} chooses forms by a
 * part of their name.
 */
public abstract class OracleContract {
    private static final int CASES = Integer.getInteger("javisor.oracle.cases", 8);
    private static final long SEED = Long.getLong("javisor.oracle.seed", 20260101);
    private static final String FORM = System.getProperty("javisor.oracle.form", "");
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
