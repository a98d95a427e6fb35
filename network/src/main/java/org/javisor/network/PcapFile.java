package org.javisor.network;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes frames to a file that tcpdump, tshark and Wireshark read: pcap with nanoseconds
 * (draft-ietf-opsawg-pcap). Thread-safe. A disk that fails ends the capture, not the network.
 */
final class PcapFile implements Closeable {
    private static final Logger LOG = LoggerFactory.getLogger(PcapFile.class);
    private static final int MAGIC = 0xa1b23c4d;
    private static final int LINK_ETHERNET = 1;
    private static final int BUFFER = 1 << 16;

    private final Path file;
    private final OutputStream out;
    private final ByteBuffer record =
            ByteBuffer.allocate(16 + Frame.MAXIMUM_LENGTH).order(ByteOrder.LITTLE_ENDIAN);
    private boolean ended;

    /**
     * Creates the file, or empties it.
     *
     * @throws NetworkException FILE if that cannot be done
     */
    PcapFile(Path file) {
        this.file = file;
        try {
            out = new BufferedOutputStream(Files.newOutputStream(file), BUFFER);
            ByteBuffer header = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
            header.putInt(MAGIC).putShort((short) 2).putShort((short) 4).putLong(0);
            header.putInt(Frame.MAXIMUM_LENGTH).putInt(LINK_ETHERNET);
            out.write(header.array());
            out.flush();
        } catch (IOException e) {
            throw new NetworkException(
                    NetworkException.Code.FILE,
                    "Cannot write the capture %s: %s"
                            .formatted(NetSpec.printable(file.toString()), reason(e)),
                    e);
        }
    }

    private static String reason(IOException e) {
        return switch (e) {
            case java.nio.file.NoSuchFileException missing -> "No such directory";
            case java.nio.file.AccessDeniedException denied -> "Permission denied";
            default -> e.getMessage();
        };
    }

    /** Adds a frame, as it was on the link: long segments whole, open checksums finished. */
    synchronized void write(Frame frame, Instant time) {
        if (ended || frame.length() > Frame.MAXIMUM_LENGTH) {
            return;
        }
        record.clear();
        record.putInt((int) time.getEpochSecond()).putInt(time.getNano());
        record.putInt(frame.length()).putInt(frame.length());
        frame.copyTo(record);
        if (frame.needsChecksum()) {
            ByteBuffer packet = record.duplicate().flip().position(16);
            Segmenter.finish(packet, frame.checksumStart(), frame.checksumOffset());
        }
        try {
            out.write(record.array(), 0, record.position());
        } catch (IOException e) {
            failed(e);
        }
    }

    /** What has been written is in the file from here on. */
    synchronized void flush() {
        try {
            if (!ended) {
                out.flush();
            }
        } catch (IOException e) {
            failed(e);
        }
    }

    private void failed(IOException e) {
        ended = true;
        LOG.warn("The capture {} ends here: {}", file, e.getMessage());
    }

    @Override
    public synchronized void close() {
        flush();
        ended = true;
        try {
            out.close();
        } catch (IOException e) {
            failed(e);
        }
    }
}
