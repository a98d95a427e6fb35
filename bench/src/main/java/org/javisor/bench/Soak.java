package org.javisor.bench;

import java.io.PrintStream;
import java.time.Duration;

/** Mixed work in a guest for minutes or hours; what goes wrong shows in its output. */
final class Soak {
    /** One round of a kind, with all others at it too, on a slow engine and a busy host. */
    private static final Duration SILENCE = Duration.ofMinutes(10);

    private static final String FAILED = "FAILED";

    private final GuestProcess guest;
    private final PrintStream out;
    private boolean failed;

    /**
     * @param guest asks its host what to do
     */
    Soak(GuestProcess guest, PrintStream out) {
        this.guest = guest;
        this.out = out;
    }

    /** Has the work done, and prints what the guest says of each round. */
    void run(int minutes) throws SampleException, InterruptedException {
        guest.send("soak " + 60L * minutes);
        String line = guest.receive(SILENCE);
        while (!line.startsWith("end ")) {
            if (line.startsWith(FAILED)) {
                failed = true;
            }
            out.println(Text.printable(line));
            out.flush();
            line = guest.receive(SILENCE);
        }
        if (!line.equals("end 0")) {
            fail("with status " + Text.printable(line.substring("end ".length())));
        }
    }

    void fail(String how) {
        out.println(FAILED + " " + how);
        failed = true;
    }

    /** Returns the exit status: a failure if any round went wrong. */
    int conclude() {
        out.println(failed ? "The soak has found something" : "The soak ended clean");
        return failed ? BenchException.FAILURE : 0;
    }
}
