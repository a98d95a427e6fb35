package org.javisor.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import org.javisor.machine.EngineChoice;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Timeout(60)
class GuestLoopTest {
    @TempDir Path directory;

    @ParameterizedTest
    @EnumSource
    void runsEachLoopToItsEnd(GuestLoopBenchmark.Body body) {
        GuestLoopBenchmark benchmark = new GuestLoopBenchmark();
        benchmark.engine = EngineChoice.INTERPRETER;
        benchmark.body = body;
        benchmark.boot();
        benchmark.pass();
        benchmark.pass();
        benchmark.end();
    }

    @Test
    void refusesAFile_whenItHoldsNoMachineCode() throws Exception {
        Path file = Files.write(directory.resolve("f"), new byte[200]);
        assertThatThrownBy(() -> CodeSection.of(file, 16)).hasMessageContaining("no machine code");
    }

    @Test
    void findsMachineCode_whenTheHostIsLinux() throws Exception {
        Path library = Path.of(System.getProperty("java.home"), "lib/server/libjvm.so");
        org.assertj.core.api.Assumptions.assumeThat(library).exists();
        byte[] code = CodeSection.of(library, 1000);
        assertThat(code).hasSize(1000).containsSubsequence((byte) 0x48);
    }
}
