package org.javisor.translator;

/** Why translated code came back. */
final class ExitReason {
    /** A data access whose page is not in the TLB, or that the inline code cannot do. */
    static final int MEMORY = 0;

    /** An instruction for the interpreter. */
    static final int INTERPRET = 1;

    /** A jump within the page that is not linked yet; the site is the number of its link. */
    static final int LINK = 2;

    /** A jump whose target, in {@link ProcessorBlock#LINEAR}, is not in the jump table. */
    static final int INDIRECT = 3;

    /** Somebody wants attention; RIP is in {@link ProcessorBlock#LINEAR}. */
    static final int EVENT = 4;

    /**
     * A jump to another page that is not linked yet, or whose page is not in the code TLB; its
     * target is in {@link ProcessorBlock#LINEAR}, the site is the number of its link.
     */
    static final int FAR_LINK = 5;

    /** The x87 registers are needed; the site's instruction comes next. */
    static final int X87 = 6;

    /** RDTSC or RDTSCP; what follows it stands at the site's place to retry. */
    static final int TIMESTAMP = 7;

    /** A processor that has spun for long; its PAUSE comes next. */
    static final int SPINNING = 8;

    static final int COUNT = 9;

    private ExitReason() {}

    /** Whether {@link ProcessorBlock#LINEAR} then holds an address. */
    static boolean hasAddress(int reason) {
        return reason == MEMORY || reason == INDIRECT || reason == EVENT || reason == FAR_LINK;
    }

    /** Whether translated code is often entered again where it was left. */
    static boolean comesBack(int reason) {
        return reason == MEMORY || reason == X87 || reason == TIMESTAMP || reason == SPINNING;
    }
}
