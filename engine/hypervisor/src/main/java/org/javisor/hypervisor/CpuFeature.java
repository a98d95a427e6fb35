package org.javisor.hypervisor;

import java.util.Arrays;
import java.util.Collection;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;

/**
 * A feature that CPUID tells of by a bit, as far as models and engines choose among them (Intel SDM
 * vol. 2A, CPUID; AMD's extended leaves). Named as Linux names it in /proc/cpuinfo.
 */
public enum CpuFeature {
    FPU(1, 'd', 0),
    DE(1, 'd', 2),
    PSE(1, 'd', 3),
    TSC(1, 'd', 4),
    MSR(1, 'd', 5),
    PAE(1, 'd', 6),
    MCE(1, 'd', 7),
    CX8(1, 'd', 8),
    APIC(1, 'd', 9),
    SEP(1, 'd', 11),
    MTRR(1, 'd', 12),
    PGE(1, 'd', 13),
    MCA(1, 'd', 14),
    CMOV(1, 'd', 15),
    PAT(1, 'd', 16),
    PSE36(1, 'd', 17),
    CLFLUSH(1, 'd', 19),
    MMX(1, 'd', 23),
    FXSR(1, 'd', 24),
    SSE(1, 'd', 25),
    SSE2(1, 'd', 26),
    /** SSE3. */
    PNI(1, 'c', 0),
    PCLMULQDQ(1, 'c', 1),
    SSSE3(1, 'c', 9),
    FMA(1, 'c', 12),
    CX16(1, 'c', 13),
    PCID(1, 'c', 17),
    SSE4_1(1, 'c', 19),
    SSE4_2(1, 'c', 20),
    X2APIC(1, 'c', 21),
    MOVBE(1, 'c', 22),
    POPCNT(1, 'c', 23),
    TSC_DEADLINE_TIMER(1, 'c', 24),
    AES(1, 'c', 25),
    XSAVE(1, 'c', 26),
    AVX(1, 'c', 28),
    F16C(1, 'c', 29),
    RDRAND(1, 'c', 30),
    HYPERVISOR(1, 'c', 31),
    ARAT(6, 'a', 2),
    FSGSBASE(7, 'b', 0),
    TSC_ADJUST(7, 'b', 1),
    BMI1(7, 'b', 3),
    AVX2(7, 'b', 5),
    SMEP(7, 'b', 7),
    BMI2(7, 'b', 8),
    ERMS(7, 'b', 9),
    /** The selectors of the last x87 instruction and operand are not kept. */
    ZERO_FCS_FDS(7, 'b', 13),
    RDSEED(7, 'b', 18),
    ADX(7, 'b', 19),
    SMAP(7, 'b', 20),
    SHA_NI(7, 'b', 29),
    UMIP(7, 'c', 2),
    VAES(7, 'c', 9),
    VPCLMULQDQ(7, 'c', 10),
    /** Kernels without it serialize by returning from an interrupt they did not have. */
    SERIALIZE(7, 'd', 14),
    ARCH_CAPABILITIES(7, 'd', 29),
    XSAVEOPT(0xd, 1, 'a', 0),
    XSAVEC(0xd, 1, 'a', 1),
    XGETBV1(0xd, 1, 'a', 2),
    LAHF_LM(0x80000001, 'c', 0),
    /** LZCNT. */
    ABM(0x80000001, 'c', 5),
    SYSCALL(0x80000001, 'd', 11),
    NX(0x80000001, 'd', 20),
    PDPE1GB(0x80000001, 'd', 26),
    RDTSCP(0x80000001, 'd', 27),
    LM(0x80000001, 'd', 29),
    /** Invariant TSC. */
    NONSTOP_TSC(0x80000007, 'd', 8);

    private final int function;
    private final int subleaf;
    private final char register;
    private final int bit;

    CpuFeature(int function, char register, int bit) {
        this(function, 0, register, bit);
    }

    CpuFeature(int function, int subleaf, char register, int bit) {
        this.function = function;
        this.subleaf = subleaf;
        this.register = register;
        this.bit = bit;
    }

    /** In lower case, as in /proc/cpuinfo. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** Whether a table tells of it. */
    public boolean in(CpuidTable table) {
        int highest = table.query(function & 0x80000000, 0).eax();
        if (Integer.compareUnsigned(function, highest) > 0) {
            return false;
        }
        CpuidTable.Leaf leaf = table.query(function, subleaf);
        int value =
                switch (register) {
                    case 'a' -> leaf.eax();
                    case 'b' -> leaf.ebx();
                    case 'c' -> leaf.ecx();
                    default -> leaf.edx();
                };
        return (value >>> bit & 1) != 0;
    }

    /** All that a table tells of. */
    public static Set<CpuFeature> of(CpuidTable table) {
        EnumSet<CpuFeature> features = EnumSet.noneOf(CpuFeature.class);
        for (CpuFeature feature : values()) {
            if (feature.in(table)) {
                features.add(feature);
            }
        }
        return features;
    }

    /** Those among a list of names as in /proc/cpuinfo. */
    public static Set<CpuFeature> named(Collection<String> names) {
        EnumSet<CpuFeature> features = EnumSet.noneOf(CpuFeature.class);
        Arrays.stream(values()).filter(f -> names.contains(f.toString())).forEach(features::add);
        return features;
    }

    /** The bits of one register of a leaf that a set of features makes. */
    static int bits(Set<CpuFeature> features, int function, int subleaf, char register) {
        int value = 0;
        for (CpuFeature f : features) {
            if (f.function == function && f.subleaf == subleaf && f.register == register) {
                value |= 1 << f.bit;
            }
        }
        return value;
    }
}
