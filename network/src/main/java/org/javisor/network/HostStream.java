package org.javisor.network;

import java.io.IOException;
import java.nio.ByteBuffer;

/** The host's half of a relayed TCP connection. Nothing here waits. */
interface HostStream {
    /**
     * Begins to connect; {@link TcpConnection#hostConnected} or {@code hostFailed} follows, perhaps
     * before this returns.
     */
    void connect();

    /** Reads what there is; 0 if nothing, -1 at the end. */
    int read(ByteBuffer target) throws IOException;

    /** Writes what there is room for. */
    int write(ByteBuffer source) throws IOException;

    /** No more will be written. */
    void shutdownOutput() throws IOException;

    /** Which of {@link TcpConnection#hostReadable} and {@code hostWritable} are to be called. */
    void want(boolean reading, boolean writing);

    /** Ends it in order. */
    void close();

    /** Ends it so that the other side learns that data may have been lost. */
    void reset();
}
