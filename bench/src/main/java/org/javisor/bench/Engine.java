package org.javisor.bench;

import java.util.ArrayList;
import java.util.List;

/** Something that runs the programs. */
sealed interface Engine {
    String NATIVE = "native";
    String QEMU = "qemu";

    /** The name in the table and on the command line. */
    String label();

    /** The host itself: what all others are compared with. */
    record Native() implements Engine {
        @Override
        public String label() {
            return NATIVE;
        }
    }

    /** Something that runs a guest in a process of its own. */
    sealed interface OfGuests extends Engine {
        /** The host's command that starts a guest. */
        List<String> command(Boot boot);

        /**
         * The same where the start itself is to be measured, with the board that starts fastest.
         */
        default List<String> fastestStart(Boot boot) {
            return command(boot);
        }

        /** The same where what the engine says of itself at the end is wanted, and not the time. */
        default List<String> withStatistics(Boot boot) {
            return command(boot);
        }
    }

    /**
     * Javisor with one of its engines.
     *
     * @param launcher the javisor command
     * @param options further ones of its {@code run}
     */
    record Javisor(String label, String launcher, List<String> options) implements OfGuests {
        @Override
        public List<String> command(Boot boot) {
            List<String> command = new ArrayList<>(usual(boot));
            command.addAll(options);
            return command;
        }

        /** Not part of each command: to count instructions costs the translator much. */
        @Override
        public List<String> withStatistics(Boot boot) {
            List<String> command = command(boot);
            command.add("--stats");
            return command;
        }

        private List<String> usual(Boot boot) {
            return List.of(
                    launcher,
                    "run",
                    "--engine=" + label,
                    "--kernel=" + boot.kernel(),
                    "--initrd=" + boot.initrd(),
                    "--append=" + boot.commandLine(),
                    "--memory=" + boot.memory() + "M",
                    "--cpus=" + boot.cpus(),
                    "--no-reboot");
        }
    }

    /**
     * QEMU's own translator, with a board like Javisor's and nothing else on it. The processor is
     * an x86-64-v2 one with 4-level paging, as Javisor's is, so that kernel and C library take the
     * same paths; {@code max} would bring 5-level paging and AVX.
     */
    record Qemu() implements OfGuests {
        static final String COMMAND = "qemu-system-x86_64";
        private static final String PROCESSOR = "-accel tcg -cpu Nehalem";
        private static final String BOARD = "q35", SMALL_BOARD = "microvm";
        static final String GUESTS = PROCESSOR + " -machine " + BOARD;
        static final String DESCRIPTION = GUESTS + "; boots -machine " + SMALL_BOARD;

        @Override
        public String label() {
            return QEMU;
        }

        @Override
        public List<String> command(Boot boot) {
            return command(boot, BOARD);
        }

        @Override
        public List<String> fastestStart(Boot boot) {
            return command(boot, SMALL_BOARD);
        }

        private static List<String> command(Boot boot, String board) {
            List<String> command = new ArrayList<>(List.of(COMMAND));
            command.addAll(List.of(PROCESSOR.split(" ")));
            command.addAll(
                    List.of(
                            "-machine",
                            board,
                            "-nodefaults",
                            "-no-user-config",
                            "-no-reboot",
                            "-display",
                            "none",
                            "-m",
                            boot.memory() + "M",
                            "-smp",
                            String.valueOf(boot.cpus()),
                            "-kernel",
                            boot.kernel().toString(),
                            "-initrd",
                            boot.initrd().toString(),
                            "-append",
                            boot.commandLine() + knownTsc(),
                            "-chardev",
                            "stdio,id=com1,signal=off",
                            "-serial",
                            "chardev:com1",
                            // The kernel's console, so that a panic shows.
                            "-serial",
                            "file:/dev/stderr"));
            return command;
        }

        /**
         * QEMU's guests have the host's TSC. On a busy host Linux cannot find its frequency out,
         * and in microvm it then waits for ever for a timer's interrupt.
         */
        private static String knownTsc() {
            return HostDescription.tscKilohertz()
                    .map(frequency -> " tsc_early_khz=" + frequency)
                    .orElse("");
        }
    }
}
