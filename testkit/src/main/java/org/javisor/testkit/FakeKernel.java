package org.javisor.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The smallest file that passes for a Linux kernel: a bzImage of boot protocol 2.02 whose code is
 * HLT (Linux, Documentation/arch/x86/boot.rst).
 */
public final class FakeKernel {
    private FakeKernel() {}

    public static byte[] bytes() {
        ByteBuffer image = ByteBuffer.allocate(2048).order(ByteOrder.LITTLE_ENDIAN);
        image.put(0x1f1, (byte) 1); // one sector of setup code after the boot sector
        image.putShort(0x1fe, (short) 0xaa55);
        image.put(0x200, (byte) 0xeb);
        image.put(0x201, (byte) 0x30); // jump over the header
        image.putInt(0x202, 0x53726448); // "HdrS"
        image.putShort(0x206, (short) 0x202);
        image.put(0x211, (byte) 1); // loaded high
        image.putInt(0x214, 0x100000); // entry
        for (int i = 1024; i < 2048; i++) {
            image.put(i, (byte) 0xf4);
        }
        return image.array();
    }

    /** Writes it into a directory. */
    public static Path in(Path directory) {
        try {
            return Files.write(directory.resolve("vmlinuz"), bytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
