package org.javisor.bench;

import java.util.List;
import java.util.Optional;

/**
 * A benchmark program, run natively and in guests.
 *
 * @param name as {@code main.c} has it and users choose it
 * @param source its file among the C sources
 * @param group which mean its ratios count in
 */
record GuestProgram(String name, String source, Group group) {
    /** What a program mostly does. */
    enum Group {
        INTEGER("integer", true),
        SIMD("floating point, SIMD", true),
        SYSTEM_CALLS("system calls", true),
        PROCESSES("processes, pages", true),
        /** Subjects of their own. */
        OTHER("other", false);

        private final String label;
        private final boolean averaged;

        Group(String label, boolean averaged) {
            this.label = label;
            this.averaged = averaged;
        }

        String label() {
            return label;
        }

        /** Whether a mean of its programs says anything. */
        boolean averaged() {
            return averaged;
        }
    }

    /** The same work by one thread and by two. */
    static final String ONE_THREAD = "work1", TWO_THREADS = "work2";

    /** Needs a library that may be missing. */
    static final String WITH_LIBCRYPTO = "aes";

    private static final List<GuestProgram> ALL =
            List.of(
                    new GuestProgram("crc", "crc.c", Group.INTEGER),
                    new GuestProgram("sieve", "sieve.c", Group.INTEGER),
                    new GuestProgram("quicksort", "quicksort.c", Group.INTEGER),
                    new GuestProgram("tree", "tree.c", Group.INTEGER),
                    new GuestProgram("mix", "mix.c", Group.INTEGER),
                    new GuestProgram("lz", "lz.c", Group.INTEGER),
                    new GuestProgram("vm", "vm.c", Group.INTEGER),
                    new GuestProgram("nbody", "nbody.c", Group.SIMD),
                    new GuestProgram("matrix", "matrix.c", Group.SIMD),
                    new GuestProgram("longdouble", "longdouble.c", Group.SIMD),
                    new GuestProgram("strings", "strings.c", Group.SIMD),
                    new GuestProgram("aes", "aes.c", Group.SIMD),
                    new GuestProgram("syscall", "syscalls.c", Group.SYSTEM_CALLS),
                    new GuestProgram("pingpong", "pingpong.c", Group.SYSTEM_CALLS),
                    new GuestProgram("fork", "forks.c", Group.PROCESSES),
                    new GuestProgram("exec", "execs.c", Group.PROCESSES),
                    new GuestProgram("touch", "touch.c", Group.PROCESSES),
                    new GuestProgram("mmap", "maps.c", Group.PROCESSES),
                    new GuestProgram("sha256", "sha256.c", Group.OTHER),
                    new GuestProgram("chase", "chase.c", Group.OTHER),
                    new GuestProgram("signal", "signals.c", Group.OTHER),
                    new GuestProgram("threads", "threads.c", Group.OTHER),
                    new GuestProgram("work1", "work.c", Group.OTHER),
                    new GuestProgram("work2", "work.c", Group.OTHER),
                    new GuestProgram("jit", "jit.c", Group.OTHER),
                    new GuestProgram("pressure", "pressure.c", Group.OTHER));

    /** Every program, in the order of the table. */
    static List<GuestProgram> all() {
        return ALL;
    }

    static Optional<GuestProgram> named(String name) {
        return ALL.stream().filter(program -> program.name().equals(name)).findFirst();
    }
}
