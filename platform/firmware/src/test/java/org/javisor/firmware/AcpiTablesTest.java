package org.javisor.firmware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.javisor.memory.GuestMemory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class AcpiTablesTest {
    private static final AcpiConfig FULL =
            AcpiConfig.forProcessors(2)
                    .withKeyboardController()
                    .withPciConfigurationSpace(
                            new AcpiConfig.PciConfigurationSpace(0xe000_0000L, 0, 255))
                    .withDevices(
                            List.of(
                                    scope ->
                                            scope.device(
                                                    "VIO0",
                                                    device ->
                                                            device.name("_HID", "LNRO0005")
                                                                    .name("_UID", 0)
                                                                    .name(
                                                                            "_CRS",
                                                                            new ResourceTemplate()
                                                                                    .memory32(
                                                                                            0xd000_0000L,
                                                                                            0x200)
                                                                                    .interrupt(
                                                                                            16,
                                                                                            true,
                                                                                            false)))));

    private static final AcpiConfig WITH_PCI =
            AcpiConfig.forProcessors(1)
                    .withPci(
                            new PciRoot(
                                    0xe000_0000L,
                                    1 << 20,
                                    new PciRoot.Window(0xc000_0000L, 0x2000_0000L),
                                    new PciRoot.Window(0x8_0000_0000L, 0x8_0000_0000L),
                                    (device, pin) -> (device + pin) % 4,
                                    List.of(16, 17, 18, 19),
                                    List.of(10, 11, 10, 11)));

    static Stream<AcpiConfig> configurations() {
        return Stream.of(
                AcpiConfig.forProcessors(1),
                WITH_PCI,
                FULL,
                AcpiConfig.forProcessors(300),
                AcpiConfig.forProcessors(AcpiConfig.MAXIMUM_PROCESSORS));
    }

    @ParameterizedTest
    @MethodSource("configurations")
    void everyTable_hasItsLengthAndChecksum_whenBuilt(AcpiConfig config) {
        for (byte[] table : tables(config).values()) {
            assertThat(SyntheticKernel.edit(table).getInt(4)).isEqualTo(table.length);
            assertThat(sum(table, 0, table.length)).isZero();
        }
    }

    @Test
    void rootPointer_leadsToEveryTable_whenFollowedThroughMemory() {
        try (GuestMemory memory = GuestMemory.allocate(MemoryLayout.of(16 << 20).ranges())) {
            long rsdp = BiosArea.write(memory, FULL);

            assertThat(text(memory, rsdp, 8)).isEqualTo("RSD PTR ");
            assertThat(sum(bytes(memory, rsdp, 20), 0, 20)).isZero();
            assertThat(sum(bytes(memory, rsdp, 36), 0, 36)).isZero();
            assertThat(rsdp).isBetween(0xe0000L, 0xfffffL).matches(address -> address % 16 == 0);
            long xsdt = memory.read64(rsdp + 24);
            assertThat(text(memory, xsdt, 4)).isEqualTo("XSDT");
            List<String> found = new ArrayList<>();
            for (long at = xsdt + 36; at < xsdt + memory.read32(xsdt + 4); at += 8) {
                found.add(text(memory, memory.read64(at), 4));
            }
            assertThat(found).containsExactly("FACP", "APIC", "MCFG");
            long fadt = memory.read64(xsdt + 36);
            assertThat(text(memory, memory.read32(fadt + 40), 4)).isEqualTo("DSDT");
            assertThat(memory.read64(fadt + 140)).isEqualTo(memory.read32(fadt + 40));
            long facs = memory.read32(fadt + 36);
            assertThat(text(memory, facs, 4)).isEqualTo("FACS");
            assertThat(facs % 64).isZero();
        }
    }

    @Test
    void madt_namesEveryProcessorOnce_whenIdsNeedX2Apic() {
        ByteBuffer madt = SyntheticKernel.edit(tables(AcpiConfig.forProcessors(300)).get("APIC"));
        List<Integer> ids = new ArrayList<>();
        List<Integer> types = new ArrayList<>();
        for (int at = 44; at < madt.capacity(); at += madt.get(at + 1)) {
            types.add((int) madt.get(at));
            switch (madt.get(at)) {
                case 0 -> ids.add(madt.get(at + 3) & 0xff);
                case 9 -> ids.add(madt.getInt(at + 4));
                default -> {}
            }
        }

        assertThat(ids).hasSize(300).isSorted().doesNotHaveDuplicates().startsWith(0).endsWith(299);
        assertThat(types).contains(1, 4, 10);
        assertThat(types.stream().filter(type -> type == 2)).hasSize(2);
    }

    @Test
    void configuration_isRefused_whenProcessorsAreImpossible() {
        Refusal.assertRefused(
                FirmwareException.Code.CONFIGURATION, "not 0", () -> AcpiConfig.forProcessors(0));
        Refusal.assertRefused(
                FirmwareException.Code.CONFIGURATION,
                "not 10000",
                () -> AcpiConfig.forProcessors(10_000));
    }

    @Test
    void tables_areRefused_whenDevicesOverflowTheirPlace() {
        AcpiConfig config =
                AcpiConfig.forProcessors(1)
                        .withDevices(List.of(scope -> scope.name("BIG", new byte[70_000])));
        try (GuestMemory memory = GuestMemory.allocate(MemoryLayout.of(16 << 20).ranges())) {
            Refusal.assertRefused(
                    FirmwareException.Code.CONFIGURATION,
                    "do not fit",
                    () -> BiosArea.write(memory, config));
        }
    }

    /**
     * ACPICA's own compiler is the judge: it must read every table and compile its own reading
     * without complaint.
     */
    @ParameterizedTest
    @MethodSource("configurations")
    void everyTable_recompilesWithoutComplaint_whenDisassembled(
            AcpiConfig config, @TempDir Path directory) throws Exception {
        assumeTrue(installed("iasl"), "iasl is not installed (Debian: acpica-tools)");
        Map<String, byte[]> tables = tables(config);
        for (Map.Entry<String, byte[]> table : tables.entrySet()) {
            Path aml = directory.resolve(table.getKey() + ".aml");
            Files.write(aml, table.getValue());
            String disassembly = run(directory, "iasl", "-d", aml.toString());
            assertThat(disassembly)
                    .containsAnyOf("Disassembly completed", "decoded")
                    .doesNotContainIgnoringCase("warning");
            Path source = directory.resolve(table.getKey() + ".dsl");
            assertThat(Files.readString(source)).doesNotContainIgnoringCase("invalid");

            String compilation = run(directory, "iasl", "-oa", "-p", "again", source.toString());

            assertThat(compilation).contains("0 Errors, 0 Warnings, 0 Remarks");
            if (table.getKey().equals("DSDT")) {
                byte[] again = Files.readAllBytes(directory.resolve("again.aml"));
                assertThat(Arrays.copyOfRange(again, 36, again.length))
                        .isEqualTo(
                                Arrays.copyOfRange(table.getValue(), 36, table.getValue().length));
            }
        }
    }

    private static Map<String, byte[]> tables(AcpiConfig config) {
        return new AcpiTables(config, LowMemory.ACPI_TABLES, LowMemory.FACS)
                .build().values().stream()
                        .collect(
                                Collectors.toMap(
                                        table -> new String(table, 0, 4, StandardCharsets.US_ASCII),
                                        table -> table));
    }

    private static boolean installed(String command) {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(":"))
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, command)));
    }

    private static String run(Path directory, String... command)
            throws IOException, InterruptedException {
        Process process =
                new ProcessBuilder(command)
                        .directory(directory.toFile())
                        .redirectErrorStream(true)
                        .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        return output;
    }

    private static byte[] bytes(GuestMemory memory, long address, int size) {
        byte[] bytes = new byte[size];
        memory.read(address, bytes, 0, size);
        return bytes;
    }

    private static String text(GuestMemory memory, long address, int size) {
        return new String(bytes(memory, address, size), StandardCharsets.US_ASCII);
    }

    private static int sum(byte[] bytes, int start, int length) {
        int sum = 0;
        for (int i = start; i < start + length; i++) {
            sum += bytes[i];
        }
        return sum & 0xff;
    }
}
