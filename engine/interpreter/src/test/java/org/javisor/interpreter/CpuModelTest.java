package org.javisor.interpreter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.javisor.hypervisor.CpuFeature;
import org.javisor.hypervisor.CpuModel;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.CpuidTable.Leaf;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Decoder;
import org.javisor.x86.Instruction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The processors that users choose, on an engine that has everything. */
class CpuModelTest {
    private final CpuidTable engine = new InterpreterHypervisor().cpuid();

    @Test
    void max_isAllThatTheEngineHas() {
        assertThat(CpuModel.MAX.table(engine)).isSameAs(engine);
        assertThat(CpuFeature.of(engine)).isEqualTo(EnumSet.allOf(CpuFeature.class));
        assertThat(engine.query(0, 0).eax()).isEqualTo(0x15);
        assertThat(engine.query(0x80000000, 0).eax()).isEqualTo(0x80000008);
        assertThat(engine.query(0xd, 0)).isEqualTo(new Leaf(0xd, 0, 7, 576, 832, 0));
        assertThat(engine.query(0xd, 2)).isEqualTo(new Leaf(0xd, 2, 256, 576, 0, 0));
    }

    @ParameterizedTest
    @EnumSource(value = CpuModel.class, names = "MAX", mode = EnumSource.Mode.EXCLUDE)
    void namedModel_hasItsFeaturesAndNoOthers(CpuModel model) {
        Set<CpuFeature> features = model.features();
        features.add(CpuFeature.ARCH_CAPABILITIES);
        CpuidTable table = model.table(engine);
        assertThat(CpuFeature.of(table)).isEqualTo(features);
        assertThat(table.query(0x40000000, 0)).isEqualTo(engine.query(0x40000000, 0));
        assertThat(brand(table)).isEqualTo("Javisor " + model);
    }

    @Test
    void namedModel_isRefused_whereTheEngineLacksAFeature() {
        List<Leaf> leaves = new ArrayList<>(engine.leaves());
        leaves.replaceAll(
                leaf ->
                        leaf.function() == 1
                                ? new Leaf(1, -1, leaf.eax(), 0, leaf.ecx() & ~(1 << 12), -1)
                                : leaf);
        CpuidTable without = new CpuidTable(leaves);
        assertThat(CpuModel.X86_64_V3.missing(without)).containsExactly(CpuFeature.FMA);
        assertThatThrownBy(() -> CpuModel.X86_64_V3.table(without)).hasMessageContaining("fma");
        assertThat(CpuModel.X86_64_V2.missing(without)).isEmpty();
    }

    @Test
    void instructionsOfTheThirdLevel_areMissing_inTheSecond() {
        Extensions second = new Extensions(CpuModel.X86_64_V2.table(engine));
        assertThat(second.xcr0()).isZero();
        assertThat(second.include(decode("f3 0f bd c1"))).isFalse(); // lzcnt
        assertThat(second.include(decode("c4 e2 78 f2 c1"))).isFalse(); // andn
        assertThat(second.include(decode("0f 38 f0 01"))).isFalse(); // movbe
        assertThat(second.include(decode("f3 0f b8 c1"))).isTrue(); // popcnt
        Extensions third = new Extensions(CpuModel.X86_64_V3.table(engine));
        assertThat(third.xcr0()).isEqualTo(7);
        assertThat(third.include(decode("f3 0f bd c1"))).isTrue();
    }

    @Test
    void names_areThoseOfTheLinuxKernel() {
        assertThat(CpuFeature.named(List.of("avx2", "sse4_1", "pni", "nonsense")))
                .containsExactlyInAnyOrder(CpuFeature.AVX2, CpuFeature.SSE4_1, CpuFeature.PNI);
        assertThat(CpuModel.named("x86-64-v3")).contains(CpuModel.X86_64_V3);
        assertThat(CpuModel.named("haswell")).isEmpty();
    }

    private static String brand(CpuidTable table) {
        StringBuilder text = new StringBuilder();
        for (int n = 0; n < 3; n++) {
            Leaf leaf = table.query(0x80000002 + n, 0);
            for (int word : new int[] {leaf.eax(), leaf.ebx(), leaf.ecx(), leaf.edx()}) {
                for (int shift = 0; shift < 32 && (word >>> shift & 0xff) != 0; shift += 8) {
                    text.append((char) (word >>> shift & 0xff));
                }
            }
        }
        return text.toString();
    }

    private static Instruction decode(String hex) {
        byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
        return new Decoder().decode(Arrays.copyOf(code, 15), 0, 15, CodeSize.BITS64);
    }
}
