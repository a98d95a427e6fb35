package org.javisor.interpreter;

import java.util.ArrayList;
import java.util.List;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.CpuidTable.Leaf;
import org.javisor.x86.XsaveImage;

/**
 * The processor that the interpreter is: x86-64-v2 and what Linux likes beside it. Nothing is
 * advertised that does not work. Leaves and bits as in the Intel SDM vol. 2A, CPUID; AMD's extended
 * leaves; KVM's from Linux Documentation/virt/kvm/x86/cpuid.rst.
 *
 * <p>The signature is that of a Westmere-generation Xeon (family 6, model 44), which had the same
 * set of instructions; features younger than it are named by their own bits.
 */
final class CpuModel {
    private static final int SIGNATURE = 0x000206c1;

    private static final int LEAF1_ECX =
            1 // SSE3
                    | 1 << 1 // PCLMULQDQ
                    | 1 << 9 // SSSE3
                    | 1 << 12 // FMA
                    | 1 << 13 // CMPXCHG16B
                    | 1 << 17 // PCID
                    | 1 << 19 // SSE4.1
                    | 1 << 20 // SSE4.2
                    | 1 << 21 // x2APIC
                    | 1 << 22 // MOVBE
                    | 1 << 23 // POPCNT
                    | 1 << 24 // TSC deadline
                    | 1 << 25 // AES
                    | 1 << 26 // XSAVE
                    | 1 << 28 // AVX
                    | 1 << 29 // F16C
                    | 1 << 30 // RDRAND
                    | 1 << 31; // hypervisor
    private static final int OSXSAVE = 1 << 27;

    private static final int LEAF1_EDX =
            1 // FPU
                    | 1 << 2 // DE
                    | 1 << 3 // PSE
                    | 1 << 4 // TSC
                    | 1 << 5 // MSR
                    | 1 << 6 // PAE
                    | 1 << 7 // MCE
                    | 1 << 8 // CMPXCHG8B
                    | 1 << 9 // APIC
                    | 1 << 11 // SYSENTER
                    | 1 << 12 // MTRR
                    | 1 << 13 // PGE
                    | 1 << 14 // MCA
                    | 1 << 15 // CMOV
                    | 1 << 16 // PAT
                    | 1 << 17 // PSE-36
                    | 1 << 19 // CLFLUSH
                    | 1 << 23 // MMX
                    | 1 << 24 // FXSAVE
                    | 1 << 25 // SSE
                    | 1 << 26; // SSE2

    private static final int LEAF7_EBX =
            1 // FSGSBASE
                    | 1 << 1 // TSC_ADJUST
                    | 1 << 3 // BMI1
                    | 1 << 5 // AVX2
                    | 1 << 7 // SMEP
                    | 1 << 8 // BMI2
                    | 1 << 9 // ERMS: string moves are done in bulk here
                    | 1 << 13 // FCS and FDS deprecated
                    | 1 << 18 // RDSEED
                    | 1 << 19 // ADX
                    | 1 << 20 // SMAP
                    | 1 << 29; // SHA
    private static final int LEAF7_ECX =
            1 << 2 // UMIP
                    | 1 << 9 // VAES
                    | 1 << 10; // VPCLMULQDQ
    private static final int LEAF7_EDX = 1 << 29; // IA32_ARCH_CAPABILITIES

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

    private static final int EXTENDED_EDX =
            1 << 11 // SYSCALL
                    | 1 << 20 // NX
                    | 1 << 26 // 1G pages
                    | 1 << 27 // RDTSCP
                    | 1 << 29; // long mode

    /** KVM features: clock sources old and new, no I/O delay needed, steal time, stable clock. */
    private static final int KVM_FEATURES = 1 | 1 << 1 | 1 << 3 | 1 << 5 | 1 << 24;

    private static final int TSC_KHZ = (int) (InterpreterVm.TSC_FREQUENCY / 1000);

    private CpuModel() {}

    static CpuidTable table() {
        List<Leaf> leaves = new ArrayList<>();
        leaves.add(new Leaf(0, -1, 0x15, 0x756e6547, 0x6c65746e, 0x49656e69)); // GenuineIntel
        leaves.add(new Leaf(1, -1, SIGNATURE, 8 << 8, LEAF1_ECX, LEAF1_EDX));
        leaves.add(new Leaf(2, -1, 0x00000001, 0, 0, 0));
        cacheLeaves(leaves);
        leaves.add(new Leaf(6, -1, 1 << 2, 0, 0, 0)); // APIC timer always running
        leaves.add(new Leaf(7, 0, 0, LEAF7_EBX, LEAF7_ECX, LEAF7_EDX));
        leaves.add(new Leaf(0xd, 0, 7, 576, 832, 0)); // x87, SSE, AVX
        leaves.add(new Leaf(0xd, 1, 1 | 2 | 4, 576, 0, 0)); // XSAVEOPT, XSAVEC, XGETBV of XCR1
        leaves.add(new Leaf(0xd, 2, 256, 576, 0, 0)); // AVX
        // TSC = crystal * 1 / 1
        leaves.add(new Leaf(0x15, -1, 1, 1, (int) InterpreterVm.TSC_FREQUENCY, 0));
        leaves.add(new Leaf(0x40000000, -1, 0x40000010, 0x4b4d564b, 0x564b4d56, 0x4d)); // KVMKVMKVM
        leaves.add(new Leaf(0x40000001, -1, KVM_FEATURES, 0, 0, 0));
        leaves.add(new Leaf(0x40000010, -1, TSC_KHZ, 1_000_000, 0, 0));
        leaves.add(new Leaf(0x80000000, -1, 0x80000008, 0, 0, 0));
        leaves.add(new Leaf(0x80000001, -1, 0, 0, 1 | 1 << 5, EXTENDED_EDX)); // LAHF, LZCNT
        brand(leaves, "Javisor interpreter");
        leaves.add(new Leaf(0x80000006, -1, 0, 0, 256 << 16 | 8 << 12 | 64, 0));
        leaves.add(new Leaf(0x80000007, -1, 0, 0, 0, 1 << 8)); // invariant TSC
        leaves.add(new Leaf(0x80000008, -1, PageWalker.PHYSICAL_ADDRESS_BITS | 48 << 8, 0, 0, 0));
        return new CpuidTable(leaves);
    }

    /** A plausible cache hierarchy: guests size their work by it. */
    private static void cacheLeaves(List<Leaf> leaves) {
        int line = 64 - 1;
        leaves.add(new Leaf(4, 0, 1 | 1 << 5 | 1 << 8, 7 << 22 | line, 63, 0));
        leaves.add(new Leaf(4, 1, 2 | 1 << 5 | 1 << 8, 7 << 22 | line, 63, 0));
        leaves.add(new Leaf(4, 2, 3 | 2 << 5 | 1 << 8, 7 << 22 | line, 511, 0));
    }

    private static void brand(List<Leaf> leaves, String name) {
        byte[] text = new byte[48];
        byte[] ascii = name.getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        System.arraycopy(ascii, 0, text, 0, ascii.length);
        var words =
                java.nio.ByteBuffer.wrap(text)
                        .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                        .asIntBuffer();
        for (int n = 0; n < 3; n++) {
            leaves.add(
                    new Leaf(
                            0x80000002 + n,
                            -1,
                            words.get(),
                            words.get(),
                            words.get(),
                            words.get()));
        }
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
