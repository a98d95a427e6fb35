package org.javisor.machine;

import java.util.ArrayList;
import java.util.List;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.CpuidTable.Leaf;

/**
 * The CPUID leaves that tell one processor of a machine from another: one package, one thread a
 * core, APIC ID = index (Intel SDM vol. 3A, 9.9 "Managing topology").
 */
final class Topology {
    private static final int HTT = 1 << 28;

    private Topology() {}

    /** The engine's table with the leaves of processor {@code index} of {@code count} filled in. */
    static CpuidTable describe(CpuidTable table, int index, int count) {
        int idBits = 32 - Integer.numberOfLeadingZeros(count - 1);
        int highest = table.query(0, 0).eax();
        List<Leaf> leaves = new ArrayList<>();
        for (Leaf leaf : table.leaves()) {
            switch (leaf.function()) {
                case 1 -> leaves.add(features(leaf, index, count));
                case 4 -> leaves.add(cache(leaf, count, idBits));
                case 0xb -> {}
                default -> leaves.add(leaf);
            }
        }
        if (highest >= 0xb) {
            // Level types: 1 thread, 2 core.
            leaves.add(new Leaf(0xb, 0, 0, 1, 1 << 8, index));
            leaves.add(new Leaf(0xb, 1, idBits, count, 2 << 8 | 1, index));
            leaves.add(new Leaf(0xb, 2, 0, 0, 2, index));
        }
        return new CpuidTable(leaves);
    }

    /** EBX: initial APIC ID, and how many IDs the package spans, 8 bits each. */
    private static Leaf features(Leaf leaf, int index, int count) {
        int span = Math.min(255, count == 1 ? 1 : Integer.highestOneBit(count - 1) << 1);
        int ebx = leaf.ebx() & 0xffff | span << 16 | index << 24;
        int edx = count > 1 ? leaf.edx() | HTT : leaf.edx() & ~HTT;
        return new Leaf(leaf.function(), leaf.subleaf(), leaf.eax(), ebx, leaf.ecx(), edx);
    }

    /**
     * EAX: core IDs of the package less one in bits 26-31; caches of level 3 are shared by all of
     * them, 14-25.
     */
    private static Leaf cache(Leaf leaf, int count, int idBits) {
        if ((leaf.eax() & 0x1f) == 0) {
            return leaf;
        }
        int cores = Math.min(63, (1 << idBits) - 1);
        int level = leaf.eax() >>> 5 & 7;
        int sharing = level == 3 ? (1 << idBits) - 1 : 0;
        int eax = leaf.eax() & 0x3fff | sharing << 14 | cores << 26;
        return new Leaf(leaf.function(), leaf.subleaf(), eax, leaf.ebx(), leaf.ecx(), leaf.edx());
    }
}
