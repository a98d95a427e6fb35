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
        INTEGER("integer"),
        FLOATING_POINT("floating point"),
        MEMORY("memory"),
        KERNEL("kernel");

        private final String label;

        Group(String label) {
            this.label = label;
        }

        String label() {
            return label;
        }
    }

    private static final List<GuestProgram> ALL =
            List.of(
                    new GuestProgram("crc", "crc.c", Group.INTEGER),
                    new GuestProgram("sieve", "sieve.c", Group.INTEGER),
                    new GuestProgram("quicksort", "quicksort.c", Group.INTEGER),
                    new GuestProgram("tree", "tree.c", Group.INTEGER),
                    new GuestProgram("mix", "mix.c", Group.INTEGER),
                    new GuestProgram("lz", "lz.c", Group.INTEGER),
                    new GuestProgram("vm", "vm.c", Group.INTEGER),
                    new GuestProgram("sha256", "sha256.c", Group.INTEGER),
                    new GuestProgram("nbody", "nbody.c", Group.FLOATING_POINT),
                    new GuestProgram("matrix", "matrix.c", Group.FLOATING_POINT),
                    new GuestProgram("longdouble", "longdouble.c", Group.FLOATING_POINT),
                    new GuestProgram("strings", "strings.c", Group.MEMORY),
                    new GuestProgram("chase", "chase.c", Group.MEMORY),
                    new GuestProgram("syscall", "syscalls.c", Group.KERNEL),
                    new GuestProgram("signal", "signals.c", Group.KERNEL),
                    new GuestProgram("pingpong", "pingpong.c", Group.KERNEL),
                    new GuestProgram("fork", "forks.c", Group.KERNEL),
                    new GuestProgram("exec", "execs.c", Group.KERNEL),
                    new GuestProgram("touch", "touch.c", Group.KERNEL),
                    new GuestProgram("mmap", "maps.c", Group.KERNEL),
                    new GuestProgram("threads", "threads.c", Group.KERNEL));

    /** Every program, in the order of the table. */
    static List<GuestProgram> all() {
        return ALL;
    }

    static Optional<GuestProgram> named(String name) {
        return ALL.stream().filter(program -> program.name().equals(name)).findFirst();
    }
}
