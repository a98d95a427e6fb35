package org.javisor.image;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/**
 * What a machine is told about itself at its first boot. Where the guest has cloud-init it is given
 * to that as a NoCloud seed (cloud-init's documentation, "NoCloud"), else carried out by our own
 * script.
 *
 * @param instance the machine's identity: with a new one everything is done again
 * @param hostname one label of letters, digits and hyphens
 * @param user a user to make, who may become root with sudo without a password
 * @param keys SSH public keys that may log in, as root and as the user
 * @param commands shell commands for the first boot, once the network is up
 * @param userData cloud-init's; where it says the same as the others, it counts
 */
public record GuestSeed(
        String instance,
        Optional<String> hostname,
        Optional<String> user,
        List<String> keys,
        List<String> commands,
        Optional<byte[]> userData) {

    /** Nothing but an identity. */
    public static GuestSeed of(String instance) {
        return new GuestSeed(
                instance,
                Optional.empty(),
                Optional.empty(),
                List.of(),
                List.of(),
                Optional.empty());
    }

    /**
     * @throws ImageException {@code BAD_SEED}
     */
    public GuestSeed {
        keys = List.copyOf(keys);
        commands = List.copyOf(commands);
        hostname.ifPresent(
                name ->
                        check(
                                name.matches("[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"),
                                "'%s' is no host name: letters, digits and hyphens, at most 63",
                                name));
        user.ifPresent(
                name ->
                        check(
                                name.matches("[a-z_][a-z0-9_-]{0,30}"),
                                "'%s' is no user's name: lower-case letters, digits, '-' and '_'",
                                name));
        for (String key : keys) {
            check(
                    key.matches("(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/=]+( [^\\r\\n]*)?"),
                    "'%s' is no SSH public key, such as a line of ~/.ssh/id_ed25519.pub",
                    key);
        }
    }

    private static void check(boolean good, String message, String what) {
        if (!good) {
            throw new ImageException(
                    ImageException.Code.BAD_SEED, message.formatted(Text.printable(what)));
        }
    }

    void write(Initramfs seed) throws IOException {
        file(seed, "instance", instance + "\n");
        file(seed, "meta-data", metaData());
        if (userData.isPresent()) {
            seed.file("seed/user-data", 0600, userData.get());
            file(seed, "vendor-data", cloudConfig());
        } else {
            file(seed, "user-data", cloudConfig());
        }
        if (hostname.isPresent()) {
            file(seed, "hostname", hostname.get() + "\n");
        }
        if (user.isPresent()) {
            file(seed, "user", user.get() + "\n");
        }
        if (!keys.isEmpty()) {
            file(seed, "authorized_keys", String.join("\n", keys) + "\n");
        }
        if (!commands.isEmpty()) {
            file(seed, "first-boot", String.join("\n", commands) + "\n");
            seed.file(
                    "seed/javisor-first-boot.service",
                    0644,
                    DebianDisk.resource("javisor-first-boot.service"));
        }
    }

    private String metaData() {
        return "instance-id: "
                + instance
                + "\n"
                + hostname.map(name -> "local-hostname: " + name + "\n").orElse("");
    }

    private String cloudConfig() {
        StringBuilder text = new StringBuilder("#cloud-config\n");
        if (user.isPresent()) {
            text.append("users:\n  - name: ")
                    .append(user.get())
                    .append("\n    shell: /bin/bash\n    sudo: ALL=(ALL) NOPASSWD:ALL\n");
            if (!keys.isEmpty()) {
                text.append("    ssh_authorized_keys:\n");
                keys.forEach(key -> text.append("      - ").append(quoted(key)).append('\n'));
            }
        }
        if (!keys.isEmpty()) {
            // Root's login is switched off otherwise, whatever the keys.
            text.append("disable_root: false\nssh_authorized_keys:\n");
            keys.forEach(key -> text.append("  - ").append(quoted(key)).append('\n'));
        }
        return text.toString();
    }

    /** A YAML scalar in double quotes (YAML 1.2, 7.3.1). */
    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    private static void file(Initramfs seed, String name, String content) throws IOException {
        seed.file("seed/" + name, 0600, bytes(content));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
