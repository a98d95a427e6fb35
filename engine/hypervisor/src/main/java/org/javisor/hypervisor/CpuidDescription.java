package org.javisor.hypervisor;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.javisor.hypervisor.CpuidTable.Leaf;

/**
 * Makes the leaves of CPUID out of a set of features (Intel SDM vol. 2A, CPUID; AMD's extended
 * leaves), for engines and models alike. What an engine alone knows it adds itself: addresses'
 * width, frequencies, its own interface.
 */
public final class CpuidDescription {
    /** Bytes of XSAVE's area up to its header's end, and of what AVX adds. */
    private static final int LEGACY_AREA = 576, AVX_AREA = 256;

    private CpuidDescription() {}

    /**
     * @param brand at most 47 characters
     * @param signature family, model and stepping as leaf 1 has them
     */
    public static CpuidTable of(String brand, int signature, Set<CpuFeature> features) {
        List<Leaf> leaves = new ArrayList<>();
        leaves.add(new Leaf(0, -1, 0, 0x756e6547, 0x6c65746e, 0x49656e69)); // GenuineIntel
        leaves.add(registers(features, 1, signature, 8 << 8));
        leaves.add(new Leaf(2, -1, 0x00000001, 0, 0, 0));
        caches(leaves);
        leaves.add(registers(features, 6, 0, 0));
        leaves.add(structured(features));
        if (features.contains(CpuFeature.XSAVE)) {
            extendedState(leaves, features);
        }
        leaves.add(new Leaf(0x80000000, -1, 0, 0, 0, 0));
        leaves.add(registers(features, 0x80000001, 0, 0));
        brand(leaves, brand);
        leaves.add(new Leaf(0x80000006, -1, 0, 0, 256 << 16 | 8 << 12 | 64, 0));
        leaves.add(registers(features, 0x80000007, 0, 0));
        return withRanges(leaves);
    }

    /** A table of leaves in which those that tell the highest of each range do so. */
    public static CpuidTable withRanges(List<Leaf> leaves) {
        int basic = highest(leaves, 0);
        int extended = highest(leaves, 0x80000000);
        List<Leaf> result = new ArrayList<>();
        for (Leaf leaf : leaves) {
            int function = leaf.function();
            if (function == 0 || function == 0x80000000) {
                int eax = function == 0 ? basic : extended;
                leaf = new Leaf(function, -1, eax, leaf.ebx(), leaf.ecx(), leaf.edx());
            }
            result.add(leaf);
        }
        return new CpuidTable(result);
    }

    private static int highest(List<Leaf> leaves, int range) {
        return leaves.stream()
                .mapToInt(Leaf::function)
                .filter(function -> (function & 0xffff0000) == range)
                .max()
                .orElse(range);
    }

    private static int bits(Set<CpuFeature> features, int function, char register) {
        return CpuFeature.bits(features, function, 0, register);
    }

    private static Leaf registers(Set<CpuFeature> features, int function, int eax, int ebx) {
        return new Leaf(
                function,
                -1,
                eax | bits(features, function, 'a'),
                ebx | bits(features, function, 'b'),
                bits(features, function, 'c'),
                bits(features, function, 'd'));
    }

    private static Leaf structured(Set<CpuFeature> features) {
        Leaf leaf = registers(features, 7, 0, 0);
        return new Leaf(7, 0, 0, leaf.ebx(), leaf.ecx(), leaf.edx());
    }

    /** A plausible cache hierarchy: guests size their work by it. */
    private static void caches(List<Leaf> leaves) {
        int line = 64 - 1;
        leaves.add(new Leaf(4, 0, 1 | 1 << 5 | 1 << 8, 7 << 22 | line, 63, 0));
        leaves.add(new Leaf(4, 1, 2 | 1 << 5 | 1 << 8, 7 << 22 | line, 63, 0));
        leaves.add(new Leaf(4, 2, 3 | 2 << 5 | 1 << 8, 7 << 22 | line, 511, 0));
    }

    /** EBX of the first two is what the area takes with XCR0 as it is: engines fill it in. */
    private static void extendedState(List<Leaf> leaves, Set<CpuFeature> features) {
        boolean avx = features.contains(CpuFeature.AVX);
        int size = avx ? LEGACY_AREA + AVX_AREA : LEGACY_AREA;
        leaves.add(new Leaf(0xd, 0, avx ? 7 : 3, LEGACY_AREA, size, 0));
        int instructions = CpuFeature.bits(features, 0xd, 1, 'a');
        leaves.add(new Leaf(0xd, 1, instructions, LEGACY_AREA, 0, 0));
        if (avx) {
            leaves.add(new Leaf(0xd, 2, AVX_AREA, LEGACY_AREA, 0, 0));
        }
    }

    private static void brand(List<Leaf> leaves, String name) {
        byte[] ascii = name.getBytes(StandardCharsets.US_ASCII);
        ByteBuffer text = ByteBuffer.allocate(48).order(ByteOrder.LITTLE_ENDIAN);
        text.put(0, ascii, 0, Math.min(ascii.length, 47));
        for (int n = 0; n < 3; n++) {
            leaves.add(
                    new Leaf(
                            0x80000002 + n,
                            -1,
                            text.getInt(),
                            text.getInt(),
                            text.getInt(),
                            text.getInt()));
        }
    }
}
