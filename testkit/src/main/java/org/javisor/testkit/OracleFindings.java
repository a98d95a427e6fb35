package org.javisor.testkit;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.HexFormat;
import java.util.Optional;
import java.util.TreeMap;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.Oracle.Mismatch;

/** Mismatches by what they are of, the first of each in full and in a file of its own. */
final class OracleFindings {
    private static final int LISTED = 60;
    private static final Path FOLDER = Path.of("target", "oracle");

    private final String origin;
    private final TreeMap<String, Integer> counts = new TreeMap<>();
    private final StringBuilder examples = new StringBuilder();
    private int count;

    /**
     * @param test whose findings they are
     */
    OracleFindings(Class<?> test) {
        origin = test.getSimpleName();
    }

    /** The oracle; where the host's processor cannot be asked, the test ends here. */
    static Oracle open(Hypervisor hypervisor) {
        Optional<Oracle> oracle = Oracle.open(hypervisor);
        assumeTrue(oracle.isPresent(), "needs Linux on an x86-64 host");
        return oracle.orElseThrow();
    }

    int count() {
        return count;
    }

    void add(String what, Mismatch mismatch) {
        count++;
        if (counts.merge(what, 1, Integer::sum) == 1 && counts.size() <= LISTED) {
            OracleCase c = mismatch.shownBy();
            String title = origin + " " + what;
            Path file = OracleCaseFile.write(FOLDER, title, title + mismatch.difference(), c);
            examples.append(
                    "%s:%s%n    %s, %d times from the file %s%n"
                            .formatted(
                                    what,
                                    mismatch.difference(),
                                    HexFormat.of().formatHex(c.code()),
                                    c.states().size(),
                                    file));
        }
    }

    /** Empty if there were none. */
    String report() {
        return counts.isEmpty() ? "" : examples + counts.toString();
    }
}
