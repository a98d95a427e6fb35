package org.javisor.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import org.javisor.image.GuestControl;
import org.javisor.image.ProgressEvent;
import org.javisor.image.TerminalSize;
import org.javisor.machine.Machine;
import org.javisor.machine.MachineState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What stands at the other end of the guest's two serial ports: this process's standard streams at
 * the first, the control messages of {@code tiny} at the second.
 */
final class GuestPorts implements GuestControl.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(GuestPorts.class);
    private static final Pattern COLOURS = Pattern.compile("\u001b\\[[0-9;?!]*[A-Za-z]");
    private static final byte END_OF_TRANSMISSION = 4;
    private static final long FIRST_SILENCE_NANOS = 1_000_000_000L;
    private static final long LAST_SILENCE_NANOS = 16_000_000_000L;

    private final Surroundings surroundings;
    private final Messages messages;
    private final boolean showLog;
    private final GuestControl control = new GuestControl(this);
    private final Semaphore inputWanted = new Semaphore(0);

    private volatile Optional<Readiness> readiness = Optional.empty();
    private final AtomicReference<Optional<PullProgress>> progress =
            new AtomicReference<>(Optional.empty());
    private volatile boolean endsInOrder;
    private volatile boolean saysWhenBooted;

    /** Set before the machine starts, and so before any byte comes. */
    private volatile Machine machine;

    private final CountDownLatch listening = new CountDownLatch(1);
    private volatile long lastOutput = System.nanoTime();
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

    /** Tells whoever waits what the guest shows. */
    void tell(Readiness waiting) {
        readiness = Optional.of(waiting);
    }

    /** Shows what the guest logs in one changing line, until its command puts something out. */
    void showProgress(PullProgress line) {
        progress.set(Optional.of(line));
    }

    private void endProgress() {
        progress.getAndSet(Optional.empty()).ifPresent(PullProgress::close);
    }

    /** The guest has services, and says when they have started. */
    void expectBooted() {
        saysWhenBooted = true;
    }

    /** The guest is not to be switched off when its command has ended: it does that itself. */
    void leaveTheEndToTheGuest() {
        endsInOrder = true;
    }

    /** The first port's output. */
    void console(byte[] data, int offset, int length) {
        endProgress();
        readiness.ifPresent(waiting -> waiting.console(data, offset, length));
        OutputStream out = surroundings.out();
        lastOutput = System.nanoTime();
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
        LOG.debug("The guest listens");
        listening.countDown();
        if (!saysWhenBooted) {
            booted();
        }
    }

    @Override
    public void booted() {
        readiness.ifPresent(Readiness::booted);
    }

    @Override
    public void inputWanted() {
        LOG.debug("The command wants input");
        inputWanted.release();
    }

    @Override
    public void exited(int status) {
        LOG.debug("The command ended with status {}", status);
        endProgress();
        exitStatus = OptionalInt.of(status);
        if (!endsInOrder) {
            // The guest would switch itself off next; there is nothing left to wait for.
            machine.powerOff();
        }
    }

    @Override
    public void log(String text) {
        if (showLog) {
            messages.line(text);
        } else {
            String plain = COLOURS.matcher(text).replaceAll("").strip();
            progress.get()
                    .filter(line -> !plain.isEmpty())
                    .ifPresent(line -> line.on(new ProgressEvent.Step("Starting: " + plain)));
        }
    }

    /** Tells the guest about a new size of the terminal, if it listens. */
    void resize(TerminalSize size) {
        if (listening.getCount() == 0) {
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
                LOG.debug("The command gets {} bytes", length);
                machine.control().send(GuestControl.input(buffer, 0, length));
            } while (length > 0);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Feeds standard input, which is no terminal, to the first port as if it were typed.
     *
     * @param shell whether a shell will listen there that says so: it is waited for
     * @param ends whether the machine ends with that shell: then it is told of the input's end
     */
    void startTyping(boolean shell, boolean ends) {
        Thread.ofPlatform().name("stdin").daemon().start(() -> type(shell, ends));
    }

    private void type(boolean shell, boolean ends) {
        try {
            if (shell) {
                listening.await();
            }
            byte[] buffer = new byte[4096];
            int length;
            while ((length = read(buffer)) >= 0) {
                machine.console().send(Arrays.copyOf(buffer, length));
            }
            if (ends) {
                endTyping();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Types Ctrl-D until the shell is gone. A shell sees it only while it reads a line, and nothing
     * tells when that is; so it is tried whenever the console has been silent for a while, each
     * time a longer one.
     */
    private void endTyping() throws InterruptedException {
        long silence = FIRST_SILENCE_NANOS;
        while (machine.state() == MachineState.RUNNING || machine.state() == MachineState.PAUSED) {
            long silentFor = System.nanoTime() - lastOutput;
            if (silentFor < silence) {
                TimeUnit.NANOSECONDS.sleep(silence - silentFor);
            } else {
                machine.console().send(new byte[] {END_OF_TRANSMISSION});
                lastOutput = System.nanoTime();
                silence = Math.min(2 * silence, LAST_SILENCE_NANOS);
            }
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
