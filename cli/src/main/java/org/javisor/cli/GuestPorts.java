package org.javisor.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import java.util.concurrent.Semaphore;
import org.javisor.image.GuestControl;
import org.javisor.image.TerminalSize;
import org.javisor.machine.Machine;

/**
 * What stands at the other end of the guest's two serial ports: this process's standard streams at
 * the first, the control messages of {@code tiny} at the second.
 */
final class GuestPorts implements GuestControl.Listener {
    private static final byte END_OF_TRANSMISSION = 4;

    private final Surroundings surroundings;
    private final Messages messages;
    private final boolean showLog;
    private final GuestControl control = new GuestControl(this);
    private final Semaphore inputWanted = new Semaphore(0);

    /** Set before the machine starts, and so before any byte comes. */
    private volatile Machine machine;

    private volatile boolean controlReady;
    private volatile boolean outputBroken;
    private volatile OptionalInt exitStatus = OptionalInt.empty();

    GuestPorts(Surroundings surroundings, Messages messages, boolean showLog) {
        this.surroundings = surroundings;
        this.messages = messages;
        this.showLog = showLog;
    }

    void connect(Machine connected) {
        machine = connected;
    }

    /** The first port's output. */
    void console(byte[] data, int offset, int length) {
        OutputStream out = surroundings.out();
        try {
            out.write(data, offset, length);
            out.flush();
        } catch (IOException e) {
            // Whoever listened has gone: nobody would see the rest either.
            outputBroken = true;
            machine.stop();
        }
    }

    /** The second port's output. */
    void control(byte[] data, int offset, int length) {
        control.received(data, offset, length);
    }

    boolean outputBroken() {
        return outputBroken;
    }

    /** The status of the command in the guest, once it has ended. */
    OptionalInt exitStatus() {
        return exitStatus;
    }

    @Override
    public void ready() {
        controlReady = true;
    }

    @Override
    public void inputWanted() {
        inputWanted.release();
    }

    @Override
    public void exited(int status) {
        exitStatus = OptionalInt.of(status);
        // The guest would switch itself off next; there is nothing left to wait for.
        machine.powerOff();
    }

    @Override
    public void log(String text) {
        if (showLog) {
            messages.line(text);
        }
    }

    /** Tells the guest about a new size of the terminal, if it listens. */
    void resize(TerminalSize size) {
        if (controlReady) {
            byte[] message = GuestControl.size(size);
            int ignored = machine.control().offer(message, 0, message.length);
        }
    }

    /** Feeds standard input to the guest's command, piece by piece as it asks. */
    void startPipe() {
        Thread.ofPlatform().name("stdin").daemon().start(this::pipe);
    }

    private void pipe() {
        byte[] buffer = new byte[GuestControl.MAX_INPUT];
        try {
            int length;
            do {
                inputWanted.acquire();
                length = Math.max(0, read(buffer));
                machine.control().send(GuestControl.input(buffer, 0, length));
            } while (length > 0);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Feeds standard input, which is no terminal, to the first port as if it were typed. */
    void startTyping() {
        Thread.ofPlatform().name("stdin").daemon().start(this::type);
    }

    private void type() {
        byte[] buffer = new byte[4096];
        byte last = '\n';
        try {
            int length;
            while ((length = read(buffer)) >= 0) {
                machine.console().send(java.util.Arrays.copyOf(buffer, length));
                last = length > 0 ? buffer[length - 1] : last;
            }
            // What ends the input of a program that reads a terminal; it counts at the beginning of
            // a line only.
            String end = (last == '\n' ? "" : "\n") + (char) END_OF_TRANSMISSION;
            machine.console().send(end.getBytes(StandardCharsets.US_ASCII));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** As {@link InputStream#read(byte[])}; a stream that fails has ended. */
    private int read(byte[] buffer) {
        try {
            return surroundings.in().read(buffer);
        } catch (IOException e) {
            return -1;
        }
    }
}
