package org.javisor.firmware;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * A Linux kernel in the form that distributions install: real-mode setup code with a header, then
 * the protected-mode kernel that unpacks itself (Linux, Documentation/arch/x86/boot.rst, "The
 * real-mode kernel header").
 */
public final class BzImage implements KernelImage {
    static final int HEADER_START = 0x1f1;

    /** The zero page has room for the header up to here; 0x290 is something else. */
    static final int HEADER_LIMIT = 0x290;

    static final int SECTOR = 512;

    private static final int HDRS = 0x53726448;
    private static final int LOADED_HIGH = 1;
    private static final int XLF_KERNEL_64 = 1;
    private static final long DEFAULT_INITRD_MAXIMUM = 0x37ff_ffffL;
    private static final int DEFAULT_COMMAND_LINE_SIZE = 255;

    private final byte[] image;
    private final ByteBuffer fields;
    private final int headerEnd;
    private final int kernelOffset;

    private BzImage(byte[] image, int headerEnd, int kernelOffset) {
        this.image = image;
        this.fields = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        this.headerEnd = headerEnd;
        this.kernelOffset = kernelOffset;
    }

    static boolean matches(byte[] image) {
        return image.length >= 0x208
                && (image[0x1fe] & 0xff) == 0x55
                && (image[0x1ff] & 0xff) == 0xaa
                && ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN).getInt(0x202) == HDRS;
    }

    static BzImage parse(byte[] image) {
        if (image.length < 2 * SECTOR) {
            throw damaged("the file ends inside the setup header; fetch it again");
        }
        int headerEnd = 0x202 + (image[0x201] & 0xff);
        int setupSectors = image[HEADER_START] & 0xff;
        int kernelOffset = ((setupSectors == 0 ? 4 : setupSectors) + 1) * SECTOR;
        BzImage parsed = new BzImage(image, Math.min(headerEnd, HEADER_LIMIT), kernelOffset);
        parsed.check();
        return parsed;
    }

    private void check() {
        if (protocol() < 0x202) {
            throw unsupported(
                    "boot protocol %d.%02d is older than 2.02 (Linux 2.4)"
                            .formatted(protocol() >> 8, protocol() & 0xff));
        }
        if ((fields.get(0x211) & LOADED_HIGH) == 0) {
            throw unsupported("a zImage, which loads below 1 MiB; build a bzImage");
        }
        // The last paragraph may be a partial one; the size counts whole ones.
        long declared = protocol() >= 0x204 ? unsigned(0x1f4) * 16 : 0;
        long present = (long) image.length - kernelOffset;
        if (present <= 0 || present + 15 < declared) {
            throw damaged(
                    "the file has %d bytes, its header announces %d; fetch it again"
                            .formatted(image.length, kernelOffset + Math.max(declared, 1)));
        }
        if (loadAddress() < LowMemory.ONE_MIB || loadAddress() >= MemoryLayout.LOW_RAM_LIMIT) {
            throw damaged("it wants to be loaded at 0x" + Long.toHexString(loadAddress()));
        }
        if (memoryEnd() < loadAddress() || memoryEnd() > MemoryLayout.HIGH_RAM_BASE) {
            throw damaged("it wants to use memory up to 0x" + Long.toHexString(memoryEnd()));
        }
    }

    /** Major version in bits 8-15, minor in 0-7. */
    int protocol() {
        return fields.getShort(0x206) & 0xffff;
    }

    /** Whether startup_64 can be entered at offset 0x200 of the protected-mode kernel. */
    boolean has64BitEntry() {
        return protocol() >= 0x20c && (fields.getShort(0x236) & XLF_KERNEL_64) != 0;
    }

    /** Where the protected-mode kernel runs in place, without moving itself first. */
    long loadAddress() {
        boolean relocatable = protocol() >= 0x205 && fields.get(0x234) != 0;
        if (relocatable && protocol() >= 0x20a) {
            return fields.getLong(0x258);
        }
        return unsigned(0x214);
    }

    /** Where the memory ends, exclusive, that the kernel uses before it reads the memory map. */
    long memoryEnd() {
        long loaded = loadAddress() + kernelSize();
        if (protocol() < 0x20a) {
            return loaded;
        }
        return Math.max(loaded, fields.getLong(0x258) + unsigned(0x260));
    }

    int kernelSize() {
        return image.length - kernelOffset;
    }

    /** The last address that an initrd may occupy. */
    long initrdMaximum() {
        return protocol() >= 0x203 ? unsigned(0x22c) : DEFAULT_INITRD_MAXIMUM;
    }

    /** In bytes, without the terminator. */
    long commandLineMaximum() {
        long size = protocol() >= 0x206 ? unsigned(0x238) : 0;
        return size == 0 ? DEFAULT_COMMAND_LINE_SIZE : size;
    }

    /** The header, as it goes to offset 0x1f1 of the zero page. */
    byte[] setupHeader() {
        return Arrays.copyOfRange(image, HEADER_START, headerEnd);
    }

    byte[] image() {
        return image;
    }

    int kernelOffset() {
        return kernelOffset;
    }

    /**
     * The release and build as the kernel spells them, such as {@code 6.12.107+deb13-cloud-amd64
     * (…) #1 SMP …}.
     */
    public Optional<String> version() {
        int start = (fields.getShort(0x20e) & 0xffff) + 0x200;
        if (start == 0x200 || start >= kernelOffset) {
            return Optional.empty();
        }
        int end = start;
        int limit = Math.min(start + 256, kernelOffset);
        while (end < limit && image[end] >= ' ') {
            end++;
        }
        return end == start
                ? Optional.empty()
                : Optional.of(new String(image, start, end - start, StandardCharsets.US_ASCII));
    }

    /**
     * The compressed kernel inside, for a host that unpacks faster than the guest.
     *
     * @return empty if the header does not say where it is, or its format is unknown
     */
    public Optional<KernelPayload> payload() {
        if (protocol() < 0x208) {
            return Optional.empty();
        }
        long start = kernelOffset + unsigned(0x248);
        long length = unsigned(0x24c);
        if (length == 0 || start + length > image.length) {
            return Optional.empty();
        }
        return KernelPayload.of(
                Arrays.copyOfRange(image, (int) start, (int) (start + length)), this);
    }

    @Override
    public String description() {
        return "bzImage" + version().map(version -> " " + version).orElse("");
    }

    private long unsigned(int offset) {
        return fields.getInt(offset) & 0xffff_ffffL;
    }

    private static FirmwareException damaged(String reason) {
        return new FirmwareException(
                FirmwareException.Code.DAMAGED_KERNEL, "The kernel is damaged: " + reason);
    }

    private static FirmwareException unsupported(String reason) {
        return new FirmwareException(
                FirmwareException.Code.UNSUPPORTED_KERNEL,
                "The kernel cannot be booted: " + reason);
    }
}
