package org.javisor.bench;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;

/** The machine code of a 64-bit ELF file (System V ABI, chapters 4 and 5). */
final class CodeSection {
    private static final int PROGRAM_HEADERS_AT = 32;
    private static final int PROGRAM_HEADER_COUNT_AT = 56;
    private static final int PROGRAM_HEADER_SIZE = 56;
    private static final int FILE_HEADER_SIZE = 64;
    private static final int LOAD = 1;
    private static final int EXECUTABLE = 1;

    private CodeSection() {}

    /**
     * Bytes from the middle of the file's first executable segment.
     *
     * @throws IOException if the file is nothing of the kind or has fewer
     */
    static byte[] of(Path file, int length) throws IOException {
        try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
            ByteBuffer header = read(in, 0, FILE_HEADER_SIZE);
            long at = header.getLong(PROGRAM_HEADERS_AT);
            int count = Short.toUnsignedInt(header.getShort(PROGRAM_HEADER_COUNT_AT));
            for (int i = 0; i < count; i++) {
                ByteBuffer segment =
                        read(in, at + (long) i * PROGRAM_HEADER_SIZE, PROGRAM_HEADER_SIZE);
                if (segment.getInt(0) == LOAD && (segment.getInt(4) & EXECUTABLE) != 0) {
                    long start = segment.getLong(8);
                    long size = segment.getLong(32);
                    return read(in, start + Math.max(0, size - length) / 2, length).array();
                }
            }
        }
        throw new IOException(file + " holds no machine code");
    }

    private static ByteBuffer read(RandomAccessFile in, long at, int length) throws IOException {
        byte[] bytes = new byte[length];
        in.seek(at);
        in.readFully(bytes);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
