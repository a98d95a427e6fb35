package org.javisor.cli;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.javisor.network.PortForward;

/**
 * Watches a guest for what {@code --wait} asks for, and says when it has come. Thread-safe; its
 * ears are the console's.
 */
final class Readiness {
    private static final int MAX_LINE = 4096;
    private static final Pattern COLOURS = Pattern.compile("\u001b\\[[0-9;?!]*[A-Za-z]");
    private static final int CONNECT_MILLIS = 2000;
    private static final int GREETING_MILLIS = 10_000;
    private static final Duration PAUSE = Duration.ofMillis(250);

    private final WaitFor wanted;
    private final CountDownLatch come = new CountDownLatch(1);
    private final StringBuilder line = new StringBuilder();
    private String last = "nothing";

    /** The line that is being shown cannot be compared. */
    private boolean tooHard;

    /** How the guest's ports are reached. */
    interface Ways {
        /** Whether something in the guest accepts connections there; takes a moment to say. */
        boolean listens(int guestPort) throws InterruptedException;

        /** Where the host reaches it. */
        Optional<PortForward> forward(int guestPort);
    }

    Readiness(WaitFor wanted) {
        this.wanted = wanted;
    }

    /** The guest says that it is up. */
    void booted() {
        if (wanted instanceof WaitFor.Boot) {
            come.countDown();
        }
    }

    /** The guest's console shows more. */
    synchronized void console(byte[] data, int offset, int length) {
        for (int i = offset; i < offset + length; i++) {
            char c = (char) (data[i] & 0xff);
            if (c == '\n') {
                look();
                keep();
                line.setLength(0);
                tooHard = false;
            } else if (line.length() < MAX_LINE) {
                line.append(c);
            }
        }
        // A prompt has no end of line.
        look();
    }

    private void look() {
        if (wanted instanceof WaitFor.Log log && !tooHard && shows(log.pattern())) {
            come.countDown();
        }
    }

    /**
     * An expression can take longer than the world lasts, or be too deep for the stack; the line is
     * then one that does not match.
     */
    private boolean shows(Pattern pattern) {
        try {
            return pattern.matcher(new Patience(text())).find();
        } catch (StackOverflowError | Patience.AtAnEnd e) {
            tooHard = true;
            return false;
        }
    }

    /** A text that can be looked at only so often. */
    private static final class Patience implements CharSequence {
        private static final int LOOKS = 5_000_000;

        private final String text;
        private int left = LOOKS;

        Patience(String text) {
            this.text = text;
        }

        private static final class AtAnEnd extends RuntimeException {
            private static final long serialVersionUID = 1;
        }

        @Override
        public char charAt(int index) {
            if (--left < 0) {
                throw new AtAnEnd();
            }
            return text.charAt(index);
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public CharSequence subSequence(int start, int end) {
            return text.subSequence(start, end);
        }

        @Override
        public String toString() {
            return text;
        }
    }

    /** The line as a terminal shows it: without colours. */
    private String text() {
        byte[] bytes = line.toString().getBytes(StandardCharsets.ISO_8859_1);
        String text = new String(bytes, StandardCharsets.UTF_8);
        return COLOURS.matcher(text).replaceAll("").stripTrailing();
    }

    private void keep() {
        String shown = text().strip();
        if (!shown.isEmpty()) {
            last = shown;
        }
    }

    /** The last line that the console showed. */
    synchronized String lastLine() {
        keep();
        return last;
    }

    /**
     * Waits until it has come.
     *
     * @return whether it came in time
     */
    boolean await(Ways ways, Duration time) throws InterruptedException {
        return switch (wanted) {
            case WaitFor.Boot boot -> come.await(time.toNanos(), TimeUnit.NANOSECONDS);
            case WaitFor.Log log -> come.await(time.toNanos(), TimeUnit.NANOSECONDS);
            case WaitFor.Port port -> repeat(() -> ways.listens(port.number()), time);
            case WaitFor.Ssh ssh ->
                    repeat(
                            () -> ways.forward(WaitFor.Ssh.PORT).filter(this::greets).isPresent(),
                            time);
        };
    }

    private interface Question {
        boolean yes() throws InterruptedException;
    }

    private boolean repeat(Question question, Duration time) throws InterruptedException {
        long end = System.nanoTime() + time.toNanos();
        while (!question.yes()) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            TimeUnit.NANOSECONDS.sleep(PAUSE.toNanos());
        }
        come.countDown();
        return true;
    }

    /** Whether it has come. */
    boolean hasCome() {
        return come.getCount() == 0;
    }

    /** A user-mode network accepts before the guest does, so only the greeting counts. */
    private boolean greets(PortForward forward) {
        try (Socket socket = new Socket()) {
            socket.connect(
                    new InetSocketAddress(forward.bind(), forward.hostPort()), CONNECT_MILLIS);
            socket.setSoTimeout(GREETING_MILLIS);
            return socket.getInputStream().read() == 'S';
        } catch (IOException e) {
            return false;
        }
    }

    /** The port of the guest that is waited for. */
    static Optional<Integer> guestPort(WaitFor wanted) {
        return switch (wanted) {
            case WaitFor.Ssh ssh -> Optional.of(WaitFor.Ssh.PORT);
            case WaitFor.Port port -> Optional.of(port.number());
            case WaitFor.Boot boot -> Optional.empty();
            case WaitFor.Log log -> Optional.empty();
        };
    }
}
