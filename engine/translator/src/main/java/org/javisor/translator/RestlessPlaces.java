package org.javisor.translator;

/**
 * Judges the places in translated code that go from page to page, so that renewing their slots may
 * cost more than looking into the TLB each time. A place whose slot was renewed often is put on
 * trial: its block is translated anew and counts, until so many renewals later it is known how many
 * accesses there were for one.
 */
final class RestlessPlaces {
    /**
     * Accesses for a renewal that repay it: it and the branch that was foreseen wrongly take so
     * many times what a slot saves. See docs/adr/0017.
     */
    static final int REPAY = 256;

    /**
     * Renewals after which a place that has kept its slot is put on trial again; twice as many each
     * time it keeps it, as each trial translates its block twice.
     */
    static final int LONG_PATIENCE = 1 << 16;

    static final int MOST_DOUBLINGS = 16;

    /** How a place that has a slot is regarded. */
    enum Standing {
        UNTRIED,
        ON_TRIAL,
        ACQUITTED
    }

    /** What is to be done about a place. */
    enum Verdict {
        NOTHING,
        TRY,
        KEEP_SLOT,
        LOOK_UP
    }

    private final ProcessorBlock state;

    /** By slot: whether the patience that ends next is the long one. */
    private final boolean[] patient = new boolean[ProcessorBlock.SLOTS];

    RestlessPlaces(ProcessorBlock state) {
        this.state = state;
    }

    /**
     * To be asked when an access has left translated code.
     *
     * @param slot by its offset, or less than 0 if the access has none
     * @param acquittals how often the place has been tried and kept its slot
     */
    Verdict judge(int context, int slot, Standing standing, int acquittals) {
        if (slot < 0 || !state.patienceOver(context, slot)) {
            return Verdict.NOTHING;
        }
        long passes = state.takePasses(context, slot);
        boolean wasPatient = patient[slot >> 3];
        patient[slot >> 3] = false;
        return switch (standing) {
            case UNTRIED -> Verdict.TRY;
            case ON_TRIAL -> {
                if (passes < ProcessorBlock.PATIENCE) {
                    yield Verdict.NOTHING; // translated before the trial
                }
                yield passes < (long) REPAY * ProcessorBlock.PATIENCE
                        ? Verdict.LOOK_UP
                        : Verdict.KEEP_SLOT;
            }
            case ACQUITTED -> {
                if (wasPatient) {
                    yield Verdict.TRY;
                }
                patient[slot >> 3] = true;
                int doublings = Math.min(acquittals - 1, MOST_DOUBLINGS);
                state.setPatience(context, slot, (long) LONG_PATIENCE << doublings);
                yield Verdict.NOTHING;
            }
        };
    }
}
