package org.javisor.testkit;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.javisor.device.Clock;
import org.javisor.device.LocalInterruptController;
import org.javisor.hypervisor.DebugRequest;
import org.javisor.hypervisor.ExitReason;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.hypervisor.VcpuState;

/**
 * A processor that runs a {@link FakeGuest}. Halts as real ones do; takes no interrupts, but can
 * look for them.
 */
public final class FakeVcpu implements Vcpu {
    private static final int COM1 = 0x3f8;

    private final int index;
    private final FakeGuest guest;
    private final VcpuIo io;
    private final Clock clock;
    private final List<String> events = new CopyOnWriteArrayList<>();
    private VcpuState state = new VcpuState();
    private LocalInterruptController controller;
    private DebugRequest debug = DebugRequest.NONE;
    private boolean exitRequested;
    private boolean halted;
    private boolean waitingForStartup;
    private volatile boolean running;
    private volatile int step;
    private volatile long totalSteps;

    FakeVcpu(int index, FakeGuest guest, VcpuIo io, Clock clock) {
        this.index = index;
        this.guest = guest;
        this.io = io;
        this.clock = clock;
        this.waitingForStartup = index > 0;
    }

    // For the guest

    public void out(int port, int size, int value) {
        io.writePort(port, size, value);
    }

    public int in(int port, int size) {
        return io.readPort(port, size);
    }

    public long load(long gpa, int size) {
        return io.readMmio(gpa, size);
    }

    public void store(long gpa, int size, long value) {
        io.writeMmio(gpa, size, value);
    }

    /** Writes to the first serial port. */
    public void print(String text) {
        for (char c : text.toCharArray()) {
            out(COM1, 1, c);
        }
    }

    /** Sleeps from the next step on, until an interrupt, an NMI or a request to exit. */
    public ExitReason halt() {
        synchronized (this) {
            halted = true;
        }
        // Asked without the lock, which the controller takes when it raises an interrupt.
        if (controller.interruptPending()) {
            interruptRequested();
        }
        return ExitReason.REQUESTED;
    }

    public LocalInterruptController controller() {
        return controller;
    }

    /**
     * What happened to the processor from outside: {@code init}, {@code startup 9f}, {@code nmi},
     * {@code reset}.
     */
    public List<String> events() {
        return events;
    }

    long totalSteps() {
        return totalSteps;
    }

    boolean running() {
        return running;
    }

    // The contract

    @Override
    public int index() {
        return index;
    }

    @Override
    public void connect(LocalInterruptController local) {
        controller = local;
    }

    @Override
    public ExitReason run() {
        running = true;
        try {
            while (awaitWork()) {
                totalSteps++;
                ExitReason reason = guest.step(this, step++);
                if (reason != ExitReason.REQUESTED) {
                    return reason;
                }
            }
            return ExitReason.REQUESTED;
        } finally {
            running = false;
        }
    }

    /** False when somebody wants the processor to exit. */
    private synchronized boolean awaitWork() {
        while ((halted || waitingForStartup) && !exitRequested) {
            try {
                wait();
            } catch (InterruptedException e) {
                exitRequested = true;
            }
        }
        boolean go = !exitRequested;
        exitRequested = false;
        return go;
    }

    @Override
    public synchronized void requestExit() {
        exitRequested = true;
        notifyAll();
    }

    @Override
    public synchronized void interruptRequested() {
        halted = false;
        notifyAll();
    }

    @Override
    public synchronized void nmi() {
        events.add("nmi");
        halted = false;
        notifyAll();
    }

    @Override
    public synchronized void init() {
        events.add("init");
        waitingForStartup = true;
    }

    @Override
    public synchronized void startUp(int vector) {
        if (waitingForStartup) {
            events.add("startup %02x".formatted(vector));
            waitingForStartup = false;
            notifyAll();
        }
    }

    @Override
    public VcpuState state() {
        return state;
    }

    @Override
    public void setState(VcpuState replacement) {
        state = replacement;
    }

    @Override
    public long tsc() {
        return clock.nanos();
    }

    @Override
    public synchronized void reset() {
        events.add("reset");
        state = new VcpuState();
        step = 0;
        halted = false;
        waitingForStartup = index > 0;
    }

    @Override
    public long translate(long linear) {
        return linear;
    }

    @Override
    public void setDebug(DebugRequest request) {
        debug = request;
    }

    public DebugRequest debug() {
        return debug;
    }

    @Override
    public long debugAddress() {
        return -1;
    }

    @Override
    public String failure() {
        return "The fake guest failed";
    }
}
