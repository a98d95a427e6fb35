package org.javisor.firmware;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * An ELF kernel for x86-64 or i386 (System V ABI, chapters 4 and 5), loaded by its physical
 * addresses.
 *
 * <p>It is entered in one of two ways: at the address of its PVH note, if it has one; else, and
 * always when it was unpacked from a bzImage, at its entry point in 64-bit mode with Linux's boot
 * parameters.
 */
public final class ElfImage implements KernelImage {
    private static final int EM_386 = 3;
    private static final int EM_X86_64 = 62;
    private static final int ET_EXEC = 2;
    private static final int ET_DYN = 3;
    private static final int PT_LOAD = 1;
    private static final int PT_INTERP = 3;
    private static final int PT_NOTE = 4;
    private static final int PT_TLS = 7;
    private static final int PT_GNU_STACK = 0x6474e551;
    private static final int XEN_ELFNOTE_PHYS32_ENTRY = 18;
    private static final int XEN_NAME = 0x006e6558;
    private static final int MAXIMUM_HEADERS = 256;

    /**
     * A part of the file that goes to memory; what the file does not fill is zero.
     *
     * @param address guest-physical
     * @param memorySize at least {@code fileSize}
     */
    record Segment(int offset, int fileSize, long address, long memorySize, long virtualAddress) {
        long end() {
            return address + memorySize;
        }
    }

    private record ProgramHeader(
            int type,
            long offset,
            long virtualAddress,
            long physicalAddress,
            long fileSize,
            long memorySize) {}

    private final MemorySegment image;
    private final boolean elf64;
    private final List<Segment> segments;
    private final long entry;
    private final OptionalLong pvhEntry;
    private final Optional<BzImage> origin;

    private ElfImage(
            MemorySegment image,
            boolean elf64,
            List<Segment> segments,
            long entry,
            OptionalLong pvhEntry,
            Optional<BzImage> origin) {
        this.image = image;
        this.elf64 = elf64;
        this.segments = segments;
        this.entry = entry;
        this.pvhEntry = pvhEntry;
        this.origin = origin;
    }

    static boolean matches(byte[] image) {
        return KernelPayload.Format.ELF.matches(image);
    }

    static ElfImage parse(byte[] image) {
        return parse(MemorySegment.ofArray(image));
    }

    /**
     * @param image the whole file, which may be mapped; read again by every installation
     */
    static ElfImage parse(MemorySegment image) {
        return new Parser(image).parse();
    }

    /**
     * This kernel, to be started by Linux's 64-bit protocol with the setup header of the bzImage it
     * came in.
     */
    ElfImage startedAs(BzImage bzImage) {
        if (!elf64) {
            throw new FirmwareException(
                    FirmwareException.Code.UNSUPPORTED_KERNEL,
                    "The kernel inside the bzImage is a 32-bit one");
        }
        return new ElfImage(
                image, true, segments, entry, OptionalLong.empty(), Optional.of(bzImage));
    }

    MemorySegment image() {
        return image;
    }

    /** By ascending address, not overlapping, all between 1 MiB and 4 GiB; never empty. */
    List<Segment> segments() {
        return segments;
    }

    /** The 64-bit entry point, guest-physical. */
    long entry() {
        return entry;
    }

    /** The 32-bit entry point of the PVH protocol; if present, it is the one to be used. */
    OptionalLong pvhEntry() {
        return pvhEntry;
    }

    Optional<BzImage> origin() {
        return origin;
    }

    long start() {
        return segments.getFirst().address();
    }

    /** Exclusive. */
    long end() {
        return segments.getLast().end();
    }

    @Override
    public String description() {
        String version = origin.flatMap(BzImage::version).map(text -> " " + text).orElse("");
        String protocol = pvhEntry.isPresent() ? ", PVH entry" : ", 64-bit entry";
        return (elf64 ? "64-bit" : "32-bit") + " ELF kernel" + version + protocol;
    }

    private static final class Parser {
        private final MemorySegment image;
        private final ByteBuffer fields;
        private boolean elf64;

        Parser(MemorySegment image) {
            this.image = image;
            this.fields = image.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        }

        ElfImage parse() {
            if (fields.limit() < 64) {
                throw damaged("the file ends inside the ELF header; fetch it again");
            }
            elf64 = fields.get(4) == 2;
            checkIdentity();
            List<ProgramHeader> headers = programHeaders();
            List<Segment> segments = segments(headers);
            OptionalLong pvh = pvhEntry(headers, segments);
            if (pvh.isEmpty()) {
                checkLinux(headers);
            }
            long entry =
                    elf64
                            ? physical(fields.getLong(24), segments)
                            : fields.getInt(24) & 0xffff_ffffL;
            if (pvh.isEmpty() && !contains(segments, entry)) {
                throw damaged("its entry point lies outside its segments");
            }
            return new ElfImage(image, elf64, segments, entry, pvh, Optional.empty());
        }

        private void checkIdentity() {
            if (fields.get(5) != 1 || (fields.get(4) != 1 && fields.get(4) != 2)) {
                throw notAKernel(
                        "a big-endian or unknown kind of ELF file; this machine is x86-64");
            }
            int machine = fields.getShort(18) & 0xffff;
            if (machine != (elf64 ? EM_X86_64 : EM_386)) {
                String name =
                        machine == 183
                                ? "AArch64"
                                : machine == 243 ? "RISC-V" : "ELF machine " + machine;
                throw notAKernel("an ELF file for " + name + "; this machine is x86-64");
            }
            int type = fields.getShort(16) & 0xffff;
            if (type != ET_EXEC && type != ET_DYN) {
                throw notAKernel("an ELF object or core file, not an executable");
            }
        }

