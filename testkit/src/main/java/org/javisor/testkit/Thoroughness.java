package org.javisor.testkit;

/**
 * How many random cases a test tries: as many as fit into a run of all tests, or with {@code
 * -Djavisor.long=true} as many as make a long run worth its time. A property of the test's own, if
 * it is set, goes before both.
 */
public final class Thoroughness {
    private static final boolean LONG = Boolean.getBoolean("javisor.long");

    private Thoroughness() {}

    /**
     * @param property names the test's own property
     */
    public static int cases(String property, int usual, int inLongRun) {
        return Integer.getInteger(property, LONG ? inLongRun : usual);
    }

    /** Whether the run may take its time. */
    public static boolean isLongRun() {
        return LONG;
    }
}
