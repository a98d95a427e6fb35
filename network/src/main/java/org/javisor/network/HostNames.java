package org.javisor.network;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The names in a hosts file (hosts(5)), read anew when it has changed. The host's loopback
 * addresses are the gateway's to the guest.
 */
final class HostNames {
    private static final int MAXIMUM_SIZE = 4 << 20;

    private final Path file;
    private long stamp = -1;
    private Map<String, List<IpAddress>> addresses = Map.of();

    private HostNames(Path file) {
        this.file = file;
    }

    static HostNames in(Path file) {
        return new HostNames(file);
    }

    /** The addresses of a name, in lower case and without a final dot; empty if it is not there. */
    List<IpAddress> addresses(String name) {
        refresh();
        return addresses.getOrDefault(name, List.of());
    }

    private void refresh() {
        try {
            long now = Files.getLastModifiedTime(file).toMillis();
            if (now != stamp && Files.size(file) <= MAXIMUM_SIZE) {
                addresses = read(Files.readString(file, StandardCharsets.ISO_8859_1));
                stamp = now;
            }
        } catch (IOException e) {
            // A host without that file has no names of its own.
            addresses = Map.of();
        }
    }

    private static Map<String, List<IpAddress>> read(String text) {
        Map<String, List<IpAddress>> result = new HashMap<>();
        text.lines()
                .map(line -> line.replaceFirst("#.*", "").trim().split("\\s+"))
                .filter(words -> words.length > 1)
                .forEach(words -> add(result, words));
        return result;
    }

    private static void add(Map<String, List<IpAddress>> result, String[] words) {
        InetAddress literal;
        try {
            literal = InetAddress.ofLiteral(words[0]);
        } catch (IllegalArgumentException e) {
            return;
        }
        IpAddress address = IpAddress.of(literal);
        if (literal.isLoopbackAddress()) {
            address = address.isV4() ? UserNetworkConfig.GATEWAY : UserNetworkConfig.GATEWAY6;
        }
        for (int i = 1; i < words.length; i++) {
            List<IpAddress> known =
                    result.computeIfAbsent(
                            words[i].toLowerCase(Locale.ROOT), n -> new ArrayList<>());
            if (!known.contains(address)) {
                known.add(address);
            }
        }
    }
}
