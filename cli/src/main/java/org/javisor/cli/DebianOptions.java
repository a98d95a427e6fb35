package org.javisor.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.javisor.image.GuestSeed;
import picocli.CommandLine.Option;

/** The options of {@code javisor run} for guests with a disk of their own. */
final class DebianOptions {
    private static final long MAX_FILE = 1 << 20;

    @Option(
            names = "--ephemeral",
            description = "Keep nothing that the guest writes to its disk, also with --name.")
    boolean ephemeral;

    @Option(
            names = "--hostname",
            paramLabel = "NAME",
            description = "The guest's host name (default: the machine's --name).")
    Optional<String> hostname = Optional.empty();

    @Option(
            names = "--user",
            paramLabel = "NAME",
            description = "Make this user at the first boot; may become root with sudo.")
    Optional<String> user = Optional.empty();

    @Option(
            names = "--ssh-key",
            paramLabel = "FILE",
            description = {
                "A public key that may log in with ssh, as root and --user",
                "(default: the .pub files in ~/.ssh). May be repeated."
            })
    List<Path> keys = new ArrayList<>();

    @Option(
            names = "--first-boot",
            paramLabel = "COMMAND",
            description = {
                "A shell command for the guest to run at its first boot,",
                "once its network is up. May be repeated."
            })
    List<String> commands = new ArrayList<>();

    @Option(
            names = "--cloud-init",
            paramLabel = "FILE",
            description = "User data for cloud-init, if the image has that package.")
    Optional<Path> cloudInit = Optional.empty();

    /** What the machine is told about itself. */
    GuestSeed seed(String instance, Optional<String> name) {
        // A machine's name may be one that no host can have; only the user's own choice is judged.
        Optional<String> host =
                hostname.or(
                        () ->
                                name.filter(
                                        n -> n.matches("[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")));
        Optional<byte[]> data = cloudInit.map(file -> read(file).getBytes(StandardCharsets.UTF_8));
        return new GuestSeed(instance, host, user, allowedKeys(), commands, data);
    }

    /** Whether the user asked for something that only a guest with a disk can do. */
    boolean any() {
        return ephemeral
                || hostname.isPresent()
                || user.isPresent()
                || !keys.isEmpty()
                || !commands.isEmpty()
                || cloudInit.isPresent();
    }

    private List<String> allowedKeys() {
        List<String> lines = new ArrayList<>();
        for (Path file : keys.isEmpty() ? usualKeys() : keys) {
            read(file)
                    .lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                    .forEach(lines::add);
        }
        return lines;
    }

    private static List<Path> usualKeys() {
        Path directory = Path.of(System.getProperty("user.home"), ".ssh");
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "id_*.pub")) {
            for (Path file : files) {
                if (Files.isReadable(file)) {
                    found.add(file);
                }
            }
        } catch (IOException e) {
            return List.of();
        }
        return found;
    }

    private static String read(Path file) {
        try {
            if (Files.size(file) > MAX_FILE) {
                throw new CliException(ExitCode.USAGE, file + " is larger than any such file is");
            }
            return Files.readString(file);
        } catch (IOException e) {
            throw new CliException(
                    ExitCode.USAGE, "Cannot read " + file + "; check its name and permissions");
        }
    }
}
