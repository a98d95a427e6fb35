package org.javisor.translator;

import java.util.Locale;
import java.util.Map;
import org.javisor.x86.Op;

/** How often translated code was left and why, and what the interpreter did. */
final class ExitCounts {
    private final long[] exits = new long[ExitReason.COUNT];

    /** Instructions that were the interpreter's, by operation. */
    private final long[] interpreted = new long[Op.values().length];

    private long interpretedAccesses;
    private long interpretedStraddling;
    private long interpretedDownwards;

    /**
     * @param reason an {@link ExitReason}
     */
    void exit(int reason) {
        exits[reason]++;
    }

    void interpreted(Op op) {
        interpreted[op.ordinal()]++;
    }

    /** An instruction interpreted because of its memory operand. */
    void interpretedAccess() {
        interpretedAccesses++;
    }

    /** An instruction that lies on two pages. */
    void interpretedStraddling() {
        interpretedStraddling++;
    }

    /** An instruction while DF is set. */
    void interpretedDownwards() {
        interpretedDownwards++;
    }

    void count(Map<String, Long> counters) {
        counters.merge("translator.exits.memory", exits[ExitReason.MEMORY], Long::sum);
        counters.merge("translator.exits.interpret", exits[ExitReason.INTERPRET], Long::sum);
        counters.merge("translator.exits.link", exits[ExitReason.LINK], Long::sum);
        counters.merge("translator.exits.far-link", exits[ExitReason.FAR_LINK], Long::sum);
        counters.merge("translator.exits.indirect", exits[ExitReason.INDIRECT], Long::sum);
        counters.merge("translator.exits.x87", exits[ExitReason.X87], Long::sum);
        counters.merge("translator.exits.timestamp", exits[ExitReason.TIMESTAMP], Long::sum);
        counters.merge("translator.exits.spinning", exits[ExitReason.SPINNING], Long::sum);
        counters.merge("translator.exits.event", exits[ExitReason.EVENT], Long::sum);
        counters.merge("interpreted.access", interpretedAccesses, Long::sum);
        counters.merge("interpreted.straddling", interpretedStraddling, Long::sum);
        counters.merge("interpreted.downwards", interpretedDownwards, Long::sum);
        for (Op op : Op.values()) {
            if (interpreted[op.ordinal()] != 0) {
                counters.merge(
                        "interpreted." + op.name().toLowerCase(Locale.ROOT),
                        interpreted[op.ordinal()],
                        Long::sum);
            }
        }
    }
}
