package org.javisor.kvm;

import java.time.Instant;
import java.util.function.LongSupplier;
import org.javisor.device.Clock;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.hypervisor.Vm;
import org.javisor.memory.GuestMemory;

/**
 * What it costs on this host to leave a guest and go back, by each way there is, measured through
 * this engine. A program that does the same in another language can run the same guest: {@link
 * #guestMemory}.
 */
public final class ExitCosts {
    /** A way out of the guest. */
    public enum Way {
        /** A port that a device answers. */
        PORT,
        /** A memory-mapped register that a device answers. */
        MMIO,
        /** A port whose writes the kernel turns into a signal, without stopping the processor. */
        IOEVENTFD,
        /**
         * A signal that makes the kernel interrupt a halted processor, whose handler writes to a
         * port: from the signal to the write.
         */
        IRQFD,
        /** A virtual machine with one processor, made and taken down. */
        CREATION
    }

    private ExitCosts() {}

    /** What the guest's 64 KiB of memory hold; loops begin at 1000h, 1100h, 1200h and 1300h. */
    public static byte[] guestMemory() {
        return ExitGuest.image();
    }

    /**
     * Nanoseconds of one round trip, the mean of so many: processor time of the thread, except of
     * {@link Way#IRQFD}, in which two threads have a part.
     *
     * @throws KvmException if this host's KVM does not have that way
     */
    public static double measure(Way way, int rounds) {
        return switch (way) {
            case PORT -> loop(ExitGuest.PORT_LOOP, rounds);
            case MMIO -> loop(ExitGuest.MMIO_LOOP, rounds);
            case IOEVENTFD -> doorbells(rounds);
            case IRQFD -> interrupts(rounds);
            case CREATION -> creations(rounds);
        };
    }

    private static double loop(int code, int rounds) {
        try (Setting setting = new Setting(false)) {
            setting.vcpu.setState(ExitGuest.at(code));
            setting.runFor(rounds / 10 + 1);
            return processorTime(() -> setting.runFor(rounds)) / rounds;
        }
    }

    private static double doorbells(int rounds) {
        int laps = rounds / ExitGuest.RINGS + 1;
        try (Setting setting = new Setting(false);
                EventFd event = new EventFd()) {
            event.onWrite(setting.vm.handle(), true, ExitGuest.DOORBELL, 1, true);
            setting.vcpu.setState(ExitGuest.at(ExitGuest.DOORBELL_LOOP));
            setting.runFor(1);
            return processorTime(() -> setting.runFor(laps)) / ((double) laps * ExitGuest.RINGS);
        }
    }

    private static double interrupts(int rounds) {
        try (Setting setting = new Setting(true);
                EventFd event = new EventFd()) {
            setting.vm.apics().orElseThrow().routeMessage(0, 0xfee00000L, ExitGuest.VECTOR);
            event.raises(setting.vm.handle(), 0, true);
            setting.vcpu.setState(ExitGuest.at(ExitGuest.INTERRUPT_LOOP));
            Thread processor = Thread.ofPlatform().start(() -> setting.runFor(Long.MAX_VALUE));
            setting.await(1);
            double nanos =
                    time(
                            () -> {
                                for (int n = 0; n < rounds; n++) {
                                    event.signal();
                                    setting.await(n + 2);
                                }
                                return rounds;
                            });
            setting.vcpu.requestExit();
            join(processor);
            event.raises(setting.vm.handle(), 0, false);
            return nanos / rounds;
        }
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private static double creations(int rounds) {
        new Setting(false).close();
        return processorTime(
                        () -> {
                            for (int n = 0; n < rounds; n++) {
                                new Setting(false).close();
                            }
                            return rounds;
                        })
                / rounds;
    }

    private static double time(LongSupplier work) {
        long begin = System.nanoTime();
        work.getAsLong();
        return System.nanoTime() - begin;
    }

    /** Processor time of this thread: what else the host does has no part in it. */
    private static double processorTime(LongSupplier work) {
        int thread = LinuxCalls.threadId();
        long begin = RunTime.onProcessor(thread);
        work.getAsLong();
        return RunTime.onProcessor(thread) - begin;
    }

    /** A machine with one processor, whose device counts. */
    private static final class Setting implements VcpuIo, AutoCloseable {
        private final GuestMemory memory = GuestMemory.allocate(ExitGuest.SIZE);
        private final KvmVm vm;
        private final Vcpu vcpu;
        private long left;
        private volatile long exits;

        Setting(boolean kernelApic) {
            byte[] image = ExitGuest.image();
            memory.write(0, image, 0, image.length);
            KvmHypervisor hypervisor = new KvmHypervisor();
            vm = (KvmVm) hypervisor.createVm(memory, new BareClock());
            if (kernelApic && vm.useOwnLocalApics(vector -> {}).isEmpty()) {
                throw new KvmException("Local APICs of the kernel's", LinuxCalls.EINVAL);
            }
            vcpu = vm.createVcpu(0, hypervisor.cpuid(), this);
        }

        /** Runs until so many accesses have been answered. */
        long runFor(long accesses) {
            left = accesses;
            vcpu.run();
            return accesses;
        }

        void await(long count) {
            while (exits < count) {
                Thread.onSpinWait();
            }
        }

        private void count() {
            exits = exits + 1;
            if (--left == 0) {
                vcpu.requestExit();
            }
        }

        @Override
        public int readPort(int port, int size) {
            return -1;
        }

        @Override
        public void writePort(int port, int size, int value) {
            count();
        }

        @Override
        public long readMmio(long gpa, int size) {
            return -1;
        }

        @Override
        public void writeMmio(long gpa, int size, long value) {
            count();
        }

        @Override
        public void close() {
            Vm machine = vm;
            machine.close();
            memory.close();
        }
    }

    /** Nobody waits for a time, and a thread for it would disturb. */
    private static final class BareClock implements Clock {
        private final long begin = System.nanoTime();

        @Override
        public long nanos() {
            return System.nanoTime() - begin;
        }

        @Override
        public Instant wallTime() {
            return Instant.EPOCH;
        }

        @Override
        public Alarm newAlarm(Runnable action) {
            return new Alarm() {
                @Override
                public void arm(long deadline) {}

                @Override
                public void disarm() {}
            };
        }
    }
}
