package org.javisor.hypervisor;

import java.util.ArrayList;
import java.util.List;

/**
 * What CPUID answers: an immutable list of leaves. A leaf out of range answers as Intel's
 * processors do, with the highest basic leaf (Intel SDM vol. 2A, CPUID).
 */
public final class CpuidTable {
    /** {@code subleaf} is -1 where ECX does not matter. */
    public record Leaf(int function, int subleaf, int eax, int ebx, int ecx, int edx) {}

    private final List<Leaf> leaves;

    public CpuidTable(List<Leaf> leaves) {
        this.leaves = List.copyOf(leaves);
    }

    public List<Leaf> leaves() {
        return leaves;
    }

    /** The leaf's answer, all zero where the function exists but not the subleaf. */
    public Leaf query(int function, int subleaf) {
        Leaf found = find(function, subleaf);
        if (found != null) {
            return found;
        }
        int group = function & 0xffff0000;
        Leaf base = find(group, 0);
        boolean inRange = base != null && Integer.compareUnsigned(function, base.eax()) <= 0;
        if (inRange || group == 0x40000000) {
            return new Leaf(function, subleaf, 0, 0, 0, 0);
        }
        Leaf basic = find(0, 0);
        Leaf highest = basic == null ? null : find(basic.eax(), subleaf);
        return highest == null ? new Leaf(function, subleaf, 0, 0, 0, 0) : highest;
    }

    private Leaf find(int function, int subleaf) {
        for (Leaf leaf : leaves) {
            if (leaf.function() == function
                    && (leaf.subleaf() == -1 || leaf.subleaf() == subleaf)) {
                return leaf;
            }
        }
        return null;
    }

    /**
     * A table in which a leaf with the same function and subleaf replaces this one's; others are
     * added.
     */
    public CpuidTable with(Leaf replacement) {
        List<Leaf> result = new ArrayList<>(leaves);
        result.removeIf(
                leaf ->
                        leaf.function() == replacement.function()
                                && leaf.subleaf() == replacement.subleaf());
        result.add(replacement);
        return new CpuidTable(result);
    }
}
