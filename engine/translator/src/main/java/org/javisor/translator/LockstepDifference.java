package org.javisor.translator;

/** Translated code and the interpreter came to different results. */
public final class LockstepDifference extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String report;

    /**
     * @param difference in a line
     * @param report of many lines: both states, what was executed
     */
    LockstepDifference(String difference, String report) {
        super(difference);
        this.report = report;
    }

    /** Both states, the guest's code and the host's. */
    public String report() {
        return report;
    }
}
