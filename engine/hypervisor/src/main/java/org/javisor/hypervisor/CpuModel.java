package org.javisor.hypervisor;

import static org.javisor.hypervisor.CpuFeature.*;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.javisor.hypervisor.CpuidTable.Leaf;

/**
 * A processor as users choose it. A named one has the same features on every host and engine, so
 * that a guest can be moved between them; {@link #MAX} is all that the engine has where it runs.
 *
 * <p>The levels are those of the x86-64 psABI (section "Micro-Architecture Levels"), with what
 * processors of their time had beside: Westmere for the second, Haswell for the third, whose
 * signatures they bear.
 */
public enum CpuModel {
    MAX("max", 0, EnumSet.noneOf(CpuFeature.class)),
    X86_64_V2("x86-64-v2", Signatures.WESTMERE, Levels.second()),
    X86_64_V3("x86-64-v3", Signatures.HASWELL, Levels.third());

    private final String label;
    private final int signature;
    private final Set<CpuFeature> features;

    CpuModel(String label, int signature, Set<CpuFeature> features) {
        this.label = label;
        this.signature = signature;
        this.features = features;
    }

    private static final class Signatures {
        /** Family, model and stepping in CPUID's form: Xeons of 2010 and of 2014. */
        static final int WESTMERE = 0x000206c1, HASWELL = 0x000306f2;
    }

    private static final class Levels {
        static Set<CpuFeature> second() {
            EnumSet<CpuFeature> features = EnumSet.range(FPU, SSSE3);
            features.addAll(List.of(CX16, PCID, SSE4_1, SSE4_2, X2APIC, POPCNT, AES));
            features.addAll(List.of(TSC_DEADLINE_TIMER, HYPERVISOR, ARAT, NONSTOP_TSC));
            features.addAll(List.of(LAHF_LM, SYSCALL, NX, PDPE1GB, RDTSCP, LM));
            return features;
        }

        static Set<CpuFeature> third() {
            Set<CpuFeature> features = second();
            features.addAll(List.of(XSAVE, XSAVEOPT, AVX, AVX2, FMA, F16C, BMI1, BMI2, ABM));
            features.addAll(List.of(MOVBE, FSGSBASE, SMEP, ERMS));
            return features;
        }
    }

    /** What users write. */
    @Override
    public String toString() {
        return label;
    }

    /** The model that users mean by a name. */
    public static Optional<CpuModel> named(String name) {
        return Arrays.stream(values()).filter(m -> m.label.equals(name)).findFirst();
    }

    /** The features that the model has everywhere; none of its own for {@link #MAX}. */
    public Set<CpuFeature> features() {
        return EnumSet.copyOf(features);
    }

    /** What the model needs and an engine's own table does not offer. */
    public Set<CpuFeature> missing(CpuidTable engine) {
        Set<CpuFeature> missing = features();
        missing.removeAll(CpuFeature.of(engine));
        return missing;
    }

    /**
     * The model on an engine. Of the engine's own table it takes what says how the machine is made,
     * not what the processor can: the width of addresses, frequencies, the interface of the
     * hypervisor, and IA32_ARCH_CAPABILITIES, by which a guest knows which of processors' faults it
     * need not work around.
     *
     * @param engine what {@link Hypervisor#cpuid} gave
     * @throws IllegalArgumentException if something is {@link #missing}
     */
    public CpuidTable table(CpuidTable engine) {
        if (this == MAX) {
            return engine;
        }
        Set<CpuFeature> missing = missing(engine);
        if (!missing.isEmpty()) {
            throw new IllegalArgumentException("CPU model " + label + " lacks " + missing);
        }
        Set<CpuFeature> all = features();
        if (ARCH_CAPABILITIES.in(engine)) {
            all.add(ARCH_CAPABILITIES);
        }
        CpuidTable described = CpuidDescription.of("Javisor " + label, signature, all);
        List<Leaf> leaves = new ArrayList<>(described.leaves());
        for (Leaf leaf : engine.leaves()) {
            boolean paravirtual = leaf.function() >>> 16 == 0x4000;
            boolean frequency = leaf.function() == 0x15 || leaf.function() == 0x16;
            if (paravirtual || frequency || leaf.function() == 0x80000008) {
                leaves.add(leaf);
            }
        }
        return CpuidDescription.withRanges(leaves);
    }
}
