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

    /** To be added: AVX instructions raise exceptions, so the interpreter carries them out. */
    static final int AVX_OFF = 3;

    /** To be added: SSE instructions may raise exceptions, too. */
    static final int UNITS_OFF = 6;

    static final int COUNT = 9;

    /** Those that differ in rights only come in a row. */
    static final int RIGHTS = 3;

    private Context() {}

    /** Which of the first three it is. */
    static int rights(int context) {
        return context % RIGHTS;
    }

    /** The context with other rights and the same units. */
    static int withRights(int context, int rights) {
        return context - rights(context) + rights;
    }

    static boolean user(int context) {
        return rights(context) == USER;
    }

    static boolean sseUsable(int context) {
        return context < UNITS_OFF;
    }

    static boolean avxUsable(int context) {
        return context < AVX_OFF;
    }
}
