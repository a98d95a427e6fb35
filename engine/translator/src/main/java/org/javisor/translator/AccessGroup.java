package org.javisor.translator;

/**
 * Accesses of one block through the same base register that one probe has let pass. What its first
 * access is about, should the probe fail although that alone would not.
 */
final class AccessGroup {
    /** Failures after which the block is translated anew, without the group. */
    static final int PATIENCE = 3;

    /** From the start of what the probe covers to the first access. */
    final int delta;

    /** Bytes of the first access. */
    final int size;

    /** Whether the first access is a write; the probe is for one if any is. */
    final boolean write;

    /** That the first access must have. */
    final int alignment;

    /** Times the probe failed for the company alone. */
    int failures;

    AccessGroup(int delta, int size, boolean write, int alignment) {
        this.delta = delta;
        this.size = size;
        this.write = write;
        this.alignment = alignment;
    }
}
