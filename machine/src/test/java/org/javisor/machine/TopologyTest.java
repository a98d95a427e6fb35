package org.javisor.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.CpuidTable.Leaf;
import org.junit.jupiter.api.Test;

class TopologyTest {
    private final CpuidTable engine =
            new CpuidTable(
                    List.of(
                            new Leaf(0, -1, 0xb, 1, 2, 3),
                            new Leaf(1, -1, 0x206c1, 0xff000800, 5, 0x01000000),
                            new Leaf(4, 0, 0x121, 7, 8, 9),
                            new Leaf(4, 3, 0x163, 7, 8, 9),
                            new Leaf(4, 4, 0, 0, 0, 0),
                            new Leaf(0xb, -1, 99, 99, 99, 99)));

    @Test
    void namesTheProcessor_whenThereAreSeveral() {
        CpuidTable table = Topology.describe(engine, 2, 3);
        Leaf features = table.query(1, 0);
        assertThat(features.ebx()).isEqualTo(0x02040800);
        assertThat(features.edx() & 1 << 28).isNotZero();
        assertThat(features.ecx()).isEqualTo(5);
        assertThat(table.query(0xb, 0)).isEqualTo(new Leaf(0xb, 0, 0, 1, 0x100, 2));
        assertThat(table.query(0xb, 1)).isEqualTo(new Leaf(0xb, 1, 2, 3, 0x201, 2));
        assertThat(table.query(0xb, 2).ecx() >> 8).isZero();
    }

    @Test
    void sharesOnlyTheLastCache_whenThereAreSeveral() {
        CpuidTable table = Topology.describe(engine, 0, 4);
        assertThat(table.query(4, 0).eax()).isEqualTo(0x121 | 3 << 26);
        assertThat(table.query(4, 3).eax()).isEqualTo(0x163 | 3 << 26 | 3 << 14);
        assertThat(table.query(4, 4).eax()).isZero();
    }

    @Test
    void hasNoSiblings_whenThereIsOne() {
        CpuidTable table = Topology.describe(engine, 0, 1);
        assertThat(table.query(1, 0).ebx()).isEqualTo(0x00010800);
        assertThat(table.query(1, 0).edx() & 1 << 28).isZero();
        assertThat(table.query(0xb, 1)).isEqualTo(new Leaf(0xb, 1, 0, 1, 0x201, 0));
    }
}
