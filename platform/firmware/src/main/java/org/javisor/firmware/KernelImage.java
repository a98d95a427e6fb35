package org.javisor.firmware;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A kernel, checked as far as can be without a machine. Immutable: may be installed any number of
 * times.
 */
public sealed interface KernelImage permits BzImage, ElfImage {
    /** Larger files are refused unread. */
    int MAXIMUM_FILE_SIZE = 512 << 20;

    /** One line for a log: format and version, as far as known. */
    String description();

    /**
     * Recognises a bzImage or an ELF kernel.
     *
     * @param image the whole file; not copied, must not be changed afterwards
     * @throws FirmwareException if it is neither, or damaged
     */
    static KernelImage detect(byte[] image) {
        if (BzImage.matches(image)) {
            return BzImage.parse(image);
        }
        if (ElfImage.matches(image)) {
            return ElfImage.parse(image);
        }
        throw new FirmwareException(
                FirmwareException.Code.NOT_A_KERNEL, "Not a kernel: " + likeliest(image));
    }

    /**
     * Reads and recognises a kernel file. An ELF file, which is large, is not read but mapped: it
     * must not be changed before the last installation. Replacing or deleting it is fine.
     *
     * @throws FirmwareException if it cannot be read, or is no kernel; the message names the file
     */
    static KernelImage detect(Path file) {
        try {
            Optional<MemorySegment> elf = mapElf(file);
            return elf.isPresent() ? ElfImage.parse(elf.get()) : detect(read(file));
        } catch (FirmwareException e) {
            throw e.code() == FirmwareException.Code.UNREADABLE
                    ? e
                    : new FirmwareException(e.code(), file + ": " + e.getMessage(), e);
        }
    }

    private static Optional<MemorySegment> mapElf(Path file) {
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try (FileChannel channel = FileChannel.open(file)) {
            ByteBuffer magic = ByteBuffer.allocate(64);
            channel.read(magic);
            return ElfImage.matches(magic.array()) && channel.size() <= MAXIMUM_FILE_SIZE
                    ? Optional.of(
                            channel.map(
                                    FileChannel.MapMode.READ_ONLY,
                                    0,
                                    channel.size(),
                                    Arena.ofAuto()))
                    : Optional.empty();
        } catch (IOException e) {
            throw unreadable(file, e.getMessage(), e);
        }
    }

    private static byte[] read(Path file) {
        try {
            if (Files.isDirectory(file)) {
                throw unreadable(file, "it is a directory", null);
            }
            try (InputStream in = Files.newInputStream(file)) {
                byte[] image = in.readNBytes(MAXIMUM_FILE_SIZE + 1);
                if (image.length > MAXIMUM_FILE_SIZE) {
                    throw unreadable(file, "it is larger than 512 MiB, which no kernel is", null);
                }
                return image;
            }
        } catch (NoSuchFileException e) {
            throw unreadable(file, "there is no such file", e);
        } catch (IOException e) {
            throw unreadable(file, e.getMessage(), e);
        }
    }

    private static FirmwareException unreadable(Path file, String reason, IOException cause) {
        String message = "Cannot read the kernel " + file + ": " + reason;
        return new FirmwareException(FirmwareException.Code.UNREADABLE, message, cause);
    }

    /** What somebody may have passed by mistake. */
    private static String likeliest(byte[] image) {
        String wanted = "a bzImage (Debian: /boot/vmlinuz-*) or an ELF vmlinux is needed";
        if (image.length == 0) {
            return "the file is empty; " + wanted;
        }
        if (startsWith(image, 0x1f, 0x8b)) {
            return "it is gzip data; unpack it first, or was the initrd meant? " + wanted;
        }
        if (startsWith(image, '0', '7', '0', '7')) {
            return "it is a cpio archive, probably the initrd; " + wanted;
        }
        if (startsWith(image, '!', '<', 'a', 'r', 'c', 'h', '>')) {
            return "it is a Debian package or ar archive; unpack it first; " + wanted;
        }
        if (image.length > 0x3b && startsWith(image, 0x38, new int[] {'A', 'R', 'M', 0x64})) {
            return "it is an AArch64 kernel; this machine is x86-64";
        }
        if (startsWith(image, 'M', 'Z')) {
            return "it is an EFI program without a Linux setup header; " + wanted;
        }
        String start =
                new String(image, 0, Math.min(image.length, 64), StandardCharsets.ISO_8859_1);
        if (start.stripLeading().startsWith("<")) {
            return "it is an HTML or XML page, probably a failed download; " + wanted;
        }
        return wanted;
    }

    private static boolean startsWith(byte[] image, int... magic) {
        return startsWith(image, 0, magic);
    }

    private static boolean startsWith(byte[] image, int offset, int[] magic) {
        if (image.length - offset < magic.length) {
            return false;
        }
        for (int i = 0; i < magic.length; i++) {
            if ((image[offset + i] & 0xff) != magic[i]) {
                return false;
            }
        }
        return true;
    }
}
