package org.javisor.virtio;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.javisor.network.MacAddress;
import org.javisor.network.UserNetwork;
import org.javisor.network.UserNetworkConfig;
import org.javisor.share.SharedFolder;
import org.javisor.storage.MemoryDisk;
import org.javisor.testkit.FakeClock;
import org.javisor.virtio.balloon.VirtioBalloon;
import org.javisor.virtio.blk.BlkConfig;
import org.javisor.virtio.blk.VirtioBlk;
import org.javisor.virtio.console.ConsolePort;
import org.javisor.virtio.console.VirtioConsole;
import org.javisor.virtio.net.VirtioNet;
import org.javisor.virtio.p9.Virtio9p;
import org.javisor.virtio.rng.VirtioRng;
import org.javisor.virtio.vsock.VirtioVsock;

/** The devices that are fuzzed, and requests to them that are nearly right. */
final class FuzzTargets {
    private FuzzTargets() {}

    /**
     * A device under test.
     *
     * @param requests what a request to it begins with, more or less
     * @param honest a request that must work in the end: queue, readable part, writable length
     */
    record Target(
            String name,
            Function<FakeClock, VirtioDevice> device,
            Function<Random, byte[]> requests,
            Honest honest) {
        @Override
        public String toString() {
            return name;
        }
    }

    record Honest(int queue, byte[] readable, int writable) {}

    /**
     * One of each device.
     *
     * @param folder an empty one, to be shared
     */
    static Stream<Target> all(Path folder) {
        return Stream.of(
                new Target(
                        "blk",
                        clock ->
                                new VirtioBlk(
                                        "blk",
                                        new MemoryDisk(1 << 20, false),
                                        new BlkConfig("fuzz", 2, 0, 0),
                                        clock,
                                        failure -> {}),
                        FuzzTargets::blkRequest,
                        new Honest(0, blkHeader(0, 0), 513)),
                new Target(
                        "rng",
                        clock -> new VirtioRng("rng", bytes -> {}),
                        random -> new byte[random.nextInt(8)],
                        new Honest(0, new byte[0], 8)),
                new Target(
                        "balloon",
                        clock -> new VirtioBalloon("balloon"),
                        FuzzTargets::pages,
                        new Honest(0, new byte[4], 0)),
                new Target(
                        "console",
                        clock ->
                                new VirtioConsole(
                                        "console",
                                        List.of(
                                                new ConsolePort("a", (data, at, length) -> {}),
                                                new ConsolePort("b", (data, at, length) -> {}))),
                        FuzzTargets::control,
                        new Honest(1, new byte[4], 0)),
                new Target(
                        "vsock",
                        clock -> {
                            VirtioVsock vsock = new VirtioVsock("vsock", 7);
                            vsock.listen(
                                    80,
                                    stream -> {
                                        stream.accept();
                                        byte[] buffer = new byte[1000];
                                        int count;
                                        while ((count = stream.read(buffer, 0, 1000)) >= 0) {
                                            stream.write(buffer, 0, count);
                                        }
                                    });
                            return vsock;
                        },
                        FuzzTargets::packet,
                        new Honest(1, new byte[44], 0)),
                new Target(
                        "net",
                        clock ->
                                new VirtioNet(
                                        "net",
                                        MacAddress.random(0),
                                        1400,
                                        2,
                                        new UserNetwork(
                                                "fuzz",
                                                UserNetworkConfig.DEFAULT.withRestrict(true))),
                        FuzzTargets::frame,
                        new Honest(1, new byte[72], 0)),
                new Target(
                        "9p",
                        clock -> new Virtio9p("9p", SharedFolder.open(folder, true), "fuzz"),
                        FuzzTargets::fileRequest,
                        new Honest(0, VERSION_REQUEST, 21)));
    }

    /** {@code Tversion} with 8 KiB. */
    private static final byte[] VERSION_REQUEST =
            ByteBuffer.allocate(21)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(21)
                    .put((byte) 100)
                    .putShort((short) -1)
                    .putInt(8192)
                    .putShort((short) 8)
                    .put("9P2000.L".getBytes(StandardCharsets.US_ASCII))
                    .array();

