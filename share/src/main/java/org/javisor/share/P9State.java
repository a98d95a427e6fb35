package org.javisor.share;

import java.util.List;

/**
 * A conversation's snapshot. Files are found again by their names; one whose name is gone is closed
 * after a restore. Locks are not kept.
 *
 * @param maximum the longest message agreed on
 */
public record P9State(int maximum, List<File> files) {
    /**
     * @param fid the client's number
     * @param path names from the root on, their bytes as characters
     * @param open whether the client has opened it
     * @param flags with which
     */
    public record File(int fid, List<String> path, boolean open, int flags) {}

    public P9State {
        files = List.copyOf(files);
    }
}
