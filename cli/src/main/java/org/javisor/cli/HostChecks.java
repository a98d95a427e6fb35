package org.javisor.cli;

import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.javisor.image.ImageException;
import org.javisor.image.ImageStore;
import org.javisor.image.PullSettings;
import org.javisor.machine.EngineChoice;
import org.javisor.machine.EngineSelection;
import org.javisor.machine.HostKvm;
import org.javisor.machine.HostMemory;

/** What {@code javisor doctor} looks at. Nothing is changed, and nothing is fetched. */
final class HostChecks {
    private static final int JAVA = 25;
    private static final long GIB = 1L << 30;

    /** The kernel package, unpacked parts and the initial RAM disk of one image, generously. */
    private static final long CACHE_NEED = 512L << 20;

    private HostChecks() {}

    static List<Finding> all(Surroundings surroundings, PullSettings pull) {
        List<Finding> findings = new ArrayList<>(List.of(java(), processors()));
        findings.addAll(kvm(Path.of("/dev/kvm"), HostKvm::examine));
        findings.addAll(others(surroundings, pull));
        return findings;
    }

    private static List<Finding> others(Surroundings surroundings, PullSettings pull) {
        return List.of(
                engine(),
                memory(HostMemory.total()),
                cache(ImageStore.ofUser(surroundings.environment()).directory()),
                mirror(pull),
                keyring(pull),
                terminal(surroundings));
    }

    private static Finding java() {
        int version = Runtime.version().feature();
        String text = "Java " + Runtime.version() + ", " + System.getProperty("java.vm.name");
        return version >= JAVA
                ? Finding.ok("java", text)
                : Finding.fail("java", text + "; install a JDK " + JAVA + " or newer");
    }

    private static Finding processors() {
        int count = Runtime.getRuntime().availableProcessors();
        return Finding.ok(
                "host",
                "%s %s, %d processors"
                        .formatted(
                                System.getProperty("os.name"),
                                System.getProperty("os.arch"),
                                count));
    }

    static List<Finding> kvm(Path device, Supplier<HostKvm.Finding> examination) {
        if (!Files.exists(device)) {
            return List.of(
                    Finding.warn(
                            "kvm",
                            device
                                    + " is not there; guests run without hardware help (on real"
                                    + " hardware: switch virtualization on in the firmware; in a"
                                    + " virtual machine: nested virtualization)"));
        }
        if (!Files.isReadable(device) || !Files.isWritable(device)) {
            return List.of(
                    Finding.warn(
                            "kvm",
                            device
                                    + " is there but not for you; have yourself added to the group "
                                    + groupOf(device)
                                    + " (usermod -aG) and log in again"));
        }
        HostKvm.Finding found = examination.get();
        List<Finding> findings = new ArrayList<>();
        findings.add(
                found.good() ? Finding.ok("kvm", found.text()) : Finding.warn("kvm", found.text()));
        found.missing().forEach(lack -> findings.add(Finding.ok("kvm", lack)));
        return findings;
    }

    private static String groupOf(Path file) {
        try {
            return Files.readAttributes(file, PosixFileAttributes.class).group().getName();
        } catch (IOException | UnsupportedOperationException e) {
            return "kvm";
        }
    }

    private static Finding engine() {
        return Finding.ok("engine", EngineSelection.select(EngineChoice.AUTO).reason());
    }

    static Finding memory(long bytes) {
        String text = "%.1f GiB for this process at most".formatted((double) bytes / GIB);
        return bytes >= GIB
                ? Finding.ok("memory", text)
                : Finding.warn("memory", text + "; give guests less than the usual 512M (-m)");
    }

    static Finding cache(Path directory) {
        Path existing = directory.toAbsolutePath();
        while (!Files.exists(existing) && existing.getParent() != null) {
            existing = existing.getParent();
        }
        if (!Files.isDirectory(existing) || !Files.isWritable(existing)) {
            return Finding.fail(
                    "cache",
                    existing
                            + " cannot be written to; correct its permissions, or set"
                            + " XDG_CACHE_HOME to another directory");
        }
        try {
            FileStore store = Files.getFileStore(existing);
            long free = store.getUsableSpace();
            String text = "%s, %.1f GiB free".formatted(directory, (double) free / GIB);
            return free >= CACHE_NEED
                    ? Finding.ok("cache", text)
                    : Finding.warn("cache", text + "; an image needs up to half a GiB");
        } catch (IOException e) {
            return Finding.warn("cache", directory + "; how much is free cannot be told");
        }
    }

    private static Finding mirror(PullSettings pull) {
        try {
            return Finding.ok("mirror", "from " + pull.findMirror().origin());
        } catch (ImageException e) {
            return Finding.warn("mirror", e.getMessage());
        }
    }

    private static Finding keyring(PullSettings pull) {
        try {
            pull.checkKeyring();
            return Finding.ok("keyring", "the Debian archive's keys are there");
        } catch (ImageException e) {
            return Finding.warn("keyring", e.getMessage());
        }
    }

    private static Finding terminal(Surroundings surroundings) {
        if (!surroundings.stdinTerminal()) {
            return Finding.ok(
                    "terminal", "none on standard input; guests get its bytes as they come");
        }
        Optional<HostTerminal> terminal = HostTerminal.open();
        if (terminal.isEmpty()) {
            return Finding.warn(
                    "terminal", "it cannot be made raw; keys reach the guest a line at a time");
        }
        try (HostTerminal open = terminal.get()) {
            return Finding.ok(
                    "terminal",
                    "%s, %d columns, %d rows"
                            .formatted(
                                    surroundings.environment().getOrDefault("TERM", "unknown"),
                                    open.size().columns(),
                                    open.size().rows()));
        }
    }
}
