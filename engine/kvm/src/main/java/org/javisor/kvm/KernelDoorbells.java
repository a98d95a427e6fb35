package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.javisor.device.Doorbell;
import org.javisor.device.Doorbells;

/**
 * Doorbells that the kernel signals (Linux Documentation/virt/kvm/api.rst, 4.59 KVM_IOEVENTFD): an
 * eventfd each, and one thread that waits for all of them by epoll(7). The thread is started with
 * the first bell.
 *
 * <p>The eventfds are watched for edges, so nobody has to read them.
 */
final class KernelDoorbells implements Doorbells {
    private static final int MATCH_DATA = 1, DEASSIGN = 4;
    private static final int EPOLL_ADD = 1, EPOLL_IN = 1, EPOLL_EDGES = 1 << 31;

    /** {@code struct epoll_event} of x86-64, which is packed: events, then our number. */
    private static final int EVENT_SIZE = 12, EVENT_DATA = 4;

    private static final int EVENTS = 64;

    /** The number of the eventfd that ends the thread. */
    private static final int STOP = 0;

    private static final ValueLayout.OfLong NUMBER = ValueLayout.JAVA_LONG_UNALIGNED;

    private final KvmHandle vm;
    private final Consumer<Throwable> broken;
    private final boolean anySize;
    private final Map<Place, Integer> installed = new HashMap<>();
    private final Map<Integer, Ringing> bells = new ConcurrentHashMap<>();
    private final int set;
    private final int stop;
    private int next = STOP + 1;
    private Optional<Thread> thread = Optional.empty();
    private volatile boolean closed;
    private final AtomicBoolean freed = new AtomicBoolean();

    /** Written by the thread only. */
    private volatile long rings;

    private record Place(long gpa, int size, OptionalLong value) {
        static Place of(long gpa, Doorbell bell) {
            return new Place(gpa, bell.size(), bell.value());
        }
    }

    private record Ringing(int fd, Runnable ring) {}

    private KernelDoorbells(KvmHandle vm, Consumer<Throwable> broken) {
        this.vm = vm;
        this.broken = broken;
        anySize = vm.offers(Capability.IOEVENTFD_ANY_LENGTH);
        set = check("Making an epoll set", LinuxCalls.epoll());
        stop = check("Making an eventfd", LinuxCalls.eventfd(false));
        watch(stop, STOP);
    }

    /** Empty if the host's KVM does not have them. */
    static Optional<KernelDoorbells> of(KvmHandle vm, Consumer<Throwable> broken) {
        return vm.offers(Capability.IOEVENTFD)
                ? Optional.of(new KernelDoorbells(vm, broken))
                : Optional.empty();
    }

    private static int check(String what, int result) {
        if (result < 0) {
            throw new KvmException(what, -result);
        }
        return result;
    }

    private void watch(int fd, int number) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment event = arena.allocate(EVENT_SIZE);
            event.set(ValueLayout.JAVA_INT_UNALIGNED, 0, EPOLL_IN | EPOLL_EDGES);
            event.set(NUMBER, EVENT_DATA, number);
            check(
                    "Watching an eventfd",
                    LinuxCalls.epollControl(set, EPOLL_ADD, fd, event.address()));
        }
    }

    @Override
    public synchronized boolean install(long gpa, Doorbell bell) {
        Place place = Place.of(gpa, bell);
        if (closed || installed.containsKey(place)) {
            return false;
        }
        int fd = LinuxCalls.eventfd(false);
        if (fd < 0) {
            return false;
        }
        if (assign(place, fd, 0) < 0) {
            LinuxCalls.close(fd);
            return false;
        }
        int number = next++;
        bells.put(number, new Ringing(fd, bell.ring()));
        installed.put(place, number);
        watch(fd, number);
        if (thread.isEmpty()) {
            thread =
                    Optional.of(
                            Thread.ofPlatform().name("kvm-doorbells").daemon().start(this::run));
        }
        return true;
    }

    @Override
    public synchronized void remove(long gpa, Doorbell bell) {
        Place place = Place.of(gpa, bell);
        Integer number = installed.remove(place);
        if (number != null) {
            int fd = bells.get(number).fd();
            assign(place, fd, DEASSIGN);
            // What has been written before is not lost: the bell rings once more, then nobody
            // hears.
            bells.remove(number).ring().run();
            LinuxCalls.close(fd);
        }
    }

    private int assign(Place place, int fd, int flags) {
        // Without the ability to take any size, that which drivers use.
        int size = place.size() == 0 && !anySize ? 2 : place.size();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment event = arena.allocate(Layouts.IOEVENTFD);
            Fields.putLong(event, Layouts.IOEVENTFD, "addr", place.gpa());
            Fields.putLong(event, Layouts.IOEVENTFD, "datamatch", place.value().orElse(0));
            Fields.putInt(event, Layouts.IOEVENTFD, "len", size);
            Fields.putInt(event, Layouts.IOEVENTFD, "fd", fd);
            int match = place.value().isPresent() ? MATCH_DATA : 0;
            Fields.putInt(event, Layouts.IOEVENTFD, "flags", flags | match);
            return vm.tryCall(Ioctl.IOEVENTFD, event);
        }
    }

    private void run() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment errno = LinuxCalls.newErrno(arena);
            MemorySegment events = arena.allocate((long) EVENT_SIZE * EVENTS);
            while (!closed) {
                int count = LinuxCalls.epollWait(errno, set, events.address(), EVENTS);
                for (int n = 0; n < count; n++) {
                    ring((int) events.get(NUMBER, (long) EVENT_SIZE * n + EVENT_DATA));
                }
            }
        }
    }

    private void ring(int number) {
        Ringing bell = number == STOP ? null : bells.get(number);
        if (bell != null) {
            rings = rings + 1;
            try {
                bell.ring().run();
            } catch (RuntimeException | Error e) {
                broken.accept(e);
            }
        }
    }

    /** How often bells have rung; several writes may be one. */
    long rings() {
        return rings;
    }

    @Override
    public void stop() {
        synchronized (this) {
            if (!closed) {
                closed = true;
                EventFd.signal(stop);
            }
        }
        thread.ifPresent(KernelDoorbells::join);
    }

    void close() {
        stop();
        if (!freed.compareAndSet(false, true)) {
            return;
        }
        bells.values().forEach(bell -> LinuxCalls.close(bell.fd()));
        bells.clear();
        LinuxCalls.close(stop);
        LinuxCalls.close(set);
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive() && thread != Thread.currentThread()) {
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
}
