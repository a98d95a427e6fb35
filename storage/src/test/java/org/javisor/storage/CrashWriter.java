package org.javisor.storage;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Random;

/** A process that writes to a disk and tells what it did, until somebody kills it. */
final class CrashWriter {
    static final int SIZE = 8 << 20;
    static final int BLOCK = 4096;

    private CrashWriter() {}

    public static void main(String[] arguments) {
        Random random = new Random(Long.parseLong(arguments[1]));
        BlockBackend disk =
                Disks.open(DiskSpec.of(Path.of(arguments[0])), FullDiskHandler.failing());
        MemorySegment block = Arena.global().allocate(BLOCK, 4096);
        for (int number = 1; ; number++) {
            int target = random.nextInt(SIZE / BLOCK);
            // Told first: from now on the block may have the number, or still the one before.
            System.out.printf("w %d %d%n", target, number);
            for (int at = 0; at < BLOCK; at += 4) {
                block.set(ValueLayout.JAVA_INT, at, number);
            }
            disk.write((long) target * BLOCK, block);
            if (random.nextInt(10) == 0) {
                disk.flush();
                System.out.printf("f %d%n", number);
            }
        }
    }
}
