package org.javisor.cli;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.javisor.network.PortForward;

/**
 * Watches a guest for what {@code --wait} asks for, and says when it has come. Thread-safe; its
 * ears are the console's.
 */
final class Readiness {
    private static final int MAX_LINE = 4096;
    private static final int CONNECT_MILLIS = 2000;
    private static final int GREETING_MILLIS = 10_000;
    private static final Duration PAUSE = Duration.ofMillis(250);

    private final WaitFor wanted;
    private final CountDownLatch come = new CountDownLatch(1);
    private final StringBuilder line = new StringBuilder();
    private String last = "";
    private volatile boolean down;

    Readiness(WaitFor wanted) {
        this.wanted = wanted;
    }

    /**
     * The guest will say when it is up. Until then nobody in it can have accepted a connection that
     * keeps silent.
     */
    void expectBooted() {
        down = true;
    }

    /** The guest says that it is up. */
    void booted() {
        down = false;
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
            } else if (line.length() < MAX_LINE) {
                line.append(c);
            }
        }
        // A prompt has no end of line.
        look();
    }

    private void look() {
        if (wanted instanceof WaitFor.Log log && log.pattern().matcher(text()).find()) {
            come.countDown();
        }
    }

    private String text() {
        byte[] bytes = line.toString().getBytes(StandardCharsets.ISO_8859_1);
        return new String(bytes, StandardCharsets.UTF_8).stripTrailing();
    }

    private void keep() {
        String shown = text().replaceAll("\u001b\\[[0-9;?!]*[A-Za-z]", "").strip();
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
     * @param forward where the guest's port is reached, if one is waited for
     * @return whether it came in time
     */
    boolean await(Optional<PortForward> forward, Duration time) throws InterruptedException {
        long end = System.nanoTime() + time.toNanos();
        if (forward.isEmpty()) {
            return come.await(time.toNanos(), TimeUnit.NANOSECONDS);
        }
        while (!answers(forward.get())) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            TimeUnit.NANOSECONDS.sleep(PAUSE.toNanos());
        }
        return true;
    }

    /**
     * A user-mode network accepts before the guest does, so a port that is closed at once is not
     * up.
     */
    private boolean answers(PortForward forward) {
        try (Socket socket = new Socket()) {
            socket.connect(
                    new InetSocketAddress(forward.bind(), forward.hostPort()), CONNECT_MILLIS);
            boolean ssh = wanted instanceof WaitFor.Ssh;
            socket.setSoTimeout(ssh ? GREETING_MILLIS : CONNECT_MILLIS);
            int first = socket.getInputStream().read();
            return ssh ? first == 'S' : first >= 0;
        } catch (java.net.SocketTimeoutException e) {
            // Connected, and the other side keeps silent: most servers wait for their clients, but
            // so does a network whose guest does not answer yet.
            return wanted instanceof WaitFor.Port && !down;
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
