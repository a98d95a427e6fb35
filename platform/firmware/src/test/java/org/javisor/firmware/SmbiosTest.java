package org.javisor.firmware;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SmbiosTest {
    private static final Smbios SMBIOS =
            Smbios.of(
                    4,
                    List.of(
                            new MemoryMap.Entry(0, 0xc000_0000L, MemoryMap.USABLE),
                            new MemoryMap.Entry(0x1_0000_0000L, 0x4000_0000L, MemoryMap.USABLE)));

    @Test
    void entryPoint_addsUpToZero_whenSummed() {
        byte[] entry = SMBIOS.entryPoint(0xf0200);

        assertThat(AcpiTables.checksum(entry, 0, 0x1f)).isZero();
        assertThat(AcpiTables.checksum(entry, 0x10, 0x0f)).isZero();
        assertThat(new String(entry, 0, 4, StandardCharsets.US_ASCII)).isEqualTo("_SM_");
    }

    @Test
    void structures_canBeWalkedAsAnnounced_whenFollowedByLengthAndStrings() {
        ByteBuffer entry = SyntheticKernel.edit(SMBIOS.entryPoint(0xf0200));
        byte[] table = SMBIOS.table();
        List<Integer> types = new ArrayList<>();
        int largest = 0;
        int at = 0;
        while (at < table.length) {
            int start = at;
            types.add((int) table[at]);
            at += table[at + 1];
            while (table[at] != 0 || table[at + 1] != 0) {
                at++;
            }
            at += 2;
            largest = Math.max(largest, at - start);
        }

        assertThat(at).isEqualTo(table.length).isEqualTo(entry.getShort(0x16));
        assertThat(types).containsExactly(0, 1, 3, 4, 16, 17, 19, 19, 32, 127);
        assertThat(types).hasSize(entry.getShort(0x1c));
        assertThat(largest).isEqualTo(entry.getShort(8));
        assertThat(new String(table, StandardCharsets.US_ASCII))
                .contains("Javisor\0Virtual Machine\0");
    }
}
