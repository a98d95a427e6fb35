package org.javisor.x86;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What an instruction tells about its own bytes. */
class EncodingFieldsTest {
    private static final long SEED = Long.getLong("javisor.seed", 20260101L);

    private final Decoder decoder = new Decoder();

    private Instruction decode(String hex) {
        byte[] code = new byte[32];
        byte[] given = HexFormat.of().parseHex(hex.replace(" ", ""));
        System.arraycopy(given, 0, code, 0, given.length);
        Instruction instruction = decoder.decode(code, 0, Decoder.MAX_LENGTH, CodeSize.BITS64);
        assertThat((int) instruction.length).isEqualTo(given.length);
        return instruction;
    }

    /** Prefix bytes, REX, prefix number, map, opcode, vvvv; ModRM, displacement, immediate. */
    private static String fields(Instruction i) {
        return String.format(
                "%d %02x %d %d %02x %d; %d %d+%d %d",
                i.prefixLength,
                i.rex,
                i.mandatoryPrefix,
                i.map,
                i.opcode,
                i.vexRegister,
                i.modrmOffset,
                i.dispOffset,
                i.dispSize,
                i.immSize);
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '"',
            value = {
                "c3, 0 00 0 0 c3 0; -1 0+0 0",
                "f3 48 0f b8 c1, 1 48 2 1 b8 0; 4 0+0 0",
                "64 66 44 81 84 88 11 22 33 44 55 66, 2 44 1 0 81 0; 4 6+4 2",
                "48 66 83 45 08 ff, 2 00 1 0 83 0; 3 4+1 1",
                "48 8b 05 11 22 33 44, 0 48 0 0 8b 0; 2 3+4 0",
                "48 a1 11 22 33 44 55 66 77 88, 0 48 0 0 a1 0; -1 2+8 0",
                "48 b8 11 22 33 44 55 66 77 88, 0 48 0 0 b8 0; -1 0+0 8",
                "0f 84 11 22 33 44, 0 00 0 1 84 0; -1 0+0 4",
                "c8 10 00 01, 0 00 0 0 c8 0; -1 0+0 3",
                "66 0f 3a 0f 44 24 10 08, 1 00 1 3 0f 0; 4 6+1 1",
                "65 c4 62 b8 f2 4c 24 10, 1 4c 0 2 f2 8; 5 7+1 0",
            })
    void decode_tellsWhereThePartsLie(String hex, String expected) {
        assertThat(fields(decode(hex))).isEqualTo(expected);
    }

    @ParameterizedTest
    @EnumSource(CodeSize.class)
    void parts_addUpToTheLength_whateverTheBytes(CodeSize size) {
        Random random = new Random(SEED);
        byte[] code = new byte[Decoder.MAX_LENGTH];
        int decoded = 0;
        for (int n = 0; n < 200_000; n++) {
            random.nextBytes(code);
            if ((n & 3) == 0) {
                code[0] = 0x0f;
            }
            Instruction i = decoder.decode(code, 0, Decoder.MAX_LENGTH, size);
            if (i.op == Op.INVALID || i.op == Op.TOO_LONG) {
                continue;
            }
            decoded++;
            int at = i.prefixLength;
            if (i.vex()) {
                at += (code[at] & 0xff) == 0xc5 ? 2 : 3;
            } else {
                at += (i.rex != 0 ? 1 : 0) + Math.min(i.map, 2);
            }
            String bytes = HexFormat.of().formatHex(code, 0, i.length) + " seed " + SEED;
            assertThat(code[at++] & 0xff).as(bytes).isEqualTo(i.opcode);
            if (i.modrmOffset >= 0) {
                assertThat(i.modrmOffset).as(bytes).isEqualTo((byte) at);
                int modrm = code[at++] & 0xff;
                boolean sib = modrm < 0xc0 && (modrm & 7) == 4 && i.addressSize != 2;
                at += sib && i.hasMemory() ? 1 : 0;
            }
            if (i.dispSize != 0) {
                assertThat(i.dispOffset).as(bytes).isEqualTo((byte) at);
            }
            assertThat(at + i.dispSize + i.immSize).as(bytes).isEqualTo(i.length);
        }
        assertThat(decoded).isGreaterThan(50_000);
    }

    @Test
    void displacement_canBeReplaced_whereTheInstructionSaysItLies() {
        byte[] code = HexFormat.of().parseHex("48898424112233440000000000000000");
        Instruction before = decoder.decode(code, 0, Decoder.MAX_LENGTH, CodeSize.BITS64);
        assertThat(before.dispSize).isEqualTo((byte) 4);
        LittleEndian.put32(code, before.dispOffset, -8);
        Instruction after = decoder.decode(code, 0, Decoder.MAX_LENGTH, CodeSize.BITS64);
        assertThat(after.disp).isEqualTo(-8);
        assertThat(after.length).isEqualTo(before.length);
    }
}
