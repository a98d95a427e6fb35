package org.javisor.network;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A TAP interface (Linux Documentation/networking/tuntap.rst): what the guest sends arrives on the
 * host's interface of that name, and the other way round. Checksums and the cutting of long
 * segments are left to the other side in both directions. Making an interface takes CAP_NET_ADMIN;
 * joining one that belongs to the user does not.
 */
final class LinuxTap implements Network, LinkEnd {
    private static final Logger LOG = LoggerFactory.getLogger(LinuxTap.class);

    private static final String DEVICE = "/dev/net/tun";
    private static final long TUNSETIFF = 0x400454caL;
    private static final long TUNSETOFFLOAD = 0x400454d0L;
    private static final long TUNSETVNETHDRSZ = 0x400454d8L;
    private static final long TUNSETVNETLE = 0x400454dcL;
    private static final short IFF_TAP_NO_PI_VNET_HDR = 0x0002 | 0x1000 | 0x4000;
    private static final int INTERFACE_REQUEST = 40;
    private static final int NAME_LENGTH = 16;

    /** {@code struct virtio_net_hdr} as the kernel's TAP driver has it. */
    private static final int HEADER = 10;

    private static final int BUFFER = HEADER + Frame.MAXIMUM_LENGTH;

    private final String name;
    private final int fd;
    private final int wake;
    private final Thread reader;
    private final ReentrantLock lock = new ReentrantLock();
    private final Object room = new Object();
    private final LinuxCalls.Errno writeErrno = new LinuxCalls.Errno();
    private final ByteBuffer out = buffer();
    private final long outAddress = MemorySegment.ofBuffer(out).address();
    private final Segmenter segmenter = new Segmenter();
    private LinkEnd card;
    private boolean roomKnown;
    private volatile boolean closed;

    private LinuxTap(String name, int fd, int wake) {
        this.name = name;
        this.fd = fd;
        this.wake = wake;
        reader = Thread.ofPlatform().daemon().name("tap-" + name).unstarted(this::read);
    }

