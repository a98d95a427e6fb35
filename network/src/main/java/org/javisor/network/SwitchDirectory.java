package org.javisor.network;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where the named switches of a user are: a directory with a Unix socket for each. The first byte
 * on a connection says what it is for.
 */
public final class SwitchDirectory {
    static final int CARD = 1;
    static final int ISOLATED_CARD = 2;
    static final int STATUS = 3;
    static final int STOP = 4;

    private static final String SUFFIX = ".sock";

    private final Path directory;

    public SwitchDirectory(Path directory) {
        this.directory = directory;
    }

    /**
     * The user's own: in {@code XDG_RUNTIME_DIR}, or else under the directory for temporary files.
     */
    public static SwitchDirectory ofUser(Map<String, String> environment) {
        String runtime = environment.getOrDefault("XDG_RUNTIME_DIR", "");
        Path base =
                runtime.isEmpty()
                        ? Path.of(
                                System.getProperty("java.io.tmpdir"),
                                "javisor-" + System.getProperty("user.name"))
                        : Path.of(runtime, "javisor");
        return new SwitchDirectory(base.resolve("switches"));
    }

    /** A switch that answers. */
    public record Running(String name, int cards) {}

    /** The switches that answer, by name. */
    public List<Running> list() {
        List<Running> result = new ArrayList<>();
        if (!Files.isDirectory(directory)) {
            return result;
        }
        try (Stream<Path> files = Files.list(directory)) {
            files.map(file -> file.getFileName().toString())
                    .filter(file -> file.endsWith(SUFFIX))
                    .map(file -> file.substring(0, file.length() - SUFFIX.length()))
                    .sorted()
                    .forEach(name -> status(name).ifPresent(result::add));
        } catch (IOException e) {
            throw new NetworkException(
                    NetworkException.Code.FILE,
                    "Cannot read " + directory + ": " + e.getMessage(),
                    e);
        }
        return result;
    }

    /** Empty if no switch of that name answers. */
    public Optional<Running> status(String name) {
        try {
            String answer = ask(name, STATUS);
            return Optional.of(new Running(name, Integer.parseInt(answer)));
        } catch (IOException | NumberFormatException e) {
            return Optional.empty();
        }
    }

    /**
     * Ends a switch.
     *
     * @throws NetworkException NO_SWITCH if there is none
     */
    public void stop(String name) {
        try {
            ask(name, STOP);
        } catch (IOException e) {
            throw absent(name, e);
        }
    }

    private String ask(String name, int question) throws IOException {
        try (SocketChannel channel = connect(name)) {
            channel.write(ByteBuffer.wrap(new byte[] {(byte) question}));
            byte[] answer = Channels.newInputStream(channel).readNBytes(64);
            return new String(answer, StandardCharsets.US_ASCII).trim();
        }
    }

    private SocketChannel connect(String name) throws IOException {
        NetSpec.checkSwitchName(name);
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket(name)));
            return channel;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /**
     * Connects a card.
     *
     * @throws NetworkException NO_SWITCH if there is none
     */
    SocketChannel join(String name, boolean isolated) {
        try {
            SocketChannel channel = connect(name);
            int kind = isolated ? ISOLATED_CARD : CARD;
            channel.write(ByteBuffer.wrap(new byte[] {(byte) kind}));
            channel.configureBlocking(false);
            return channel;
        } catch (IOException e) {
            throw absent(name, e);
        }
    }

    private static NetworkException absent(String name, IOException e) {
        return new NetworkException(
                NetworkException.Code.NO_SWITCH,
                "There is no switch %s; 'javisor switch create %s' makes it".formatted(name, name),
                e);
    }

    Path directory() {
        return directory;
    }

    Path socket(String name) {
        return directory.resolve(name + SUFFIX);
    }
}
