package org.javisor.virtio.blk;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.javisor.storage.BlockBackend;
import org.javisor.virtio.DescriptorChain;
import org.javisor.virtio.Virtqueue;

/**
 * One request, from the queue to its status byte (virtio 1.2, section 5.2.6): a header of type and
 * sector, then the data, then a byte for the device to say how it went. Used again and again.
 */
final class BlkRequest {
    static final int READ = 0;
    static final int WRITE = 1;
    static final int FLUSH = 4;
    static final int GET_ID = 8;
    static final int DISCARD = 11;
    static final int WRITE_ZEROES = 13;

    private static final int OK = 0;
    private static final int IO_ERROR = 1;
    private static final int UNSUPPORTED = 2;

    static final int SECTOR = 512;
    static final int ID_BYTES = 20;
    private static final int HEADER = 16;

    /** A range to discard or zero: sector, number of sectors, flags. */
    private static final int RANGE = 16;

    private static final int UNMAP = 1;

    /** A reset does not wait for more than this much of one request. */
    private static final long PIECE = 4L << 20;

    final DescriptorChain chain = new DescriptorChain();
    private final List<MemorySegment> segments = new ArrayList<>();
    private Virtqueue queue;
    private int type;
    private long sector;

    /** The chain was just taken from that queue. Returns false if it is no request at all. */
    boolean begin(Virtqueue from) {
        queue = from;
        if (chain.readableLength() < HEADER || chain.writableLength() < 1) {
            return false;
        }
        type = (int) chain.readNumber(0, 4);
        sector = chain.readNumber(8, 8);
        return true;
    }

    Virtqueue queue() {
        return queue;
    }

    int type() {
        return type;
    }

    /** Bytes of data, for limits. */
    long dataLength() {
        return switch (type) {
            case READ -> chain.writableLength() - 1;
            case WRITE -> chain.readableLength() - HEADER;
            default -> 0;
        };
    }

    /**
     * Carries the request out and puts the status into guest memory.
     *
     * @param device asked for what concerns the whole device
     * @return bytes written into the chain
     */
    int carryOut(VirtioBlk device) {
        int status;
        try {
            status = status(device);
        } catch (RuntimeException e) {
            // A back end throws StorageException; whatever else it throws must not end the thread.
            status = IO_ERROR;
            device.failed(e);
        }
        long last = chain.writableLength() - 1;
        chain.writeNumber(last, 1, status);
        return (int) chain.writableLength();
    }

    private int status(VirtioBlk device) {
        BlockBackend backend = device.backend();
        return switch (type) {
            case READ -> read(device, backend);
            case WRITE -> write(device, backend);
            case FLUSH -> {
                backend.flush();
                yield OK;
            }
            case GET_ID -> {
                byte[] id = device.serial();
                chain.write(0, id, 0, (int) Math.min(id.length, chain.writableLength() - 1));
                yield OK;
            }
            case DISCARD, WRITE_ZEROES -> ranges(device, backend);
            default -> UNSUPPORTED;
        };
    }

    private int read(VirtioBlk device, BlockBackend backend) {
        long length = chain.writableLength() - 1;
        if (!inside(backend, sector, length)) {
            return IO_ERROR;
        }
        for (long done = 0; done < length; done += PIECE) {
            long part = Math.min(PIECE, length - done);
            segments.clear();
            if (device.stopping() || !chain.writableSegments(done, part, segments)) {
                return IO_ERROR;
            }
            try {
                backend.read(SECTOR * sector + done, segments.toArray(MemorySegment[]::new));
            } finally {
                chain.written(done, part);
            }
        }
        return OK;
    }

    private int write(VirtioBlk device, BlockBackend backend) {
        long length = chain.readableLength() - HEADER;
        if (backend.readOnly() || !inside(backend, sector, length)) {
            return IO_ERROR;
        }
        for (long done = 0; done < length; done += PIECE) {
            long part = Math.min(PIECE, length - done);
            segments.clear();
            if (device.stopping() || !chain.readableSegments(HEADER + done, part, segments)) {
                return IO_ERROR;
            }
            backend.write(SECTOR * sector + done, segments.toArray(MemorySegment[]::new));
        }
        if (!device.writeBack()) {
            backend.flush();
        }
        return OK;
    }

    private static boolean inside(BlockBackend backend, long sector, long length) {
        long sectors = backend.size() / SECTOR;
        return length % SECTOR == 0
                && sector >= 0
                && sector <= sectors
                && length / SECTOR <= sectors - sector;
    }

    private int ranges(VirtioBlk device, BlockBackend backend) {
        long length = chain.readableLength() - HEADER;
        long most = type == DISCARD ? VirtioBlk.DISCARD_RANGES : VirtioBlk.ZERO_RANGES;
        if (backend.readOnly() || length == 0 || length % RANGE != 0 || length / RANGE > most) {
            return IO_ERROR;
        }
        for (long at = HEADER; at < HEADER + length; at += RANGE) {
            long first = chain.readNumber(at, 8);
            long count = chain.readNumber(at + 8, 4);
            int flags = (int) chain.readNumber(at + 12, 4);
            // A flag that is not known, or that means nothing for the type (5.2.6.2).
            if (flags != 0 && (type == DISCARD || flags != UNMAP)) {
                return UNSUPPORTED;
            }
            long limit = type == DISCARD ? VirtioBlk.DISCARD_SECTORS : VirtioBlk.ZERO_SECTORS;
            if (count > limit || !inside(backend, first, SECTOR * count)) {
                return IO_ERROR;
            }
            if (type == DISCARD) {
                backend.discard(SECTOR * first, SECTOR * count);
            } else {
                backend.writeZeroes(SECTOR * first, SECTOR * count, flags == UNMAP);
            }
        }
        if (!device.writeBack()) {
            backend.flush();
        }
        return OK;
    }
}
