package org.javisor.machine;

import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.javisor.network.MacAddress;
import org.javisor.network.NetSpec;
import org.javisor.network.Network;
import org.javisor.network.NetworkException;
import org.javisor.network.Networks;
import org.javisor.share.ShareException;
import org.javisor.share.SharedFolder;
import org.javisor.storage.BlockBackend;
import org.javisor.storage.DiskSpec;
import org.javisor.storage.Disks;
import org.javisor.storage.StorageException;
import org.javisor.virtio.balloon.VirtioBalloon;
import org.javisor.virtio.blk.BlkConfig;
import org.javisor.virtio.blk.VirtioBlk;
import org.javisor.virtio.console.ConsolePort;
import org.javisor.virtio.console.VirtioConsole;
import org.javisor.virtio.net.VirtioNet;
import org.javisor.virtio.p9.Virtio9p;
import org.javisor.virtio.rng.VirtioRng;
import org.javisor.virtio.vsock.VirtioVsock;
import org.javisor.virtio.vsock.VsockSockets;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Virtio devices for {@link MachineConfig.Builder#device}. */
public final class VirtioDevices {
    private static final Logger LOG = LoggerFactory.getLogger(VirtioDevices.class);

    /** Queues of a disk that does not say how many it wants. */
    private static final int USUAL_QUEUES = 8;

    private VirtioDevices() {}

    /**
     * A folder of the host, which the guest mounts by its tag as type {@code 9p}; the machine's
     * creation opens it and fails with BAD_CONFIGURATION if that cannot be done.
     *
     * @param index of the machine's folders, from 0, for its name
     */
    public static VirtioSlot share(int index, ShareSpec spec) {
        String name = "virtio-9p" + index;
        return new VirtioSlot(name, surroundings -> newFolder(name, spec, surroundings));
    }

    private static Virtio9p newFolder(
            String name, ShareSpec spec, PciDevice.Surroundings surroundings) {
        try {
            return new Virtio9p(
                    surroundings.machine() + "-" + name,
                    SharedFolder.open(spec.directory(), spec.writable()),
                    spec.tag());
        } catch (ShareException e) {
            throw new MachineException(MachineException.Code.BAD_CONFIGURATION, e.getMessage(), e);
        }
    }

    /**
     * A disk; the machine's creation opens it and fails with BAD_CONFIGURATION if that cannot be
     * done.
     *
     * @param index of the machine's disks, from 0, for its name
     */
    public static VirtioSlot disk(int index, DiskSpec spec) {
        String name = "virtio-blk" + index;
        return new VirtioSlot(name, surroundings -> newDisk(name, spec, surroundings));
    }

    /** A source of random numbers: the host's. */
    public static VirtioSlot rng() {
        return new VirtioSlot(
                "virtio-rng",
                surroundings ->
                        new VirtioRng(
                                surroundings.machine() + "-rng", new SecureRandom()::nextBytes));
    }

    /**
     * A memory balloon, by which memory that the guest frees goes back to the host.
     *
     * @param target bytes that the guest is asked to give up from the start
     * @param made hears of the balloon, to change that later and to ask for statistics
     */
    public static VirtioSlot balloon(long target, Consumer<VirtioBalloon> made) {
        return new VirtioSlot(
                "virtio-balloon",
                surroundings -> {
                    VirtioBalloon balloon = new VirtioBalloon(surroundings.machine() + "-balloon");
                    balloon.setTarget(target);
                    made.accept(balloon);
                    return balloon;
                });
    }

    /**
     * A console, {@code hvc0} in Linux, and further ports.
     *
     * @param ports the console first
     * @param made hears of the device, to change the console's size
     */
    public static VirtioSlot console(List<ConsolePort> ports, Consumer<VirtioConsole> made) {
        return new VirtioSlot(
                "virtio-console",
                surroundings -> {
                    VirtioConsole console =
                            new VirtioConsole(surroundings.machine() + "-console", ports);
                    made.accept(console);
                    return console;
                });
    }

    /**
     * Sockets between the guest and the host.
     *
     * @param cid the guest's context ID, {@link VirtioVsock#FIRST_GUEST} to {@link
     *     VirtioVsock#LAST_GUEST}
     * @param socket where programs on the host reach them; see {@link VsockSockets}
     * @param made hears of the device, for streams of this program's own
     */
    public static VirtioSlot vsock(long cid, Optional<Path> socket, Consumer<VirtioVsock> made) {
        return new VirtioSlot(
                "virtio-vsock",
                surroundings -> {
                    VirtioVsock device = new VirtioVsock(surroundings.machine() + "-vsock", cid);
                    socket.ifPresent(path -> openSockets(device, path));
                    made.accept(device);
                    return device;
                });
    }

    private static void openSockets(VirtioVsock device, Path path) {
        try {
            device.closeWith(VsockSockets.open(device, path));
        } catch (IOException | UnsupportedOperationException e) {
            throw new MachineException(
                    MachineException.Code.BAD_CONFIGURATION,
                    "Cannot make the vsock socket %s: %s".formatted(path, e.getMessage()),
                    e);
        }
    }

    private static VirtioBlk newDisk(
            String name, DiskSpec spec, PciDevice.Surroundings surroundings) {
        FullDisk full = new FullDisk(spec.file(), surroundings);
        BlockBackend backend;
        try {
            backend = Disks.open(spec, full);
        } catch (StorageException e) {
            throw new MachineException(MachineException.Code.BAD_CONFIGURATION, e.getMessage(), e);
        }
        int queues =
                spec.queues() > 0 ? spec.queues() : Math.min(surroundings.cpus(), USUAL_QUEUES);
        BlkConfig config =
                new BlkConfig(
                        spec.serial().orElse(""),
                        queues,
                        spec.bytesPerSecond(),
                        spec.operationsPerSecond());
        VirtioBlk device =
                new VirtioBlk(
                        surroundings.machine() + "-" + name,
                        backend,
                        config,
                        surroundings.clock(),
                        failure ->
                                LOG.warn(
                                        "The guest gets I/O errors from its disk: {}",
                                        failure.getMessage()));
        full.connect(device);
        return device;
    }

    /**
     * A network card; the machine's creation opens its network and fails with BAD_CONFIGURATION or
     * HOST_CANNOT if that cannot be done.
     *
     * @param index of the machine's cards, from 0, for its name and address
     * @param spec not {@link NetSpec.None}
     * @param opened is told of the network, for its ports and its statistics
     */
    public static VirtioSlot net(int index, NetSpec spec, Consumer<VirtioNet> opened) {
        return new VirtioSlot(
                "virtio-net" + index,
                surroundings -> {
                    VirtioNet card = newCard(index, spec, surroundings.machine());
                    opened.accept(card);
                    return card;
                });
    }

    /**
     * A network card on a network of the caller's, such as a port of a {@link
     * org.javisor.network.Switch}.
     *
     * @param index of the machine's cards, from 0, for its name and address
     * @param network closed with the machine
     */
    public static VirtioSlot net(int index, Supplier<Network> network) {
        return new VirtioSlot(
                "virtio-net" + index,
                surroundings ->
                        new VirtioNet(
                                surroundings.machine(),
                                MacAddress.random(index),
                                0,
                                1,
                                network.get()));
    }

    private static VirtioNet newCard(int index, NetSpec spec, String machine) {
        try {
            Network network = Networks.open(machine, spec);
            MacAddress mac = spec.mac().orElseGet(() -> MacAddress.random(index));
            return new VirtioNet(machine, mac, spec.mtu(), spec.queues(), network);
        } catch (NetworkException e) {
            MachineException.Code code =
                    switch (e.code()) {
                        case BAD_OPTION, NO_SWITCH -> MachineException.Code.BAD_CONFIGURATION;
                        case PORT_TAKEN, HOST_CANNOT, FILE -> MachineException.Code.HOST_CANNOT;
                    };
            throw new MachineException(code, e.getMessage(), e);
        }
    }
}
