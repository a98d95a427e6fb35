package org.javisor.firmware;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.javisor.memory.GuestMemory;

/** Puts the kernel, the initrd and the command line where they fit, or says why they do not. */
final class KernelPlacement {
    private static final byte[] ZEROS = new byte[1 << 16];

    /**
     * A placed initrd; both are 0 without one.
     *
     * @param size in bytes
     */
    record Initrd(long address, long size) {}

    private final GuestMemory memory;
    private final long lowRamEnd;

    KernelPlacement(GuestMemory memory) {
        this.memory = memory;
        this.lowRamEnd = MemoryMap.lowRamEnd(memory);
    }

    void load(BzImage kernel) {
        requireMemory(kernel.memoryEnd());
        memory.write(
                kernel.loadAddress(), kernel.image(), kernel.kernelOffset(), kernel.kernelSize());
    }

    void load(ElfImage kernel) {
        requireMemory(kernel.end());
        for (ElfImage.Segment segment : kernel.segments()) {
            copy(kernel, segment);
            clear(segment.address() + segment.fileSize(), segment.end());
        }
    }

    private void copy(ElfImage kernel, ElfImage.Segment segment) {
        try {
            memory.write(segment.address(), kernel.image(), segment.offset(), segment.fileSize());
        } catch (InternalError e) {
            // How the JVM reports a page of a mapped file that is not there any more.
            throw new FirmwareException(
                    FirmwareException.Code.UNREADABLE,
                    "The kernel's file became shorter while it was in use",
                    e);
        }
    }

    private void requireMemory(long end) {
        if (end > lowRamEnd) {
            throw new FirmwareException(
                    FirmwareException.Code.MEMORY_SIZE,
                    "Too little memory: the kernel alone needs %d MiB, the machine has %d MiB"
                            .formatted(mebibytesUp(end), memory.size() >> 20));
        }
    }

    private void clear(long from, long end) {
        while (from < end) {
            int part = (int) Math.min(ZEROS.length, end - from);
            memory.write(from, ZEROS, 0, part);
            from += part;
        }
    }

    /**
     * Loads the initrd as high as it may go, so that the kernel has room to unpack and to choose
     * its own place.
     *
     * @param kernelEnd nothing below is free
     * @param maximum the last address allowed
     */
    Initrd load(Optional<byte[]> initrd, long kernelEnd, long maximum) {
        if (initrd.isEmpty() || initrd.get().length == 0) {
            return new Initrd(0, 0);
        }
        byte[] bytes = initrd.get();
        long limit = Math.min(lowRamEnd, maximum + 1);
        long address = (limit - bytes.length) & -GuestMemory.PAGE_SIZE;
        if (address < kernelEnd) {
            throw new FirmwareException(
                    FirmwareException.Code.INITRD_SIZE,
                    "The initrd does not fit: it needs %d MiB, %d MiB are left beside the kernel; %s"
                            .formatted(
                                    mebibytesUp(bytes.length),
                                    Math.max(0, limit - kernelEnd) >> 20,
                                    limit < lowRamEnd
                                            ? "this kernel takes none above %d MiB"
                                                    .formatted(limit >> 20)
                                            : "give the machine more memory"));
        }
        memory.write(address, bytes, 0, bytes.length);
        return new Initrd(address, bytes.length);
    }

    /**
     * Writes the command line with its terminator.
     *
     * @param maximum bytes that the kernel takes, without the terminator
     */
    void writeCommandLine(String commandLine, long maximum) {
        byte[] bytes = commandLine.getBytes(StandardCharsets.UTF_8);
        long limit = Math.min(maximum, LowMemory.COMMAND_LINE_ROOM - 1);
        if (bytes.length > limit) {
            throw commandLine(
                    "The kernel command line has %d bytes, this kernel takes %d"
                            .formatted(bytes.length, limit));
        }
        if (commandLine.indexOf('\0') >= 0) {
            throw commandLine("The kernel command line contains a NUL character");
        }
        memory.write(LowMemory.COMMAND_LINE, bytes, 0, bytes.length);
        memory.write8(LowMemory.COMMAND_LINE + bytes.length, 0);
    }

    private static FirmwareException commandLine(String message) {
        return new FirmwareException(FirmwareException.Code.COMMAND_LINE, message);
    }

    private static long mebibytesUp(long bytes) {
        return (bytes + (1 << 20) - 1) >> 20;
    }
}