    /** A header and the head of an ARP request, or a command for the control queue. */
    private static byte[] frame(Random random) {
        if (random.nextInt(3) == 0) {
            return new byte[] {
                (byte) random.nextInt(7), (byte) random.nextInt(3), (byte) random.nextInt(3), 0
            };
        }
        ByteBuffer frame = ByteBuffer.allocate(54);
        frame.put((byte) random.nextInt(2)).put((byte) random.nextInt(6));
        frame.putShort(4, (short) random.nextInt()).putShort(6, (short) random.nextInt(0x4000));
        frame.putLong(12, -1).putLong(18, 0x00123456_0806_0001L).putInt(26, 0x08000604);
        return frame.putInt(30, 0x00015254).putInt(50, 0x0a000202).array();
    }

    /** Requests by number 0 to 3, with a name where some have one. */
    private static byte[] fileRequest(Random random) {
        int[] types = {8, 12, 14, 24, 40, 50, 72, 76, 104, 108, 110, 116, 118, 120, 122};
        ByteBuffer request = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        request.putInt(random.nextInt(8) == 0 ? random.nextInt() : 64)
                .put((byte) types[random.nextInt(types.length)])
                .putShort((short) random.nextInt(4))
                .putInt(random.nextInt(4))
                .putShort((short) 1)
                .put((byte) ('a' + random.nextInt(3)))
                .putInt(random.nextInt(4))
                .putLong(odd(random));
        return random.nextInt(16) == 0 ? VERSION_REQUEST : request.array();
    }

    private static byte[] blkHeader(int type, long sector) {
        return ByteBuffer.allocate(16)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(type)
                .putInt(0)
                .putLong(sector)
                .array();
    }

    /** A number of which drivers and devices may think too well. */
    static long odd(Random random) {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextInt(4096);
            case 1 -> random.nextLong();
            case 2 -> (1L << random.nextInt(64)) - random.nextInt(3);
            default -> random.nextInt(64);
        };
    }

    private static byte[] blkRequest(Random random) {
        int[] types = {0, 1, 4, 8, 11, 13, 14, random.nextInt()};
        byte[] rest = new byte[random.nextInt(4) * 16 + random.nextInt(2) * 512];
        ByteBuffer fields = ByteBuffer.wrap(rest).order(ByteOrder.LITTLE_ENDIAN);
        for (int at = 0; at + 16 <= Math.min(rest.length, 64); at += 16) {
            fields.putLong(at, odd(random)).putInt(at + 8, (int) odd(random));
        }
        byte[] header = blkHeader(types[random.nextInt(types.length)], odd(random));
        return ByteBuffer.allocate(16 + rest.length).put(header).put(rest).array();
    }

    private static byte[] pages(Random random) {
        ByteBuffer bytes =
                ByteBuffer.allocate(4 * random.nextInt(20) + random.nextInt(3))
                        .order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.remaining() >= 4) {
            // Not the rings', which lie below 8 MiB.
            bytes.putInt(random.nextInt(8) == 0 ? random.nextInt() : 2048 + random.nextInt(6144));
        }
        return bytes.array();
    }

    private static byte[] control(Random random) {
        return ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(random.nextInt(8) == 0 ? random.nextInt() : random.nextInt(3))
                .putShort((short) random.nextInt(9))
                .putShort((short) random.nextInt(3))
                .array();
    }

    private static byte[] packet(Random random) {
        int length = random.nextInt(2) * random.nextInt(3000);
        return ByteBuffer.allocate(44 + length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(random.nextInt(16) == 0 ? odd(random) : 7)
                .putLong(random.nextInt(16) == 0 ? odd(random) : 2)
                .putInt(random.nextInt(4))
                .putInt(80 + random.nextInt(2))
                .putInt(random.nextInt(8) == 0 ? (int) odd(random) : length)
                .putShort((short) (random.nextInt(16) == 0 ? random.nextInt() : 1))
                .putShort((short) random.nextInt(9))
                .putInt(random.nextInt(4))
                .putInt((int) odd(random))
                .putInt((int) odd(random))
                .array();
    }
}
