package org.javisor.machine;

import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.javisor.device.Clock;
import org.javisor.device.SystemClock;
import org.javisor.hypervisor.ExitReason;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuState;
import org.javisor.memory.GuestMemory;
import org.javisor.translator.LockstepDifference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A PC: memory, processors and chips, from creation to end. Any number of machines may live in one
 * JVM.
 *
 * {@snippet :
 * MachineConfig config =
 *         MachineConfig.builder(Path.of("vmlinuz"))
 *                 .initrd(Path.of("initrd.img"))
 *                 .memory(512L << 20)
 *                 .cpus(2)
 *                 .console((data, offset, length) -> System.out.write(data, offset, length))
 *                 .build();
 * try (Machine machine = Machine.create(config)) {
 *     machine.start();
 *     machine.console().send("uname -r\n".getBytes(StandardCharsets.UTF_8));
 *     MachineEnd end = machine.awaitEnd();
 * }
 * }
 *
 * <p>All methods may be called from any thread except those of the machine itself (listeners,
 * sinks), which may call what does not wait: {@link #pressPowerButton}, {@link #reset}, {@link
 * #powerOff}, {@link #stop} and the accessors.
 */
public final class Machine implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Machine.class);

    /** How long a sink may take for its last bytes once the machine has been stopped. */
    private static final Duration LAST_OUTPUT = Duration.ofSeconds(1);

    private final MachineConfig config;
    private final EngineSelection engine;
    private final Hardware hardware;
    private final SystemClock clock;
    private final VcpuThreads threads;
    private final SerialLine console;
    private final SerialLine control;
    private final CrashWatch crashes;

    /**
     * Held during operations that wait for the processors; never taken by the machine's own
     * threads.
     */
    private final ReentrantLock operations = new ReentrantLock();

    private final AtomicReference<Ending> ending = new AtomicReference<>();
    private final CompletableFuture<MachineEnd> ended = new CompletableFuture<>();
    private final AtomicBoolean resetQueued = new AtomicBoolean();
    private final AtomicLong resets = new AtomicLong();
    private volatile MachineState state = MachineState.CREATED;
    private volatile Optional<DebugListener> debugger = Optional.empty();

    /** Processors of whose triple fault a debugger has been told. */
    private final Set<Integer> shutdownsTold = ConcurrentHashMap.newKeySet();

    private record Ending(EndReason reason, String detail) {}

    /**
     * Makes a machine that does not run yet.
     *
     * @throws MachineException if the engine does not work here, or the kernel or initial RAM disk
     *     is no good
     */
    public static Machine create(MachineConfig config) {
        return create(config, EngineSelection.select(config.engine(), config.engineOptions()));
    }

    /** As {@link #create(MachineConfig)}, on an engine of the caller's choice. */
    public static Machine create(MachineConfig config, EngineSelection engine) {
        return new Machine(config, engine);
    }

    private Machine(MachineConfig config, EngineSelection engine) {
        this.config = config;
        this.engine = engine;
        hardware = Hardware.assemble(config, engine, new HardwareOwner());
        clock = hardware.clock();
        console = hardware.console();
        control = hardware.control();
        crashes = hardware.crashes();
        threads = new VcpuThreads(config.name(), hardware.vcpus(), new ThreadOwner());
    }

    // What a user does

    /**
     * Begins to run.
     *
     * @throws MachineException WRONG_STATE if it has been started before
     */
    public void start() {
        operations.lock();
        try {
            startPaused();
            resume();
        } finally {
            operations.unlock();
        }
    }

    /**
     * As {@link #start}, but before its first instruction the machine waits for {@link #resume}.
     *
     * @throws MachineException WRONG_STATE if it has been started before
     */
    public void startPaused() {
        operations.lock();
        try {
            if (state != MachineState.CREATED) {
                throw new MachineException(
                        MachineException.Code.WRONG_STATE, "The machine has been started already");
            }
            state = MachineState.PAUSED;
            threads.start();
        } finally {
            operations.unlock();
        }
    }

    /**
     * Stops the processors and machine time; waits until they stand still and what was asked of the
     * machine before, such as a reset, is done. No effect unless it runs or is paused.
     */
    public void pause() {
        operations.lock();
        try {
            if (state == MachineState.RUNNING || state == MachineState.PAUSED) {
                stand(() -> {});
                enter(MachineState.PAUSED);
            }
        } finally {
            operations.unlock();
        }
    }

    /** Lets everything go on. No effect unless it is paused or a debugger holds it. */
    public void resume() {
        operations.lock();
        try {
            if (state == MachineState.PAUSED || state == MachineState.RUNNING) {
                enter(MachineState.RUNNING);
                clock.resume();
                threads.release();
            }
        } finally {
            operations.unlock();
        }
    }

    /**
     * Lets some processors go on while the others stay where they are: what a debugger's single
     * step needs. No effect unless the machine is paused or a debugger holds it.
     *
     * @param which their indices
     * @param time whether machine time goes on too
     */
    public void resumeOnly(BitSet which, boolean time) {
        operations.lock();
        try {
            if (state == MachineState.PAUSED || state == MachineState.RUNNING) {
                enter(MachineState.RUNNING);
                if (time) {
                    clock.resume();
                }
                threads.release(which);
            }
        } finally {
            operations.unlock();
        }
    }

    /** Holds clock and processors; waits until they stand still. */
    private void stand(Runnable whenStill) {
        clock.pause();
        // A processor that waits for a slow terminal could not come to rest.
        hardware.waitForRoom(false);
        threads.hold();
        threads.awaitStill();
        hardware.waitForRoom(true);
        whenStill.run();
    }

    private void enter(MachineState next) {
        if (!ended.isDone() && state != MachineState.CLOSED) {
            state = next;
        }
    }

    /** Presses the power button: a request that the guest may follow by switching itself off. */
    public void pressPowerButton() {
        hardware.board().pressPowerButton();
    }

    /** Presses the reset button. Takes effect soon, or when a paused machine goes on. */
    public void reset() {
        resetRequested("reset button");
    }

    /** Ends the machine as the guest's own power-off does; does not wait for it. */
    public void powerOff() {
        end(EndReason.POWER_OFF, "");
    }

    /**
     * Ends the machine as if its plug were pulled; does not wait for it. No effect once it has
     * ended.
     */
    public void stop() {
        end(EndReason.STOPPED, "");
        console.finishWithin(LAST_OUTPUT);
        control.finishWithin(LAST_OUTPUT);
    }

    /** Waits until the machine has ended and its sinks have taken all output. */
    public MachineEnd awaitEnd() throws InterruptedException {
        try {
            return ended.get();
        } catch (ExecutionException e) {
            throw new AssertionError(e);
        }
    }

    /** As {@link #awaitEnd()}, for so long at most; empty if it has not ended by then. */
    public Optional<MachineEnd> awaitEnd(Duration timeout) throws InterruptedException {
        try {
            return Optional.of(ended.get(timeout.toNanos(), TimeUnit.NANOSECONDS));
        } catch (TimeoutException e) {
            return Optional.empty();
        } catch (ExecutionException e) {
            throw new AssertionError(e);
        }
    }

    /** Ends the machine if it runs, waits for it, and gives back everything it held. */
    @Override
    public void close() {
        stop();
        operations.lock();
        try {
            if (state == MachineState.CLOSED) {
                return;
            }
            threads.join();
            state = MachineState.CLOSED;
            hardware.close();
        } finally {
            operations.unlock();
        }
    }

    // What it tells

    public MachineConfig config() {
        return config;
    }

    public MachineState state() {
        return state;
    }

    /** Which engine runs it and why. */
    public EngineSelection engine() {
        return engine;
    }

    /** The first serial port, {@code ttyS0}. */
    public SerialLine console() {
        return console;
    }

    /** The second serial port, {@code ttyS1}. */
    public SerialLine control() {
        return control;
    }

    /** The last lines of the console, oldest first, free of control characters. */
    public List<String> consoleTail() {
        return crashes.consoleLines();
    }

    public Clock clock() {
        return clock;
    }

    public GuestMemory memory() {
        return hardware.memory();
    }

    /**
     * The processors; their state may be read and set while the machine is paused or a debugger
     * holds it.
     */
    public List<Vcpu> vcpus() {
        return hardware.vcpus();
    }

    /**
     * Until the next call, tells {@code listener} when a processor meets its debug request; stops
     * the machine then.
     */
    public void attachDebugger(DebugListener listener) {
        debugger = Optional.of(listener);
    }

    /** Debug exits are passed over again. The caller clears the processors' debug requests. */
    public void detachDebugger() {
        debugger = Optional.empty();
    }

    public MachineStatistics statistics() {
        return new MachineStatistics(
                engine.hypervisor().name(),
                hardware.vm().statistics(),
                Duration.ofNanos(clock.nanos()),
                hardware.board().portAccesses(),
                hardware.board().mmioAccesses(),
                resets.get());
    }

    // What the guest and its hardware do

    private void resetRequested(String cause) {
        if (!crashes.panic().isEmpty()) {
            end(EndReason.PANIC, crashes.panic());
        } else if (!config.rebootOnReset()) {
            end(EndReason.RESET, cause);
        } else if (resetQueued.compareAndSet(false, true)) {
            threads.whenStill(() -> startOver(cause));
        }
    }

    /** With all processors standing still. */
    private void startOver(String cause) {
        hardware.reset();
        shutdownsTold.clear();
        resets.incrementAndGet();
        resetQueued.set(false);
        config.listener().reset(cause);
    }

    private void broken(Throwable cause) {
        LOG.debug("{} is broken", config.name(), cause);
        if (cause instanceof LockstepDifference difference) {
            config.listener().differed(difference.report());
            end(
                    EndReason.FAILURE,
                    "The translator and the interpreter differ: " + difference.getMessage());
            return;
        }
        String what = cause.getMessage() == null ? "" : ": " + cause.getMessage();
        end(EndReason.FAILURE, "Internal error, " + cause.getClass().getSimpleName() + what);
    }

    /** The first reason counts. */
    private void end(EndReason reason, String detail) {
        if (ending.compareAndSet(null, new Ending(reason, detail))) {
            // A processor that waits for a slow terminal would never notice.
            hardware.waitForRoom(false);
            if (threads.stop()) {
                finish();
            }
        }
    }

    /** After the last processor has stopped. */
    private void finish() {
        clock.pause();
        console.hangUp();
        control.hangUp();
        console.drain();
        control.drain();
        Ending why = ending.get();
        MachineEnd end = new MachineEnd(why.reason(), why.detail(), crashes.tellingLines());
        if (state != MachineState.CLOSED) {
            state = MachineState.ENDED;
        }
        ended.complete(end);
        config.listener().ended(end);
    }

    private void tripleFault(int index) {
        if (resetQueued.get()) {
            return;
        }
        if (config.rebootOnTripleFault()
                || crashes.restartAnnounced()
                || !crashes.panic().isEmpty()) {
            resetRequested("triple fault");
        } else if (debugger.isEmpty() || !shutdownsTold.add(index)) {
            end(EndReason.TRIPLE_FAULT, describe(index));
        } else {
            debugStop(index);
        }
    }

    private String describe(int index) {
        VcpuState at = hardware.vcpus().get(index).state();
        return "vCPU %d at %04x:%016x"
                .formatted(index, at.segments[VcpuState.CS].selector(), at.rip);
    }

    private void debugStop(int index) {
        debugger.ifPresent(
                listener -> {
                    clock.pause();
                    threads.hold();
                    threads.whenStill(() -> listener.stopped(index));
                });
    }

    private final class HardwareOwner implements Hardware.Owner {
        @Override
        public GuestRequests requests() {
            return new BoardRequests();
        }

        @Override
        public void panicked(String panic) {
            end(EndReason.PANIC, panic);
        }

        @Override
        public void broken(Throwable cause) {
            Machine.this.broken(cause);
        }
    }

    private final class BoardRequests implements GuestRequests {
        @Override
        public void powerOff() {
            end(EndReason.POWER_OFF, "");
        }

        @Override
        public void reset(String cause) {
            resetRequested(cause);
        }

        @Override
        public void pause(String cause) {
            clock.pause();
            threads.hold();
            threads.whenStill(
                    () -> {
                        enter(MachineState.PAUSED);
                        config.listener().paused(cause);
                    });
        }

        @Override
        public void watchdogExpired(WatchdogAction action) {
            config.listener().watchdogExpired(action);
            switch (action) {
                case RESET -> reset("watchdog");
                case POWEROFF -> end(EndReason.WATCHDOG, "");
                case PAUSE -> pause("watchdog");
                case NONE -> {}
            }
        }
    }

    private final class ThreadOwner implements VcpuThreads.Owner {
        @Override
        public void exited(int index, ExitReason reason) {
            switch (reason) {
                case REQUESTED -> {}
                case SHUTDOWN -> tripleFault(index);
                case DEBUG -> debugStop(index);
                case FAILURE -> {
                    LOG.debug("{}", RegisterDump.of(hardware.vcpus().get(index).state()));
                    end(
                            EndReason.FAILURE,
                            hardware.vcpus().get(index).failure() + ", " + describe(index));
                }
            }
        }

        @Override
        public void broken(Throwable cause) {
            Machine.this.broken(cause);
        }

        @Override
        public void finished() {
            finish();
        }
    }
}
