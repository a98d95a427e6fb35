package org.javisor.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.javisor.testkit.FakeHypervisor;
import org.javisor.testkit.FakeKernel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineConfigTest {
    @TempDir Path directory;

    private void refused(
            MachineException.Code code,
            String message,
            UnaryOperator<MachineConfig.Builder> change) {
        assertThatThrownBy(() -> change.apply(MachineConfig.builder(Path.of("kernel"))).build())
                .isInstanceOfSatisfying(
                        MachineException.class, e -> assertThat(e.code()).isEqualTo(code))
                .hasMessageContaining(message)
                .extracting(Throwable::getMessage)
                .asString()
                .hasLineCount(1);
    }

    @Test
    void isRefused_whenThereAreTooFewOrTooManyProcessors() {
        refused(MachineException.Code.BAD_CONFIGURATION, "not 0", c -> c.cpus(0));
        refused(MachineException.Code.BAD_CONFIGURATION, "not -1", c -> c.cpus(-1));
        refused(MachineException.Code.BAD_CONFIGURATION, "not 10000", c -> c.cpus(10_000));
    }

    @Test
    void isRefused_whenTheMemoryIsImpossible() {
        refused(MachineException.Code.BAD_CONFIGURATION, "not 0 MiB", c -> c.memory(0));
        refused(MachineException.Code.BAD_CONFIGURATION, "not -1 bytes", c -> c.memory(-1));
        refused(
                MachineException.Code.BAD_CONFIGURATION,
                "multiple of 1 MiB",
                c -> c.memory((64L << 20) + 4096));
        refused(MachineException.Code.HOST_CANNOT, "more than the host's", c -> c.memory(1L << 50));
    }

    @Test
    void isRefused_whenTheNameIsNone() {
        refused(MachineException.Code.BAD_CONFIGURATION, "name", c -> c.name(""));
        refused(MachineException.Code.BAD_CONFIGURATION, "'a?b'", c -> c.name("a\nb"));
        refused(MachineException.Code.BAD_CONFIGURATION, "name", c -> c.name("x".repeat(65)));
    }

    @Test
    void isRefused_whenTheInitialRamDiskIsNotReadable() throws Exception {
        refused(
                MachineException.Code.BAD_BOOT_FILE,
                "there is no such file",
                c -> c.initrd(directory.resolve("none")));
        refused(MachineException.Code.BAD_BOOT_FILE, "it is a directory", c -> c.initrd(directory));
    }

    @Test
    void createsNothing_whenTheKernelIsNone() throws Exception {
        Path text = Files.writeString(directory.resolve("notes.txt"), "not a kernel\n".repeat(999));
        EngineSelection engine =
                new EngineSelection(new FakeHypervisor((cpu, step) -> cpu.halt()), "fake");
        assertThatThrownBy(() -> Machine.create(MachineConfig.builder(text).build(), engine))
                .isInstanceOfSatisfying(
                        MachineException.class,
                        e -> assertThat(e.code()).isEqualTo(MachineException.Code.BAD_BOOT_FILE));
    }

    @Test
    void createsNothing_whenTheInitialRamDiskDoesNotFit() {
        EngineSelection engine =
                new EngineSelection(new FakeHypervisor((cpu, step) -> cpu.halt()), "fake");
        MachineConfig config =
                MachineConfig.builder(FakeKernel.in(directory))
                        .memory(16L << 20)
                        .initrd(new byte[32 << 20])
                        .build();
        assertThatThrownBy(() -> Machine.create(config, engine))
                .isInstanceOf(MachineException.class)
                .hasMessageContaining("initrd");
    }

    @Test
    void countsTheControlGroupsLimit_whenItIsLower() throws Exception {
        Path file = directory.resolve("memory.max");
        assertThat(HostMemory.groupLimit(file)).isEqualTo(Long.MAX_VALUE);
        Files.writeString(file, "max\n");
        assertThat(HostMemory.groupLimit(file)).isEqualTo(Long.MAX_VALUE);
        Files.writeString(file, "1073741824\n");
        assertThat(HostMemory.groupLimit(file)).isEqualTo(1L << 30);
        assertThat(HostMemory.total()).isPositive();
    }
}
