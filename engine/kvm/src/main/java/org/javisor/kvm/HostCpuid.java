package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.CpuidTable.Leaf;

/** CPUID as the kernel takes and gives it (KVM_GET_SUPPORTED_CPUID, KVM_SET_CPUID2). */
final class HostCpuid {
    private static final int MOST = 256;
    private static final int HEADER = Layouts.size(Layouts.CPUID);
    private static final int ENTRY = Layouts.size(Layouts.CPUID_ENTRY);
    private static final int SIGNIFICANT_INDEX = 1;

    // Leaf 1, ECX
    private static final int VMX = 1 << 5, X2APIC = 1 << 21, TSC_DEADLINE = 1 << 24;
    // Leaf 80000001h, ECX
    private static final int SVM = 1 << 2, TOPOLOGY_EXTENSIONS = 1 << 22;

    /** KVM features that need the kernel's own local APIC: PV EOI, kick, IPI, yield. */
    private static final int NEED_HOST_APIC = 1 << 6 | 1 << 7 | 1 << 11 | 1 << 13 | 1 << 15;

    /** Asynchronous page faults: off unless asked for. */
    private static final int ASYNC_FAULTS = 1 << 4 | 1 << 10 | 1 << 14;

    /** Done by hypercalls: waking a spinning processor, IPIs, yielding, migration, encryption. */
    private static final int HYPERCALLS = 1 << 7 | 1 << 11 | 1 << 13 | 1 << 16 | 1 << 17;

    private HostCpuid() {}

    /**
     * What the host can give a guest, less what Javisor does not pass on: nested virtualization,
     * and the host's own topology.
     *
     * @param hypercalls whether to pass on what guests would do by hypercalls
     */
    static CpuidTable supported(KvmHandle system, boolean hypercalls) {
        int withheld = ASYNC_FAULTS | (hypercalls ? 0 : HYPERCALLS);
        // The kernel leaves it to a capability, since it depends on where the local APIC is.
        int deadline = system.offers(Capability.TSC_DEADLINE_TIMER) ? TSC_DEADLINE : 0;
        List<Leaf> leaves = new ArrayList<>();
        for (Leaf leaf : read(system)) {
            switch (leaf.function()) {
                case 1 -> leaves.add(withEcx(leaf, leaf.ecx() & ~VMX | X2APIC | deadline));
                case 0xb, 0x1f, 0x8000001e -> {}
                case 0x40000001 ->
                        leaves.add(
                                new Leaf(
                                        leaf.function(),
                                        -1,
                                        leaf.eax() & ~withheld,
                                        leaf.ebx(),
                                        leaf.ecx(),
                                        leaf.edx()));
                case 0x80000001 ->
                        leaves.add(withEcx(leaf, leaf.ecx() & ~(SVM | TOPOLOGY_EXTENSIONS)));
                case 0x80000008 -> leaves.add(withEcx(leaf, 0));
                default -> leaves.add(leaf);
            }
        }
        return new CpuidTable(leaves);
    }

    private static List<Leaf> read(KvmHandle system) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment list = arena.allocate(HEADER + (long) ENTRY * MOST, 8);
            list.set(ValueLayout.JAVA_INT, 0, MOST);
            system.call(Ioctl.GET_SUPPORTED_CPUID, list);
            int count = list.get(ValueLayout.JAVA_INT, 0);
            List<Leaf> leaves = new ArrayList<>();
            for (int n = 0; n < count; n++) {
                int[] word = new int[7];
                for (int w = 0; w < 7; w++) {
                    word[w] = list.get(ValueLayout.JAVA_INT, HEADER + (long) n * ENTRY + 4L * w);
                }
                int subleaf = (word[2] & SIGNIFICANT_INDEX) != 0 ? word[1] : -1;
                leaves.add(new Leaf(word[0], subleaf, word[3], word[4], word[5], word[6]));
            }
            return leaves;
        }
    }

    private static Leaf withEcx(Leaf leaf, int ecx) {
        return new Leaf(leaf.function(), leaf.subleaf(), leaf.eax(), leaf.ebx(), ecx, leaf.edx());
    }

    /** A processor's table, adapted to where its local APIC is. */
    static CpuidTable adapt(CpuidTable table, boolean hostApic, boolean deadline, boolean x2apic) {
        List<Leaf> leaves = new ArrayList<>();
        for (Leaf leaf : table.leaves()) {
            if (leaf.function() == 1) {
                int ecx = leaf.ecx() & ~(TSC_DEADLINE | (x2apic ? 0 : X2APIC));
                leaves.add(withEcx(leaf, ecx | (deadline ? TSC_DEADLINE : 0)));
            } else if (leaf.function() == 0x40000001 && !hostApic) {
                leaves.add(
                        new Leaf(
                                leaf.function(),
                                leaf.subleaf(),
                                leaf.eax() & ~NEED_HOST_APIC,
                                leaf.ebx(),
                                leaf.ecx(),
                                leaf.edx()));
            } else {
                leaves.add(leaf);
            }
        }
        return new CpuidTable(leaves);
    }

    /**
     * @throws KvmException if the kernel does not take it
     */
    static void set(KvmHandle vcpu, CpuidTable table) {
        List<Leaf> leaves = table.leaves();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment list = arena.allocate(HEADER + (long) ENTRY * leaves.size(), 8);
            list.set(ValueLayout.JAVA_INT, 0, leaves.size());
            for (int n = 0; n < leaves.size(); n++) {
                Leaf leaf = leaves.get(n);
                int[] word = {
                    leaf.function(),
                    Math.max(0, leaf.subleaf()),
                    leaf.subleaf() < 0 ? 0 : SIGNIFICANT_INDEX,
                    leaf.eax(),
                    leaf.ebx(),
                    leaf.ecx(),
                    leaf.edx()
                };
                for (int w = 0; w < word.length; w++) {
                    list.set(ValueLayout.JAVA_INT, HEADER + (long) n * ENTRY + 4L * w, word[w]);
                }
            }
            vcpu.call(Ioctl.SET_CPUID2, list);
        }
    }

    /** Bytes of the XSAVE area in standard format with everything that the table allows. */
    static int xsaveSize(CpuidTable table) {
        return table.query(0xd, 0).ecx();
    }
}
