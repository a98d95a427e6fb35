package org.javisor.gdb;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.javisor.gdb.TargetDescription.Architecture;
import org.javisor.machine.Machine;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets debuggers attach to a machine, one at a time, over TCP on the loopback interface.
 *
 * {@snippet :
 * try (GdbServer server = GdbServer.listen(1234)) {
 *     machine.start();
 *     server.serve(machine, System.err::println);
 *     machine.awaitEnd();
 * }
 * }
 *
 * <p>The guest stops when a debugger sends its first packet, and goes on when it detaches or its
 * connection is lost. To be closed before the machine.
 */
public final class GdbServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(GdbServer.class);

    /** How long a client that is refused may take to read why, and a session to end. */
    private static final int PATIENCE_MILLIS = 1000;

    /** How long a session may take to end after its client has left. */
    private static final int LEAVING_MILLIS = 300;

    private final ServerSocket listener;
    private final AtomicReference<Active> current = new AtomicReference<>();
    private volatile Architecture architecture = Architecture.X86_64;
    private volatile boolean closed;

    private record Active(Session session, Thread thread) {}

    private GdbServer(ServerSocket listener) {
        this.listener = listener;
    }

    /**
     * Begins to listen; nobody is served yet.
     *
     * @param port a TCP port, or 0 for any that is free
     * @throws IOException if the port is taken or not allowed
     */
    public static GdbServer listen(int port) throws IOException {
        return new GdbServer(new ServerSocket(port, 4, InetAddress.getLoopbackAddress()));
    }

    /** The port it listens to. */
    public int port() {
        return listener.getLocalPort();
    }

    /**
     * Begins to serve.
     *
     * @param machine one that has been started
     * @param notices hears in a line each of debuggers that come and go
     */
    public void serve(Machine machine, Consumer<String> notices) {
        Thread.ofPlatform()
                .name(machine.config().name() + "-gdb")
                .daemon()
                .start(() -> accept(machine, notices));
    }

    private void accept(Machine machine, Consumer<String> notices) {
        while (!closed) {
            try {
                begin(listener.accept(), machine, notices);
            } catch (IOException e) {
                LOG.debug("Accepting a debugger", e);
                // If the host is short of something, asking at once again would not help.
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
            }
        }
    }

    private void begin(Socket socket, Machine machine, Consumer<String> notices)
            throws IOException {
        socket.setTcpNoDelay(true);
        socket.setKeepAlive(true);
        awaitLeaving();
        Session session = new Session(socket, machine, architecture, notices);
        Thread thread =
                Thread.ofPlatform()
                        .name(machine.config().name() + "-gdb-session")
                        .daemon()
                        .unstarted(() -> serve(session));
        if (current.compareAndSet(null, new Active(session, thread))) {
            thread.start();
        } else {
            Thread.ofVirtual().name("gdb-refusal").start(() -> refuse(socket));
        }
    }

    /** Who disconnects and connects again must not meet himself. */
    private void awaitLeaving() {
        Active active = current.get();
        if (active != null) {
            try {
                active.thread().join(LEAVING_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void serve(Session session) {
        try {
            session.serve().ifPresent(chosen -> architecture = chosen);
        } finally {
            current.set(null);
        }
    }

    /** As the answer to the packet that every debugger sends first. */
    private static void refuse(Socket socket) {
        try (socket) {
            OutputStream out = socket.getOutputStream();
            out.write('+');
            out.write(PacketWriter.frame("E.Another debugger is attached to this machine"));
            out.flush();
            socket.shutdownOutput();
            // Closing before the client's words are read would take the answer away from it.
            socket.setSoTimeout(PATIENCE_MILLIS);
            byte[] ignored = new byte[1024];
            for (int reads = 0; reads < 16 && socket.getInputStream().read(ignored) >= 0; ) {
                reads++;
            }
        } catch (IOException e) {
            LOG.debug("Refusing a second debugger", e);
        }
    }

    /** Ends the session, if there is one, and waits for it; the guest goes on. */
    @Override
    public void close() {
        closed = true;
        try {
            listener.close();
        } catch (IOException e) {
            LOG.debug("Closing the debugger's port", e);
        }
        Active active = current.get();
        if (active == null) {
            return;
        }
        active.session().finish();
        try {
            active.thread().join(PATIENCE_MILLIS);
            active.session().close();
            active.thread().join();
        } catch (InterruptedException e) {
            active.session().close();
            Thread.currentThread().interrupt();
        }
    }
}
