package org.javisor.network;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.ReentrantLock;

/** A named switch that machines of several processes join through a Unix socket. */
public final class SwitchServer implements AutoCloseable {
    /** Longer paths do not fit a socket's address on Linux. */
    private static final int LONGEST_PATH = 107;

    private final ReentrantLock lock = new ReentrantLock();
    private final EventLoop loop;
    private final Switch hub;
    private final Path socket;
    private final ServerSocketChannel server;
    private final CountDownLatch stopped = new CountDownLatch(1);

    /**
     * Makes the switch.
     *
     * @throws NetworkException BAD_OPTION if there is one of that name already, FILE if its socket
     *     cannot be made
     */
    public SwitchServer(SwitchDirectory directory, String name) {
        check(directory, name);
        hub = new Switch(name);
        socket = directory.socket(name);
        if (socket.toString().length() > LONGEST_PATH) {
            throw new NetworkException(
                    NetworkException.Code.FILE,
                    "The path %s is too long for a socket; set XDG_RUNTIME_DIR".formatted(socket));
        }
        server = listen(directory.directory());
        loop = new EventLoop("switch-" + name, lock, new Idle());
        try {
            server.configureBlocking(false);
            loop.register(server, SelectionKey.OP_ACCEPT, key -> accept());
        } catch (IOException e) {
            UserNetwork.closeQuietly(server);
            throw failure(e);
        }
        loop.start();
    }

    /**
     * Whether a switch of that name can be made.
     *
     * @throws NetworkException BAD_OPTION if not
     */
    public static void check(SwitchDirectory directory, String name) {
        NetSpec.checkSwitchName(name);
        if (directory.status(name).isPresent()) {
            throw NetworkException.badOption("There is a switch %s already", name);
        }
    }

    private ServerSocketChannel listen(Path directory) {
        try {
            Files.createDirectories(directory);
            // Whoever gets at the socket gets at the guests.
            if (directory.getFileSystem().supportedFileAttributeViews().contains("posix")) {
                Files.setPosixFilePermissions(
                        directory, PosixFilePermissions.fromString("rwx------"));
            }
            Files.deleteIfExists(socket);
            ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            return channel.bind(UnixDomainSocketAddress.of(socket));
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private NetworkException failure(IOException e) {
        String reason =
                e instanceof FileSystemException file && file.getReason() == null
                        ? e.getClass().getSimpleName()
                        : e.getMessage();
        return new NetworkException(
                NetworkException.Code.FILE, "Cannot make " + socket + ": " + reason, e);
    }

    /** Has no timers. */
    private static final class Idle implements EventLoop.Timed {
        @Override
        public long deadline() {
            return Long.MAX_VALUE;
        }

        @Override
        public void turn(long now) {}
    }

    private void accept() {
        try {
            SocketChannel channel = server.accept();
            if (channel != null) {
                channel.configureBlocking(false);
                loop.register(channel, SelectionKey.OP_READ, key -> greeted(channel, key));
            }
        } catch (IOException e) {
            // The other side has gone again.
            return;
        }
    }

    private void greeted(SocketChannel channel, SelectionKey key) {
        ByteBuffer kind = ByteBuffer.allocate(1);
        try {
            int count = channel.read(kind);
            if (count == 0) {
                return;
            }
            switch (count < 0 ? -1 : kind.get(0)) {
                case SwitchDirectory.CARD -> join(channel, false);
                case SwitchDirectory.ISOLATED_CARD -> join(channel, true);
                case SwitchDirectory.STATUS -> {
                    String answer = Integer.toString(hub.cards());
                    channel.write(ByteBuffer.wrap(answer.getBytes(StandardCharsets.US_ASCII)));
                    channel.close();
                }
                case SwitchDirectory.STOP -> {
                    channel.close();
                    stopped.countDown();
                }
                default -> channel.close();
            }
        } catch (IOException e) {
            UserNetwork.closeQuietly(channel);
        }
    }

    private void join(SocketChannel channel, boolean isolated) throws IOException {
        new RemoteCard(channel, hub.newPort(isolated));
    }

    /** What stands for another process's card. */
    private final class RemoteCard implements LinkEnd {
        private final FrameChannel frames;

        RemoteCard(SocketChannel channel, Network port) throws IOException {
            LinkEnd plug = port.connect(this);
            frames = new FrameChannel(loop, channel, plug, port::close);
        }

        @Override
        public boolean deliver(Frame frame) {
            return frames.send(frame);
        }

        @Override
        public void flush() {}

        @Override
        public void roomAgain() {
            frames.roomAgain();
        }

        @Override
        public int offloads() {
            return ALL_OFFLOADS;
        }
    }

    /** Waits until somebody asks for its end. */
    public void awaitStop() throws InterruptedException {
        stopped.await();
    }

    @Override
    public void close() {
        UserNetwork.closeQuietly(server);
        loop.close();
        try {
            Files.deleteIfExists(socket);
        } catch (IOException e) {
            // A socket without a listener is noticed by whoever tries it.
            return;
        }
    }
}
