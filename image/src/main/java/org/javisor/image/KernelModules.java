package org.javisor.image;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The kernel modules that a guest gets: the drivers of Javisor's devices and the file systems and
 * protocols used over them, as far as the kernel has them as modules, with what they depend on.
 *
 * <p>Besides the modules come the two indexes with which modprobe, called by init or by the kernel
 * itself, finds them: {@code modules.dep} and {@code modules.alias} (depmod(8)), made from what
 * each module says of itself in its ELF section {@code .modinfo}.
 */
final class KernelModules {

    /** What guests use; a kernel may have some of them built in and others not at all. */
    private static final Set<String> WANTED =
            Set.of(
                    "button",
                    "evdev",
                    "virtio_mmio",
                    "virtio_pci",
                    "virtio_blk",
                    "virtio_net",
                    "virtio_rng",
                    "virtio_console",
                    "virtio_balloon",
                    "vmw_vsock_virtio_transport",
                    "9p",
                    "9pnet_virtio",
                    "overlay",
                    "ext4",
                    "af_packet",
                    "i6300esb");

    /** What those depend on in one kernel or another; taken along only where they do. */
    private static final Set<String> POSSIBLE =
            Set.of(
                    "virtio",
                    "virtio_ring",
                    "virtio_pci_modern_dev",
                    "virtio_pci_legacy_dev",
                    "net_failover",
                    "failover",
                    "rng_core",
                    "vsock",
                    "vmw_vsock_virtio_transport_common",
                    "9pnet",
                    "netfs",
                    "fscache",
                    "jbd2",
                    "mbcache",
                    "crc16",
                    "crc32c_generic",
                    "libcrc32c",
                    "watchdog");

    /** ext4 asks the crypto layer for this one by name, which modinfo does not show. */
    private static final Map<String, String> UNDECLARED = Map.of("ext4", "crc32c_generic");

    private record Module(byte[] content, List<String> depends, List<String> aliases) {}

    private final Map<String, Module> taken = new TreeMap<>();
    private String release = "";

    /**
     * Whether this file of the kernel's package may be needed; then {@link #take} is to be called
     * with its content.
     *
     * @param path such as {@code usr/lib/modules/6.12.9/kernel/drivers/block/virtio_blk.ko.xz}
     */
    static boolean mayNeed(String path) {
        return path.contains("lib/modules/")
                && (WANTED.contains(name(path)) || POSSIBLE.contains(name(path)));
    }

    /**
     * @param content uncompressed
     */
    void take(String path, byte[] content) {
        int start = path.indexOf("lib/modules/") + "lib/modules/".length();
        release = path.substring(start, path.indexOf('/', start));
        List<String> depends = new ArrayList<>();
        List<String> aliases = new ArrayList<>();
        for (String fact : facts(content)) {
            if (fact.startsWith("depends=") && fact.length() > "depends=".length()) {
                depends.addAll(List.of(fact.substring("depends=".length()).split(",")));
            } else if (fact.startsWith("alias=")) {
                aliases.add(fact.substring("alias=".length()));
            }
        }
        String undeclared = UNDECLARED.get(name(path));
        if (undeclared != null) {
            depends.add(undeclared);
        }
        taken.put(name(path), new Module(content, depends, aliases));
    }

    /**
     * The files to put into the guest, by path: {@code lib/modules/RELEASE/…}; empty if the kernel
     * had none.
     */
    Map<String, byte[]> files() {
        Map<String, byte[]> files = new TreeMap<>();
        StringBuilder dependencies = new StringBuilder();
        StringBuilder aliases = new StringBuilder();
        for (String wanted : chosen()) {
            Module module = taken.get(wanted);
            files.put(directory() + wanted + ".ko", module.content);
            dependencies.append(wanted).append(".ko:");
            Set<String> needed = new LinkedHashSet<>();
            addDependencies(wanted, needed);
            needed.forEach(name -> dependencies.append(' ').append(name).append(".ko"));
            dependencies.append('\n');
            for (String alias : module.aliases) {
                aliases.append("alias ").append(alias).append(' ').append(wanted).append('\n');
            }
        }
        if (!files.isEmpty()) {
            files.put(directory() + "modules.dep", ascii(dependencies));
            files.put(directory() + "modules.alias", ascii(aliases));
        }
        return files;
    }

    private String directory() {
        return "lib/modules/" + release + "/";
    }

    private Set<String> chosen() {
        Set<String> chosen = new LinkedHashSet<>();
        for (String name : taken.keySet()) {
            if (WANTED.contains(name)) {
                chosen.add(name);
                addDependencies(name, chosen);
            }
        }
        return chosen;
    }

    /** Those that {@code name} needs, the one that needs others before them, as depmod writes. */
    private void addDependencies(String name, Set<String> to) {
        for (String needed : taken.get(name).depends) {
            if (taken.containsKey(needed) && to.add(needed)) {
                addDependencies(needed, to);
            }
        }
    }

    /** A module's name: its file's, with '_' for '-' as the kernel does. */
    private static String name(String path) {
        String file = path.substring(path.lastIndexOf('/') + 1);
        int end = file.indexOf(".ko");
        return end < 0 ? "" : file.substring(0, end).replace('-', '_');
    }

    /**
     * The entries of the section {@code .modinfo} of a 64-bit little-endian ELF file ("ELF-64
     * Object File Format", sections 3 and 5); none for anything else.
     */
    private static List<String> facts(byte[] content) {
        ByteBuffer elf = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
        try {
            if (elf.getInt(0) != 0x464c457f) {
                return List.of();
            }
            int sections = Math.toIntExact(elf.getLong(0x28));
            int size = elf.getShort(0x3a) & 0xffff;
            int count = elf.getShort(0x3c) & 0xffff;
            int nameSection = sections + size * (elf.getShort(0x3e) & 0xffff);
            int names = Math.toIntExact(elf.getLong(nameSection + 0x18));
            for (int at = sections; at < sections + size * count; at += size) {
                int start = Math.toIntExact(elf.getLong(at + 0x18));
                int length = Math.toIntExact(elf.getLong(at + 0x20));
                if (text(content, names + elf.getInt(at)).equals(".modinfo")) {
                    String all = new String(content, start, length, StandardCharsets.ISO_8859_1);
                    return List.of(all.split("\0+"));
                }
            }
            return List.of();
        } catch (IndexOutOfBoundsException | ArithmeticException e) {
            // Not a module after all; what cannot be read has no facts.
            return List.of();
        }
    }

    private static String text(byte[] content, int start) {
        int end = start;
        while (content[end] != 0) {
            end++;
        }
        return new String(content, start, end - start, StandardCharsets.ISO_8859_1);
    }

    private static byte[] ascii(CharSequence text) {
        return text.toString().getBytes(StandardCharsets.US_ASCII);
    }
}
