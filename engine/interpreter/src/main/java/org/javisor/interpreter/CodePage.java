package org.javisor.interpreter;

import org.javisor.x86.CodeSize;

/** What is decoded of one guest-physical page in one code size. */
final class CodePage {
    final long gpa;
    final CodeSize size;

    /** By the offset of the first instruction; filled as blocks are reached, by any processor. */
    final Block[] blocks = new Block[4096];

    /**
     * Cleared when the page is written. A plain field: the writer itself sees it at once, others
     * after the synchronisation that the architecture asks of them anyway (Intel SDM vol. 3A,
     * 9.1.3).
     */
    boolean valid = true;

    /**
     * What other processors were storing to the page when their right to do so unnoticed was taken
     * away has arrived: only then does decoding read bytes that cannot change unnoticed.
     */
    volatile boolean settled;

    CodePage(long gpa, CodeSize size) {
        this.gpa = gpa;
        this.size = size;
    }
}
