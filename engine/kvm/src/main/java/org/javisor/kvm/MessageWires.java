package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Map;

/**
 * Interrupt messages on their way into the kernel. One that is sent again and again gets a wire: a
 * number in the routing table and an eventfd that raises it (Linux Documentation/virt/kvm/api.rst,
 * 4.75 KVM_IRQFD). All others are sent one by one (4.70 KVM_SIGNAL_MSI).
 *
 * <p>A wire stays: to lead it elsewhere could misdirect a signal that is under way. When all are in
 * use, further messages go without.
 */
final class MessageWires {
    /** How many there are at most; several queues for each of a machine's devices. */
    static final int MOST = 256;

    /** A message is worth a wire when it has been sent this often. */
    private static final int OFTEN = 32;

    private static final int CANDIDATES = 64;

    /** Twice as many places as wires, so that looking one up ends soon. */
    private static final int PLACES = 2 * MOST;

    private final KvmHandle vm;
    private final RoutingTable routing;
    private final int firstGsi;
    private final boolean available;
    private final MemorySegment message;
    private final MemorySegment errno;
    private final MemorySegment one;

    /** By a hash of the message, with linear probing; 0 is a free place. Read without a lock. */
    private volatile long[] messages = new long[PLACES];

    private final int[] fds = new int[PLACES];
    private int wires;

    // Messages that have no wire and were sent lately
    private final long[] candidates = new long[CANDIDATES];
    private final int[] sent = new int[CANDIDATES];

    private long single;

    /**
     * Sent by a wire. Written without synchronization: losing a count is cheaper than a locked
     * addition.
     */
    private long signals;

    /**
     * @param firstGsi the first number that belongs to wires
     */
    MessageWires(KvmHandle vm, RoutingTable routing, int firstGsi, Arena arena) {
        this.vm = vm;
        this.routing = routing;
        this.firstGsi = firstGsi;
        available =
                vm.offers(Capability.IRQFD)
                        && vm.capability(Capability.IRQ_ROUTING) >= firstGsi + MOST;
        message = arena.allocate(Layouts.MSI);
        errno = LinuxCalls.newErrno(arena);
        one = arena.allocate(8, 8);
        one.set(ValueLayout.JAVA_LONG, 0, 1);
    }

    /** Sends a message; the address is below 4 GiB. */
    void send(long address, int data) {
        long key = address << 32 | data & 0xffffffffL;
        int place = find(messages, key);
        if (place >= 0) {
            signals++;
            long ignored = LinuxCalls.write8(errno, fds[place], one.address());
        } else {
            sendSingle(address, data, key);
        }
    }

    private static int find(long[] table, long key) {
        int place = place(key);
        while (table[place] != 0) {
            if (table[place] == key) {
                return place;
            }
            place = place + 1 & PLACES - 1;
        }
        return -1;
    }

    private static int place(long key) {
        return (int) (key * 0x9e3779b97f4a7c15L >>> 32) & PLACES - 1;
    }

    private synchronized void sendSingle(long address, int data, long key) {
        single++;
        Fields.putInt(message, Layouts.MSI, "address_lo", (int) address);
        Fields.putInt(message, Layouts.MSI, "data", data);
        // A message that no processor takes is refused, and is lost on a bus too.
        int ignored = vm.tryCall(Ioctl.SIGNAL_MSI, message);
        int candidate = place(key) & CANDIDATES - 1;
        if (candidates[candidate] != key) {
            candidates[candidate] = key;
            sent[candidate] = 0;
        } else if (++sent[candidate] == OFTEN && available && wires < MOST) {
            addWire(address, data, key);
        }
    }

    private void addWire(long address, int data, long key) {
        int fd = LinuxCalls.eventfd(false);
        if (fd < 0 || find(messages, key) >= 0) {
            return;
        }
        int gsi = firstGsi + wires;
        routing.setMessage(gsi, address, data);
        routing.install();
        if (EventFd.raise(vm, fd, gsi, true) < 0) {
            LinuxCalls.close(fd);
            return;
        }
        wires++;
        long[] more = messages.clone();
        int place = place(key);
        while (more[place] != 0) {
            place = place + 1 & PLACES - 1;
        }
        fds[place] = fd;
        more[place] = key;
        messages = more;
    }

    void report(Map<String, Long> counters) {
        counters.put("messages.wired", signals);
        counters.put("messages.single", single);
    }

    /** No messages from here on. */
    synchronized void close() {
        long[] table = messages;
        for (int place = 0; place < PLACES; place++) {
            if (table[place] != 0) {
                LinuxCalls.close(fds[place]);
            }
        }
        Arrays.fill(fds, -1);
        messages = new long[PLACES];
    }
}
