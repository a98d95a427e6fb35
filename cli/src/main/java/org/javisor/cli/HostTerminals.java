package org.javisor.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Whether the standard streams are terminals. */
final class HostTerminals {
    static final int STDIN = 0;
    static final int STDOUT = 1;
    static final int STDERR = 2;

    private HostTerminals() {}

    static boolean isTerminal(int descriptor) {
        try {
            String target =
                    Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
            return target.startsWith("/dev/pts/")
                    || target.startsWith("/dev/tty")
                    || target.equals("/dev/console");
        } catch (IOException | RuntimeException e) {
            // Not Linux; the JDK only tells about standard input and output together.
            return System.console() != null && System.console().isTerminal();
        }
    }
}
