package org.javisor.interpreter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.javisor.testkit.HostProcessor;
import org.javisor.testkit.Thoroughness;
import org.javisor.testkit.UserState;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Decoder;
import org.javisor.x86.Instruction;
import org.javisor.x86.InstructionFormatter;
import org.javisor.x86.Op;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Which VEX encodings exist: every opcode of the three maps with every VEX.pp, VEX.L and VEX.W,
 * with VEX.vvvv used and not, on the host's processor and in the decoder.
 */
class VexEncodingOracleTest {
    private static final int UNDEFINED = 6;

    /** Memory at [rax], with and without SIB byte (index 4), and registers with every extension. */
    private static final int[] MODRM = {
        0x00, 0x10, 0x18, 0x28, 0x0c, 0xc1, 0xcb, 0xd3, 0xd9, 0xe1, 0xeb, 0xf1, 0xfe
    };

    private static final int[] NONE = {};

    /** Of these, in memory. */
    private static final int IN_MEMORY = 5;

    private static final int SIB = 0x20;

    private final Decoder decoder = new Decoder();
    private final UserState state = new UserState();
    private final List<String> differences = new ArrayList<>();
    private int compared;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void encodings_areUndefined_whereTheHostFindsThemSo(boolean as32) throws IOException {
        assumeTrue(hostHasAvx2(), "needs Linux on a host with AVX2, FMA and VAES");
        try (HostProcessor host = HostProcessor.open().orElseThrow()) {
            for (int n = 0; n < 3 * 256 * 32; n++) {
                int map = 1 + n / (256 * 32);
                int opcode = n >> 5 & 0xff;
                int unused = (n & 16) == 0 ? 0x78 : 0x50;
                int last = (n & 8) << 4 | unused | n & 7;
                // AMD's processors take no notice of VEX.W in VPERMQ and VPERMPD, Intel's do.
                boolean vendors = map == 3 && opcode < 2 && (n & 8) == 0;
                for (int modrm : emulated(map, opcode) && !vendors ? modrm(n, opcode) : NONE) {
                    int[] code = {0xc4, 0xe0 | map, last, opcode, modrm, SIB, 0, 0, 0};
                    compare(host, code, as32);
                }
            }
        }
        System.out.printf(
                "VEX encodings, %d bits: %d, %d mismatches%n",
                as32 ? 32 : 64, compared, differences.size());
        assertThat(differences.stream().limit(100)).isEmpty();
    }

    /** One in memory and one in registers, another for each neighbour; all for opcode groups. */
    private static int[] modrm(int n, int opcode) {
        boolean group = opcode >= 0x71 && opcode <= 0x73 || opcode == 0xae || opcode == 0xf3;
        if (group || Thoroughness.isLongRun()) {
            return MODRM;
        }
        int registers = MODRM.length - IN_MEMORY;
        return new int[] {MODRM[n % IN_MEMORY], MODRM[IN_MEMORY + (n + (n >> 3)) % registers]};
    }

    /** Opmasks of AVX-512 and GFNI are not. */
    private static boolean emulated(int map, int opcode) {
        boolean opmask =
                map == 1 && (opcode >= 0x41 && opcode <= 0x4b || opcode >= 0x90 && opcode <= 0x99);
        boolean shift = map == 3 && opcode >= 0x30 && opcode <= 0x33;
        boolean galois = map > 1 && (opcode == 0xcf || opcode == 0xce);
        return !opmask && !shift && !galois;
    }

    private void compare(HostProcessor host, int[] bytes, boolean as32) {
        byte[] code = new byte[Decoder.MAX_LENGTH];
        for (int n = 0; n < bytes.length; n++) {
            code[n] = (byte) bytes[n];
        }
        Instruction i =
                decoder.decode(
                        code, 0, Decoder.MAX_LENGTH, as32 ? CodeSize.BITS32 : CodeSize.BITS64);
        boolean undefined = i.op == Op.INVALID;
        // Unless it is undefined, the instruction must end where the host's test ends.
        int length = undefined ? 5 + ((code[4] & 0xc7) == 4 ? 1 : 0) : i.length;
        Arrays.fill(state.gpr, host.dataAddress() + 0x800);
        Arrays.fill(state.fpu, (byte) 0);
        state.fpu[0] = 0x7f;
        state.fpu[24] = (byte) 0x80;
        state.fpu[25] = 0x1f;
        host.run(code, length, 0, state, as32);
        compared++;
        if (undefined != (state.vector == UNDEFINED)) {
            differences.add(
                    HexFormat.of().formatHex(code, 0, length)
                            + " "
                            + InstructionFormatter.format(i, 0)
                            + " exception "
                            + state.vector
                            + " error "
                            + state.errorCode);
        }
    }

    private static boolean hostHasAvx2() throws IOException {
        Path path = Path.of("/proc/cpuinfo");
        if (!Files.exists(path)) {
            return false;
        }
        String flags = Files.readString(path) + " ";
        return flags.contains(" avx2 ") && flags.contains(" fma ") && flags.contains(" vaes ");
    }
}
