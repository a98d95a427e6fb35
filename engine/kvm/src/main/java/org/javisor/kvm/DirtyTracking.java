package org.javisor.kvm;

/** How the kernel tells which pages a guest has written. */
public enum DirtyTracking {
    /** A bit for each page of guest memory, read as a whole. */
    BITMAP,
    /**
     * A ring for each processor, where the host has that, else the bitmap: cheaper for machines
     * with much memory that is written seldom.
     */
    RING
}
