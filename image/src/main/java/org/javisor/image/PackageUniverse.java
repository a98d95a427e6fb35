package org.javisor.image;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Every package of a suite, by name and by what it provides. */
final class PackageUniverse {
    private static final int MAX_PACKAGES = 500_000;
    private static final Set<String> FIELDS =
            Set.of(
                    "Package",
                    "Version",
                    "Filename",
                    "Size",
                    "SHA256",
                    "Priority",
                    "Essential",
                    "Depends",
                    "Pre-Depends",
                    "Provides",
                    "Conflicts",
                    "Breaks");

    private final Map<String, DebianPackage> byName = new HashMap<>();
    private final Map<String, List<DebianPackage>> providers = new HashMap<>();

    PackageUniverse(Collection<DebianPackage> packages) {
        for (DebianPackage each : packages) {
            DebianPackage known = byName.get(each.name());
            if (known == null || DebianVersion.ORDER.compare(known.version(), each.version()) < 0) {
                byName.put(each.name(), each);
            }
        }
        for (DebianPackage each : byName.values()) {
            for (Relation provided : each.provides()) {
                providers.computeIfAbsent(provided.name(), n -> new ArrayList<>()).add(each);
            }
        }
    }

    /**
     * Reads an uncompressed Packages index.
     *
     * @throws ImageException {@code MALFORMED}, {@code INTERRUPTED}
     */
    static PackageUniverse read(InputStream index) throws IOException {
        List<DebianPackage> packages = new ArrayList<>();
        BufferedReader in =
                new BufferedReader(new InputStreamReader(index, StandardCharsets.UTF_8), 1 << 18);
        Map<String, String> fields = new HashMap<>();
        for (String line; (line = in.readLine()) != null; ) {
            if (line.isEmpty()) {
                take(fields, packages);
                fields.clear();
                if (Thread.currentThread().isInterrupted()) {
                    throw new ImageException(
                            ImageException.Code.INTERRUPTED,
                            "Interrupted while reading the package list");
                }
                continue;
            }
            int colon = line.indexOf(':');
            // What continues a field belongs to a description, which nobody asks for here.
            boolean continues = line.charAt(0) == ' ' || line.charAt(0) == '\t';
            if (colon > 0 && !continues && FIELDS.contains(line.substring(0, colon))) {
                fields.put(line.substring(0, colon), line.substring(colon + 1).strip());
            }
        }
        take(fields, packages);
        return new PackageUniverse(packages);
    }

    private static void take(Map<String, String> fields, List<DebianPackage> packages) {
        if (!fields.containsKey("Package")) {
            return;
        }
        if (packages.size() >= MAX_PACKAGES) {
            throw new ImageException(
                    ImageException.Code.MALFORMED, "The package list names too many packages");
        }
        List<Relation> conflicts = new ArrayList<>();
        Relation.clauses(fields.getOrDefault("Conflicts", "")).forEach(conflicts::addAll);
        Relation.clauses(fields.getOrDefault("Breaks", "")).forEach(conflicts::addAll);
        List<Relation> provides = new ArrayList<>();
        Relation.clauses(fields.getOrDefault("Provides", "")).forEach(provides::addAll);
        List<List<Relation>> depends =
                new ArrayList<>(Relation.clauses(fields.getOrDefault("Pre-Depends", "")));
        depends.addAll(Relation.clauses(fields.getOrDefault("Depends", "")));
        packages.add(
                new DebianPackage(
                        PackagesIndex.record(
                                fields.get("Package"), new Deb822.Stanza(lower(fields))),
                        fields.getOrDefault("Priority", "optional"),
                        fields.getOrDefault("Essential", "no").equals("yes"),
                        depends,
                        provides,
                        conflicts));
    }

    private static Map<String, String> lower(Map<String, String> fields) {
        Map<String, String> lower = new HashMap<>();
        for (String name : List.of("Version", "Filename", "Size", "SHA256", "Depends")) {
            if (fields.containsKey(name)) {
                lower.put(name.toLowerCase(java.util.Locale.ROOT), fields.get(name));
            }
        }
        return lower;
    }

    Optional<DebianPackage> named(String name) {
        return Optional.ofNullable(byName.get(name));
    }

    Collection<DebianPackage> all() {
        return byName.values();
    }

    List<DebianPackage> providing(String name) {
        return providers.getOrDefault(name, List.of());
    }
}
