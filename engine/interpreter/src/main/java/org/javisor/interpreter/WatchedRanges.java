package org.javisor.interpreter;

import java.util.Arrays;

/** Ranges of linear addresses whose accesses a processor wants to be told of. */
final class WatchedRanges {
    private static final long PAGE = -4096;

    /** First and last byte of each. */
    private long[] bounds = {};

    /**
     * @param newBounds first and last byte of each
     * @return whether they are other ones than before
     */
    boolean replace(long[] newBounds) {
        if (Arrays.equals(newBounds, bounds)) {
            return false;
        }
        bounds = newBounds;
        return true;
    }

    /** Whether the page of an address has watched bytes. */
    boolean touchPageOf(long linear) {
        long page = linear & PAGE;
        for (int n = 0; n < bounds.length; n += 2) {
            long first = bounds[n] & PAGE;
            if (Long.compareUnsigned(page - first, bounds[n + 1] - first) <= 0) {
                return true;
            }
        }
        return false;
    }
}
