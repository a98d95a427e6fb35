package org.javisor.translator;

/**
 * The circumstances that translated code depends on beside the bytes it was made of: who may access
 * which pages, and whether the vector units can be used without looking. Each has its own
 * translations and its own tables in the {@link ProcessorBlock}.
 */
final class Context {
    static final int SUPERVISOR = 0;

    /** Supervisor code that may touch user pages: CR4.SMAP is off or EFLAGS.AC set. */
    static final int SUPERVISOR_SMAP_OFF = 1;

    static final int USER = 2;

    /** To be added: SSE instructions may raise exceptions, so the interpreter carries them out. */
    static final int UNITS_OFF = 3;

    static final int COUNT = 6;

    private Context() {}

    static boolean user(int context) {
        return context % UNITS_OFF == USER;
    }

    static boolean unitsUsable(int context) {
        return context < UNITS_OFF;
    }
}