        private List<ProgramHeader> programHeaders() {
            long table = elf64 ? fields.getLong(32) : fields.getInt(28) & 0xffff_ffffL;
            int entrySize = fields.getShort(elf64 ? 54 : 42) & 0xffff;
            int count = fields.getShort(elf64 ? 56 : 44) & 0xffff;
            if (count == 0) {
                throw notAKernel("an ELF file without program headers");
            }
            if (entrySize < (elf64 ? 56 : 32)
                    || count > MAXIMUM_HEADERS
                    || !inFile(table, (long) entrySize * count)) {
                throw damaged("its program headers lie outside the file; fetch it again");
            }
            List<ProgramHeader> headers = new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                headers.add(programHeader((int) table + i * entrySize));
            }
            return headers;
        }

        private ProgramHeader programHeader(int at) {
            int type = fields.getInt(at);
            if (elf64) {
                return new ProgramHeader(
                        type,
                        fields.getLong(at + 8),
                        fields.getLong(at + 16),
                        fields.getLong(at + 24),
                        fields.getLong(at + 32),
                        fields.getLong(at + 40));
            }
            return new ProgramHeader(
                    type,
                    unsigned(at + 4),
                    unsigned(at + 8),
                    unsigned(at + 12),
                    unsigned(at + 16),
                    unsigned(at + 20));
        }

        private List<Segment> segments(List<ProgramHeader> headers) {
            List<Segment> segments = new ArrayList<>();
            for (ProgramHeader header : headers) {
                if (header.type() == PT_LOAD && header.memorySize() != 0) {
                    segments.add(segment(header));
                }
            }
            if (segments.isEmpty()) {
                throw notAKernel("an ELF file with nothing to load");
            }
            segments.sort(Comparator.comparingLong(Segment::address));
            for (int i = 1; i < segments.size(); i++) {
                if (segments.get(i).address() < segments.get(i - 1).end()) {
                    throw damaged("its segments overlap");
                }
            }
            return List.copyOf(segments);
        }

        private Segment segment(ProgramHeader header) {
            if (!inFile(header.offset(), header.fileSize())) {
                throw damaged("a segment lies outside the file, which ends early; fetch it again");
            }
            long address = header.physicalAddress();
            long limit = MemoryLayout.HIGH_RAM_BASE;
            if (address < LowMemory.ONE_MIB
                    || address >= limit
                    || header.memorySize() < header.fileSize()
                    || header.memorySize() > limit - address) {
                throw unsupported(
                        "it has a segment at physical address 0x%x; segments must lie between 1 MiB and 4 GiB"
                                .formatted(address));
            }
            return new Segment(
                    (int) header.offset(),
                    (int) header.fileSize(),
                    address,
                    header.memorySize(),
                    header.virtualAddress());
        }

        private OptionalLong pvhEntry(List<ProgramHeader> headers, List<Segment> segments) {
            for (ProgramHeader header : headers) {
                if (header.type() == PT_NOTE && inFile(header.offset(), header.fileSize())) {
                    OptionalLong entry = pvhEntry((int) header.offset(), (int) header.fileSize());
                    if (entry.isPresent() && !contains(segments, entry.getAsLong())) {
                        throw damaged("its PVH entry point lies outside its segments");
                    }
                    if (entry.isPresent()) {
                        return entry;
                    }
                }
            }
            return OptionalLong.empty();
        }

        /** Walks the notes: sizes of name and description, type, then both padded to four bytes. */
        private OptionalLong pvhEntry(int start, int size) {
            long at = start;
            long end = (long) start + size;
            while (end - at >= 12) {
                long nameSize = unsigned((int) at);
                long descriptionSize = unsigned((int) at + 4);
                long description = at + 12 + padded(nameSize);
                boolean pvh =
                        fields.getInt((int) at + 8) == XEN_ELFNOTE_PHYS32_ENTRY && nameSize == 4;
                if (description + descriptionSize > end) {
                    break;
                }
                if (pvh && fields.getInt((int) at + 12) == XEN_NAME && descriptionSize >= 4) {
                    return OptionalLong.of(unsigned((int) description));
                }
                at = description + padded(descriptionSize);
            }
            return OptionalLong.empty();
        }

        /**
         * Without a PVH note only Linux's own 64-bit entry is left; programs are told apart by what
         * they carry.
         */
        private void checkLinux(List<ProgramHeader> headers) {
            for (ProgramHeader header : headers) {
                switch (header.type()) {
                    case PT_INTERP, PT_TLS, PT_GNU_STACK ->
                            throw notAKernel("a program for user space; pass a kernel");
                    default -> {}
                }
            }
            if (!elf64) {
                throw unsupported(
                        "a 32-bit ELF kernel without a PVH note; pass its bzImage instead");
            }
        }

        /** Linux links its entry point as a physical address; other kernels as a virtual one. */
        private static long physical(long entry, List<Segment> segments) {
            if (contains(segments, entry)) {
                return entry;
            }
            for (Segment segment : segments) {
                long offset = entry - segment.virtualAddress();
                if (Long.compareUnsigned(offset, segment.memorySize()) < 0) {
                    return segment.address() + offset;
                }
            }
            return entry;
        }

        private static boolean contains(List<Segment> segments, long address) {
            return segments.stream()
                    .anyMatch(segment -> address >= segment.address() && address < segment.end());
        }

        private boolean inFile(long offset, long size) {
            return offset >= 0
                    && size >= 0
                    && offset <= fields.limit()
                    && size <= fields.limit() - offset;
        }

        private long unsigned(int offset) {
            return fields.getInt(offset) & 0xffff_ffffL;
        }

        private static long padded(long size) {
            return (size + 3) & ~3L;
        }

        private static FirmwareException notAKernel(String what) {
            return new FirmwareException(
                    FirmwareException.Code.NOT_A_KERNEL, "Not a kernel: " + what);
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
}