    private static ByteBuffer buffer() {
        return ByteBuffer.allocateDirect(BUFFER).order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Opens an interface, making it if it is not there.
     *
     * @throws NetworkException HOST_CANNOT with one line on what is missing
     */
    static LinuxTap open(String name) {
        if (!System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("linux")) {
            throw failure("TAP interfaces are Linux's; use --net user");
        }
        LinuxCalls.Errno errno = new LinuxCalls.Errno();
        int fd;
        try (Arena arena = Arena.ofConfined()) {
            fd = LinuxCalls.open(errno, arena.allocateFrom(DEVICE), LinuxCalls.O_RDWR_CLOEXEC);
        }
        if (fd < 0) {
            throw failure(
                    switch (errno.value()) {
                        case LinuxCalls.ENOENT ->
                                "This host has no "
                                        + DEVICE
                                        + "; 'modprobe tun' as root, or use"
                                        + " --net user";
                        case LinuxCalls.EACCES, LinuxCalls.EPERM ->
                                DEVICE
                                        + " is not for this user; ask the administrator, or use"
                                        + " --net user";
                        default -> "Cannot open " + DEVICE + ": " + errno.text();
                    });
        }
        try {
            attach(errno, fd, name);
            int wake = LinuxCalls.eventfd(errno);
            if (wake < 0) {
                throw failure("Cannot wait for " + name + ": " + errno.text());
            }
            return new LinuxTap(name, fd, wake);
        } catch (NetworkException e) {
            LinuxCalls.close(errno, fd);
            throw e;
        }
    }

    private static void attach(LinuxCalls.Errno errno, int fd, String name) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment request = arena.allocate(INTERFACE_REQUEST, 8);
            byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
            MemorySegment.copy(bytes, 0, request, ValueLayout.JAVA_BYTE, 0, bytes.length);
            request.set(ValueLayout.JAVA_SHORT, NAME_LENGTH, IFF_TAP_NO_PI_VNET_HDR);
            if (LinuxCalls.ioctl(errno, fd, TUNSETIFF, request.address()) < 0) {
                throw failure(
                        switch (errno.value()) {
                            case LinuxCalls.EPERM ->
                                    ("The interface %s is not there or not this user's; as root:"
                                                    + " ip tuntap add %s mode tap user %s")
                                            .formatted(name, name, System.getProperty("user.name"));
                            case LinuxCalls.EBUSY -> "Another program uses the interface " + name;
                            case LinuxCalls.EINVAL ->
                                    name
                                            + " is not a TAP interface, or has other options than"
                                            + " this one";
                            default -> "Cannot open the interface " + name + ": " + errno.text();
                        });
            }
            MemorySegment number = arena.allocate(ValueLayout.JAVA_INT);
            number.set(ValueLayout.JAVA_INT, 0, HEADER);
            LinuxCalls.ioctl(errno, fd, TUNSETVNETHDRSZ, number.address());
            number.set(ValueLayout.JAVA_INT, 0, 1);
            LinuxCalls.ioctl(errno, fd, TUNSETVNETLE, number.address());
        }
    }

    private static NetworkException failure(String message) {
        return new NetworkException(NetworkException.Code.HOST_CANNOT, message);
    }

    @Override
    public LinkEnd connect(LinkEnd end) {
        if (card != null) {
            throw new IllegalStateException("A card is plugged in already");
        }
        card = end;
        // The kernel may leave everything to us; Segmenter does what the driver does not accept.
        LinuxCalls.ioctl(new LinuxCalls.Errno(), fd, TUNSETOFFLOAD, ALL_OFFLOADS);
        reader.start();
        return this;
    }

    // From the card

    @Override
    public boolean deliver(Frame frame) {
        lock.lock();
        try {
            if (closed || frame.length() > Frame.MAXIMUM_LENGTH) {
                return true;
            }
            out.clear();
            out.put(0, (byte) (frame.needsChecksum() ? 1 : 0)).put(1, (byte) frame.gsoType());
            out.putShort(2, (short) 0).putShort(4, (short) frame.gsoSize());
            out.putShort(6, (short) Math.max(0, frame.checksumStart()));
            out.putShort(8, (short) frame.checksumOffset());
            out.position(HEADER);
            frame.copyTo(out);
            // A full queue and a frame that the kernel does not like are lost, as on a real wire.
            LinuxCalls.write(writeErrno, fd, outAddress, out.position());
            return true;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void flush() {}

    @Override
    public void roomAgain() {
        synchronized (room) {
            roomKnown = true;
            room.notifyAll();
        }
    }

    @Override
    public int offloads() {
        return ALL_OFFLOADS;
    }

    // To the card

    private void read() {
        LinuxCalls.Errno errno = new LinuxCalls.Errno();
        ByteBuffer in = buffer();
        long address = MemorySegment.ofBuffer(in).address();
        Frame frame = new Frame();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment set = arena.allocate(16, 8);
            set.set(ValueLayout.JAVA_INT, 0, fd);
            set.set(ValueLayout.JAVA_SHORT, 4, LinuxCalls.POLLIN);
            set.set(ValueLayout.JAVA_INT, 8, wake);
            set.set(ValueLayout.JAVA_SHORT, 12, LinuxCalls.POLLIN);
            while (!closed) {
                if (LinuxCalls.poll(errno, set.address(), 2, -1) < 0) {
                    continue;
                }
                if (set.get(ValueLayout.JAVA_SHORT, 6) == 0) {
                    continue;
                }
                long count = LinuxCalls.read(errno, fd, address, BUFFER);
                if (count > HEADER) {
                    receive(in, (int) count, frame);
                } else if (count < 0 && !passing(errno.value())) {
                    LOG.warn("The interface {} is gone: {}", name, errno.text());
                    return;
                }
            }
        }
    }

    private static boolean passing(int errno) {
        return errno == LinuxCalls.EAGAIN || errno == LinuxCalls.EINTR;
    }

    private void receive(ByteBuffer in, int count, Frame frame) {
        ByteBuffer bytes = in.slice(HEADER, count - HEADER);
        frame.reset(bytes);
        if ((in.get(0) & 1) != 0) {
            frame.leaveChecksum(in.getShort(6) & 0xffff, in.getShort(8) & 0xffff);
        }
        int type = in.get(1) & 0x7f;
        if (type != Frame.GSO_NONE) {
            frame.leaveSegmentation(type, in.getShort(4) & 0xffff);
        }
        while (!closed) {
            synchronized (room) {
                roomKnown = false;
            }
            boolean taken = segmenter.deliver(frame, card);
            card.flush();
            if (taken) {
                return;
            }
            awaitRoom();
        }
    }

    private void awaitRoom() {
        synchronized (room) {
            while (!roomKnown && !closed) {
                try {
                    room.wait();
                } catch (InterruptedException e) {
                    return;
                }
            }
        }
    }

    @Override
    public String description() {
        return "TAP interface " + name;
    }

    @Override
    public void close() {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            closed = true;
        } finally {
            lock.unlock();
        }
        LinuxCalls.Errno errno = new LinuxCalls.Errno();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment one = arena.allocate(8, 8);
            one.set(ValueLayout.JAVA_LONG, 0, 1);
            LinuxCalls.write(errno, wake, one.address(), 8);
        }
        roomAgain();
        while (reader.isAlive() && Thread.currentThread() != reader) {
            try {
                reader.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        LinuxCalls.close(errno, fd);
        LinuxCalls.close(errno, wake);
    }
}
