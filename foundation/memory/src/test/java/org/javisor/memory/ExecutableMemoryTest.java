package org.javisor.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ExecutableMemoryTest {
    private static final int SIZE = 3 * 4096;

    private static String mapping(long address) throws IOException {
        String start = Long.toHexString(address) + "-";
        return Files.readAllLines(Path.of("/proc/self/maps")).stream()
                .filter(line -> line.startsWith(start))
                .findFirst()
                .orElse("");
    }

    private static void assertCodeArrives(ExecutableMemory memory) throws IOException {
        byte[] code = {1, 2, 3, 4, 5, 6, 7, 8, 9};
        memory.write(SIZE - 16, code, 8);
        assertThat(RawMemory.getLong(memory.address() + SIZE - 16)).isEqualTo(0x0807060504030201L);
        assertThat(RawMemory.getLong(memory.address() + SIZE - 8)).isZero();
        memory.patch(SIZE - 8, 77);
        assertThat(RawMemory.getLong(memory.address() + SIZE - 8)).isEqualTo(77);
        assertThat(mapping(memory.address())).contains(" r-xs ");
    }

    @Test
    void codeWritten_isSeenWhereItIsExecuted_whichIsNotWritable() throws IOException {
        Optional<ExecutableMemory> allocated = ExecutableMemory.allocate(SIZE);
        assumeTrue(allocated.isPresent());
        try (ExecutableMemory memory = allocated.get()) {
            assertCodeArrives(memory);
        }
    }

    /** As /dev/zero, perf takes it for memory of no file. */
    @Test
    void anonymousMemory_isTheSame_butOfNoFile() throws IOException {
        Optional<ExecutableMemory> allocated = ExecutableMemory.allocateAnonymous(SIZE);
        assumeTrue(allocated.isPresent());
        ExecutableMemory memory = allocated.get();
        try (memory) {
            assertCodeArrives(memory);
            assertThat(mapping(memory.address())).contains(" /dev/zero");
        }
        assertThat(mapping(memory.address())).isEmpty();
    }
}
