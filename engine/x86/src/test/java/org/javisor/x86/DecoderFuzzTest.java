package org.javisor.x86;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever the bytes: an instruction of 1 to 15 bytes, or a request for more. */
class DecoderFuzzTest {
    private static final long SEED = Long.getLong("javisor.seed", 7L);
    private static final int SAMPLES = 200_000;

    private final Decoder decoder = new Decoder();

    @ParameterizedTest
    @EnumSource(CodeSize.class)
    void decode_yieldsAnInstruction_whenBytesAreRandom(CodeSize size) {
        Random random = new Random(SEED);
        byte[] code = new byte[Decoder.MAX_LENGTH];
        for (int i = 0; i < SAMPLES; i++) {
            fill(code, random);
            Instruction instruction = decoder.decode(code, 0, code.length, size);
            assertThat(instruction).as("seed %d, sample %d", SEED, i).isNotNull();
            assertThat((int) instruction.length).as("seed %d, sample %d", SEED, i).isBetween(1, 15);
            InstructionFormatter.format(instruction, i);
        }
    }

    /** Cut short, an instruction is either not decided or the same. */
    @ParameterizedTest
    @EnumSource(CodeSize.class)
    void decode_asksForMore_whenBytesEndBeforeTheInstruction(CodeSize size) {
        Random random = new Random(SEED);
        byte[] code = new byte[Decoder.MAX_LENGTH];
        for (int i = 0; i < SAMPLES / 10; i++) {
            fill(code, random);
            Instruction whole = decoder.decode(code, 0, code.length, size);
            for (int available = 1; available < code.length; available++) {
                Instruction part = decoder.decode(code, 0, available, size);
                boolean decided = available >= whole.length && whole.op != Op.TOO_LONG;
                assertThat(part != null)
                        .as("seed %d, sample %d, %d bytes", SEED, i, available)
                        .isEqualTo(decided);
                if (decided) {
                    assertThat(part.op).isEqualTo(whole.op);
                    assertThat(part.length).isEqualTo(whole.length);
                }
            }
        }
    }

    /** Random bytes are mostly valid one-byte opcodes: prefixes and escapes are made likelier. */
    private static void fill(byte[] code, Random random) {
        random.nextBytes(code);
        int[] likely = {0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x48, 0x41, 0x0f, 0x0f, 0xc4, 0xc5, 0x64};
        int pos = 0;
        while (pos < code.length && random.nextInt(4) != 0) {
            code[pos++] = (byte) likely[random.nextInt(likely.length)];
        }
        if (pos > 0 && pos < code.length && code[pos - 1] == 0x0f && random.nextBoolean()) {
            code[pos] = (byte) (random.nextBoolean() ? 0x38 : 0x3a);
        }
    }
}
