package org.javisor.interpreter;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import org.javisor.hypervisor.CpuFeature;
import org.javisor.hypervisor.CpuidDescription;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.CpuidTable.Leaf;
import org.javisor.x86.XsaveImage;

/**
 * What CPUID says of the processor that the interpreter is: x86-64-v3 and what Linux likes beside
 * it. Nothing is advertised that does not work. KVM's leaves from Linux
 * Documentation/virt/kvm/x86/cpuid.rst.
 *
 * <p>The signature is that of a Haswell-generation Xeon (family 6, model 63), which had about the
 * same set of instructions; features younger than it are named by their own bits.
 */
final class Identification {
    private static final int SIGNATURE = 0x000306f2;
    private static final int OSXSAVE = 1 << 27;

    /**
     * IA32_ARCH_CAPABILITIES: nothing here runs ahead of its permissions, so none of the leaks that
     * processors are asked about exist. Bits as in the Intel SDM vol. 4, MSR 10Ah.
     */
    static final long ARCH_CAPABILITIES =
            1 // RDCL_NO
                    | 1 << 3 // no L1D flush on VM entry needed
                    | 1 << 4 // SSB_NO
                    | 1 << 5 // MDS_NO
                    | 1 << 6 // IF_PSCHANGE_MC_NO
                    | 1 << 8 // TAA_NO
                    | 1 << 13 // SBDR_SSDP_NO
                    | 1 << 14 // FBSDP_NO
                    | 1 << 15 // PSDP_NO
                    | 1 << 20 // BHI_NO
                    | 1 << 24 // PBRSB_NO
                    | 1 << 26 // GDS_NO
                    | 1 << 27 // RFDS_NO
                    | 1L << 62; // ITS_NO

    /** KVM features: clock sources old and new, no I/O delay needed, steal time, stable clock. */
    private static final int KVM_FEATURES = 1 | 1 << 1 | 1 << 3 | 1 << 5 | 1 << 24;

    private static final int TSC_KHZ = (int) (InterpreterVm.TSC_FREQUENCY / 1000);

    private Identification() {}

    static CpuidTable table() {
        EnumSet<CpuFeature> all = EnumSet.allOf(CpuFeature.class);
        CpuidTable described = CpuidDescription.of("Javisor interpreter", SIGNATURE, all);
        List<Leaf> leaves = new ArrayList<>(described.leaves());
        // TSC = crystal * 1 / 1
        leaves.add(new Leaf(0x15, -1, 1, 1, (int) InterpreterVm.TSC_FREQUENCY, 0));
        leaves.add(new Leaf(0x40000000, -1, 0x40000010, 0x4b4d564b, 0x564b4d56, 0x4d)); // KVMKVMKVM
        leaves.add(new Leaf(0x40000001, -1, KVM_FEATURES, 0, 0, 0));
        leaves.add(new Leaf(0x40000010, -1, TSC_KHZ, 1_000_000, 0, 0));
        leaves.add(new Leaf(0x80000008, -1, PageWalker.PHYSICAL_ADDRESS_BITS | 48 << 8, 0, 0, 0));
        return CpuidDescription.withRanges(leaves);
    }

    /** What depends on the processor's state at the moment. */
    static Leaf dynamic(Leaf leaf, Cpu cpu) {
        if (leaf.function() == 1 && cpu.control.has4(ControlRegisters.CR4_OSXSAVE)) {
            return new Leaf(1, -1, leaf.eax(), leaf.ebx(), leaf.ecx() | OSXSAVE, leaf.edx());
        }
        if (leaf.function() == 0xd && leaf.subleaf() <= 1) {
            int size = XsaveImage.size(cpu.control.xcr0);
            return new Leaf(0xd, leaf.subleaf(), leaf.eax(), size, leaf.ecx(), leaf.edx());
        }
        return leaf;
    }
}
