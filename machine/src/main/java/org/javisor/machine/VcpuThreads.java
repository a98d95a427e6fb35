package org.javisor.machine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.javisor.hypervisor.ExitReason;
import org.javisor.hypervisor.Vcpu;

/**
 * One platform thread for each processor, and the gate that they pass between two runs: there they
 * are held while the machine is paused, and there, when all of them have arrived, work is done that
 * needs the processors to stand still.
 */
final class VcpuThreads {
    /** Hears of exits, on the processor's thread and outside every lock. */
    interface Owner {
        /** {@link Vcpu#run} returned for another reason than a request. */
        void exited(int index, ExitReason reason);

        /** {@link Vcpu#run}, or work at the gate, threw: a defect of the engine or a device. */
        void broken(Throwable cause);

        /** All threads have left for good; called once, by the last of them. */
        void finished();
    }

    private final List<Vcpu> vcpus;
    private final Owner owner;
    private final List<Thread> threads = new ArrayList<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    /** To be done when all stand still, in order. */
    private final Deque<Runnable> work = new ArrayDeque<>();

    /** Which processors may run, once nothing else stands against it. */
    private final BitSet released = new BitSet();

    /** Threads that stand at the gate, and threads that have not left for good. */
    private int parked;

    private int live;
    private boolean working;
    private boolean stopping;

    VcpuThreads(String machineName, List<Vcpu> vcpus, Owner owner) {
        this.vcpus = List.copyOf(vcpus);
        this.owner = owner;
        for (Vcpu vcpu : vcpus) {
            threads.add(
                    Thread.ofPlatform()
                            .name(machineName + "-vcpu" + vcpu.index())
                            .daemon()
                            .unstarted(() -> loop(vcpu)));
        }
    }

    /** Starts the threads; the processors do not run before they are released. */
    void start() {
        lock.lock();
        try {
            if (stopping) {
                return;
            }
            live = threads.size();
        } finally {
            lock.unlock();
        }
        threads.forEach(Thread::start);
    }

    /** Lets all processors run. */
    void release() {
        lock.lock();
        try {
            released.set(0, vcpus.size());
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Lets some processors run while the others stay where they are; for debuggers. */
    void release(BitSet which) {
        lock.lock();
        try {
            released.or(which);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Asks all processors to come to the gate and stay there; does not wait. */
    void hold() {
        lock.lock();
        try {
            released.clear();
            vcpus.forEach(Vcpu::requestExit);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until every processor stands still and no work is left. Not for the processors' own
     * threads.
     */
    void awaitStill() {
        if (threads.contains(Thread.currentThread())) {
            throw new IllegalStateException("A processor's thread cannot wait for itself");
        }
        lock.lock();
        try {
            while (parked < live || working || !work.isEmpty() && live > 0) {
                changed.awaitUninterruptibly();
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Has something done when all processors stand still, on one of their threads, outside every
     * lock; they go on afterwards. From any thread; does not wait. Without effect once the threads
     * have left.
     */
    void whenStill(Runnable action) {
        lock.lock();
        try {
            work.add(action);
            changed.signalAll();
            vcpus.forEach(Vcpu::requestExit);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Makes all threads leave for good, without waiting for it.
     *
     * @return whether there are none to leave, so that nobody will call {@link Owner#finished()}
     */
    boolean stop() {
        lock.lock();
        try {
            stopping = true;
            changed.signalAll();
            vcpus.forEach(Vcpu::requestExit);
            return live == 0;
        } finally {
            lock.unlock();
        }
    }

    /** Waits until all threads have ended; at once if they were not started. */
    void join() {
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive() && thread != Thread.currentThread()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void loop(Vcpu vcpu) {
        while (passGate(vcpu.index())) {
            try {
                ExitReason reason = vcpu.run();
                if (reason != ExitReason.REQUESTED) {
                    owner.exited(vcpu.index(), reason);
                }
            } catch (RuntimeException | Error e) {
                owner.broken(e);
                // Whatever state it is in, it does not run again; the machine decides what becomes
                // of the rest.
                stopOne(vcpu.index());
            }
        }
    }

    private void stopOne(int index) {
        lock.lock();
        try {
            released.clear(index);
        } finally {
            lock.unlock();
        }
    }

    /** Stands at the gate until the processor may run; false if the thread is to leave for good. */
    private boolean passGate(int index) {
        lock.lock();
        try {
            parked++;
            changed.signalAll();
            while (!stopping) {
                if (!work.isEmpty() && parked == live && !working) {
                    doWork(work.remove());
                } else if (work.isEmpty() && !working && released.get(index)) {
                    parked--;
                    return true;
                } else {
                    changed.awaitUninterruptibly();
                }
            }
            parked--;
            live--;
            changed.signalAll();
            if (live > 0) {
                return false;
            }
        } finally {
            lock.unlock();
        }
        owner.finished();
        return false;
    }

    /**
     * Runs one piece of work without the lock: devices call back into the machine, some holding
     * locks of their own.
     */
    private void doWork(Runnable action) {
        working = true;
        lock.unlock();
        try {
            action.run();
        } catch (RuntimeException | Error e) {
            owner.broken(e);
        } finally {
            lock.lock();
            working = false;
            changed.signalAll();
        }
    }
}
