package org.javisor.kvm;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/** The KVM of this host: whether it is there, and what it offers. */
public final class KvmHost {
    private static final Path DEVICE = Path.of("/dev/kvm");

    /** The only version of the interface there has been since Linux 2.6.22. */
    private static final int API_VERSION = 12;

    private KvmHost() {}

    /**
     * The system handle.
     *
     * @throws KvmException if it cannot be had
     */
    static KvmHandle open() {
        if (!LinuxCalls.available()) {
            throw new KvmException("KVM on this platform", 19);
        }
        int fd = LinuxCalls.open(DEVICE.toString());
        if (fd < 0) {
            throw new KvmException("Opening " + DEVICE, -fd);
        }
        return new KvmHandle(fd);
    }

    /** Why KVM cannot be used here and what to do about it, in part of a line; empty if it can. */
    public static Optional<String> obstacle() {
        return obstacle(DEVICE);
    }

    static Optional<String> obstacle(Path device) {
        if (!System.getProperty("os.name").equals("Linux")) {
            return Optional.of("only on Linux");
        }
        if (!LinuxCalls.available()) {
            return Optional.of("only on x86-64 hosts");
        }
        if (!Files.exists(device)) {
            return Optional.of("not on this host (" + device + " is not there)");
        }
        if (!Files.isReadable(device) || !Files.isWritable(device)) {
            return Optional.of(
                    "not open to you (" + device + "; join the group " + groupOf(device) + ")");
        }
        try (KvmHandle system = open()) {
            return obstacle(system);
        } catch (KvmException e) {
            return Optional.of("not usable (" + e.getMessage() + ")");
        }
    }

    private static Optional<String> obstacle(KvmHandle system) {
        int version = system.tryCall(Ioctl.GET_API_VERSION, 0);
        if (version != API_VERSION) {
            return Optional.of("of an unknown version, " + version);
        }
        return Arrays.stream(Capability.values())
                .filter(capability -> capability.essential() && !system.offers(capability))
                .findFirst()
                .map(missing -> "too old (no " + missing + ": " + missing.without() + ")");
    }

    private static String groupOf(Path file) {
        try {
            return Files.readAttributes(file, PosixFileAttributes.class).group().getName();
        } catch (IOException | UnsupportedOperationException e) {
            return "kvm";
        }
    }

    /**
     * What this host's KVM lacks of what the engine can use.
     *
     * @throws KvmException if it cannot be asked
     */
    public static Set<Capability> missing() {
        try (KvmHandle system = open()) {
            Set<Capability> missing = EnumSet.noneOf(Capability.class);
            for (Capability capability : Capability.values()) {
                if (!system.offers(capability)) {
                    missing.add(capability);
                }
            }
            return missing;
        }
    }
}
