package org.javisor.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.javisor.filesystem.Attributes;
import org.javisor.filesystem.Ext4Writer;

/**
 * What dpkg knows of packages that were unpacked and not yet configured, as {@code dpkg --unpack}
 * leaves it in {@code /var/lib/dpkg} (dpkg's doc/spec, and dpkg-query(1) for the files). The
 * difference: configuration files stand in their places already, with their checksums recorded, so
 * that configuring has nothing to decide about them.
 */
final class DpkgDatabase {
    private static final String ROOT = "var/lib/dpkg/";
    private static final Set<String> KEPT_ELSEWHERE = Set.of("control");

    private final Ext4Writer disk;
    private final Instant time;
    private final StringBuilder status = new StringBuilder();
    private final StringBuilder order = new StringBuilder();
    private final Map<String, List<String>> triggers = new TreeMap<>();

    /** One package while it is unpacked. */
    static final class Entry {
        final Map<String, byte[]> control = new LinkedHashMap<>();
        final Map<String, Integer> permissions = new LinkedHashMap<>();

        /** The conffiles' checksums, by absolute path; empty until the file has come. */
        final Map<String, String> conffiles = new LinkedHashMap<>();

        final List<String> paths = new ArrayList<>();

        private Deb822.Stanza stanza() {
            byte[] text = control.getOrDefault("control", new byte[0]);
            List<Deb822.Stanza> stanzas = Deb822.parse(new String(text, StandardCharsets.UTF_8));
            return stanzas.isEmpty() ? new Deb822.Stanza(Map.of()) : stanzas.getFirst();
        }

        private String architecture() {
            return stanza().field("Architecture").orElse("amd64");
        }

        /** With its architecture where others of the same name may be installed beside it. */
        private String qualifiedName() {
            String name = stanza().field("Package").orElse("");
            boolean same = stanza().field("Multi-Arch").orElse("").equals("same");
            return same ? name + ":" + architecture() : name;
        }

        void control(String name, int mode, byte[] content) {
            control.put(name, content);
            permissions.put(name, mode);
            if (name.equals("conffiles")) {
                for (String line : text(content).split("\n")) {
                    // A flag in front tells of a file that is to go.
                    if (line.startsWith("/")) {
                        conffiles.put(line.strip(), "");
                    }
                }
            }
        }
    }

    DpkgDatabase(Ext4Writer disk, Instant time) {
        this.disk = disk;
        this.time = time;
    }

    private static String text(byte[] content) {
        return new String(content, StandardCharsets.UTF_8);
    }

    /** Records a package whose files have been unpacked. */
    void add(Entry entry) throws IOException {
        String name = entry.qualifiedName();
        for (Map.Entry<String, byte[]> file : entry.control.entrySet()) {
            if (!KEPT_ELSEWHERE.contains(file.getKey())) {
                write(
                        "info/" + name + "." + file.getKey(),
                        entry.permissions.get(file.getKey()),
                        file.getValue());
            }
        }
        StringBuilder list = new StringBuilder();
        entry.paths.forEach(path -> list.append(path).append('\n'));
        write("info/" + name + ".list", 0644, bytes(list));
        status.append(stanza(entry)).append('\n');
        order.append(name).append(' ').append(entry.architecture()).append('\n');
        interests(name, text(entry.control.getOrDefault("triggers", new byte[0])));
    }

    private static String stanza(Entry entry) {
        StringBuilder stanza = new StringBuilder();
        for (String line : text(entry.control.get("control")).split("\n")) {
            if (!line.isBlank()) {
                stanza.append(line).append('\n');
            }
            if (line.startsWith("Package:")) {
                stanza.append("Status: install ok unpacked\n");
            }
        }
        if (!entry.conffiles.isEmpty()) {
            stanza.append("Conffiles:\n");
            entry.conffiles.forEach(
                    (path, checksum) ->
                            stanza.append(' ')
                                    .append(path)
                                    .append(' ')
                                    .append(checksum.isEmpty() ? "newconffile" : checksum)
                                    .append('\n'));
        }
        return stanza.toString();
    }

    /** deb-triggers(5); dpkg's doc/triggers.txt, "On-disk state". */
    private void interests(String name, String text) {
        for (String line : text.split("\n")) {
            String[] words = line.strip().split("\\s+");
            if (words.length == 2 && words[0].startsWith("interest")) {
                String suffix = words[0].equals("interest-noawait") ? "/noawait" : "";
                boolean file = words[1].startsWith("/");
                triggers.computeIfAbsent(file ? "File" : words[1], t -> new ArrayList<>())
                        .add((file ? words[1] + " " : "") + name + suffix);
            }
        }
    }

    /**
     * Writes what concerns all packages.
     *
     * @param orderFile where to list the packages in the order in which they were unpacked
     */
    void finish(String orderFile) throws IOException {
        write("status", 0644, bytes(status));
        write("available", 0644, new byte[0]);
        write("diversions", 0644, new byte[0]);
        write("statoverride", 0644, new byte[0]);
        write("info/format", 0644, bytes("1\n"));
        write("triggers/Lock", 0600, new byte[0]);
        write("triggers/Unincorp", 0644, new byte[0]);
        for (String directory : List.of("alternatives", "parts", "updates")) {
            disk.directory(ROOT + directory, Attributes.ofRoot(0755, time));
        }
        for (Map.Entry<String, List<String>> trigger : triggers.entrySet()) {
            String lines = String.join("\n", trigger.getValue()) + "\n";
            write("triggers/" + trigger.getKey(), 0644, bytes(lines));
        }
        disk.file(orderFile, Attributes.ofRoot(0644, time), bytes(order));
    }

    private void write(String name, int permissions, byte[] content) throws IOException {
        disk.file(ROOT + name, Attributes.ofRoot(permissions, time), content);
    }

    private static byte[] bytes(CharSequence text) {
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }
}
