package org.javisor.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.x86.CodeSize.BITS16;
import static org.javisor.x86.CodeSize.BITS32;
import static org.javisor.x86.CodeSize.BITS64;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Hand-picked encodings, field by field, from the Intel SDM volume 2. */
class DecoderTest {
    private final Decoder decoder = new Decoder();

    private Instruction decode(CodeSize size, String hex) {
        byte[] code = new byte[32];
        byte[] given = HexFormat.of().parseHex(hex.replace(" ", ""));
        System.arraycopy(given, 0, code, 0, given.length);
        Instruction instruction = decoder.decode(code, 0, Decoder.MAX_LENGTH, size);
        if (instruction.op != Op.INVALID && instruction.op != Op.TOO_LONG) {
            assertThat((int) instruction.length).isEqualTo(given.length);
        }
        return instruction;
    }

    /** Operation, operand size, kinds, registers, memory size. */
    private static String shape(Instruction in) {
        StringBuilder text = new StringBuilder(in.op + " " + in.operandSize);
        String[] names = {
            "-", "GPR", "HIGH", "MEM", "IMM", "REL", "FAR", "SEG", "CR", "DR", "XMM", "MMX", "ST",
            "YMM"
        };
        int[] kinds = {in.kind0, in.kind1, in.kind2, in.kind3};
        int[] registers = {in.reg0, in.reg1, in.reg2, in.reg3};
        for (int i = 0; i < 4; i++) {
            switch (kinds[i]) {
                case Instruction.NONE -> {}
                case Instruction.MEM -> text.append(" MEM").append(in.memorySize);
                case Instruction.IMM, Instruction.REL ->
                        text.append(' ').append(names[kinds[i]]).append(in.imm);
                case Instruction.FAR ->
                        text.append(" FAR").append(in.imm2).append(':').append(in.imm);
                default -> text.append(' ').append(names[kinds[i]]).append(registers[i]);
            }
        }
        return text.toString();
    }

    @ParameterizedTest
    @CsvSource(
            quoteCharacter = '"',
            value = {
                // operand sizes and REX
                "BITS64, 01 d8, ADD 4 GPR0 GPR3",
                "BITS64, 66 01 d8, ADD 2 GPR0 GPR3",
                "BITS64, 48 01 d8, ADD 8 GPR0 GPR3",
                "BITS64, 66 48 01 d8, ADD 8 GPR0 GPR3",
                "BITS64, 48 66 01 d8, ADD 2 GPR0 GPR3",
                "BITS64, 4d 01 c8, ADD 8 GPR8 GPR9",
                "BITS16, 01 d8, ADD 2 GPR0 GPR3",
                "BITS16, 66 01 d8, ADD 4 GPR0 GPR3",
                "BITS64, 00 fc, ADD 1 HIGH0 HIGH3",
                "BITS64, 40 00 fc, ADD 1 GPR4 GPR7",
                "BITS64, 45 00 fc, ADD 1 GPR12 GPR15",
                "BITS64, b7 12, MOV 1 HIGH3 IMM18",
                "BITS64, 40 b7 12, MOV 1 GPR7 IMM18",
                // immediates
                "BITS64, 48 83 c0 ff, ADD 8 GPR0 IMM-1",
                "BITS64, 48 05 00 00 00 80, ADD 8 GPR0 IMM-2147483648",
                "BITS64, 48 b8 88 77 66 55 44 33 22 11, MOV 8 GPR0 IMM1234605616436508552",
                "BITS64, b8 ff ff ff ff, MOV 4 GPR0 IMM4294967295",
                "BITS64, 48 c7 c0 ff ff ff ff, MOV 8 GPR0 IMM-1",
                "BITS64, cd 80, INT 4 IMM128",
                "BITS64, e4 f0, IN 1 GPR0 IMM240",
                "BITS64, 66 ef, OUT 2 GPR2 GPR0",
                "BITS64, ee, OUT 1 GPR2 GPR0",
                "BITS64, 48 ed, IN 4 GPR0 GPR2",
                "BITS64, c2 f0 ff, RET 8 IMM65520",
                "BITS64, c8 10 00 01, ENTER 8 IMM16",
                "BITS64, c1 e0 1f, SHL 4 GPR0 IMM31",
                "BITS64, d1 e0, SHL 4 GPR0 IMM1",
                "BITS64, 48 d3 f8, SAR 8 GPR0 GPR1",
                "BITS64, 48 69 c1 00 01 00 00, IMUL2 8 GPR0 GPR1 IMM256",
                "BITS64, 0f af c1, IMUL2 4 GPR0 GPR1",
                "BITS64, f7 e9, IMUL 4 GPR1",
                // sizes that differ between the operands
                "BITS64, 48 0f b6 c4, MOVZX 8 GPR0 GPR4",
                "BITS64, 0f b6 c4, MOVZX 4 GPR0 HIGH0",
                "BITS64, 48 63 06, MOVSXD 8 GPR0 MEM4",
                "BITS64, 66 63 06, MOVSXD 2 GPR0 MEM2",
                "BITS64, f2 48 0f 38 f0 c1, CRC32 1 GPR0 GPR1",
                "BITS64, 66 f2 0f 38 f1 06, CRC32 2 GPR0 MEM2",
                "BITS64, 8c d8, MOV 4 GPR0 SEG3",
                "BITS64, 8c 18, MOV 4 MEM2 SEG3",
                "BITS64, 8e d0, MOV 4 SEG2 GPR0",
                // stack and branches
                "BITS64, 50, PUSH 8 GPR0",
                "BITS64, 66 50, PUSH 2 GPR0",
                "BITS64, 41 57, PUSH 8 GPR15",
                "BITS64, 6a 80, PUSH 8 IMM-128",
                "BITS64, 68 00 00 00 80, PUSH 8 IMM-2147483648",
                "BITS64, 66 68 00 80, PUSH 2 IMM-32768",
                "BITS64, 0f a0, PUSH 8 SEG4",
                "BITS32, 06, PUSH 4 SEG0",
                "BITS64, 66 e9 00 00 00 80, JMP 8 REL-2147483648",
                "BITS32, 66 e9 00 80, JMP 2 REL-32768",
                "BITS64, 66 ff d0, CALL 8 GPR0",
                "BITS64, ff 18, CALL_FAR 4 MEM6",
                "BITS64, 48 ff 28, JMP_FAR 8 MEM10",
                "BITS16, ea 00 c0 00 f0, JMP_FAR 2 FAR61440:49152",
                "BITS16, 66 ea 78 56 34 12 10 00, JMP_FAR 4 FAR16:305419896",
                "BITS64, cf, IRET 4",
                "BITS64, 48 cf, IRET 8",
                // no-operations
                "BITS64, 90, NOP 4",
                "BITS64, f3 90, PAUSE 4",
                "BITS64, 41 90, XCHG 4 GPR8 GPR0",
                "BITS64, 91, XCHG 4 GPR1 GPR0",
                "BITS64, 0f 1f 44 00 00, NOP 4 MEM0",
                "BITS64, f3 0f 1e fa, ENDBR 4",
                "BITS64, f3 48 0f 1e c8, RDSSP 8 GPR0",
                "BITS64, 48 8d 04 24, LEA 8 GPR0 MEM0",
                // system
                "BITS64, 44 0f 20 c0, MOV 8 GPR0 CR8",
                "BITS64, 0f 22 18, MOV 8 CR3 GPR0",
                "BITS32, 0f 22 d8, MOV 4 CR3 GPR0",
                "BITS64, 0f 23 f8, MOV 8 DR7 GPR0",
                "BITS64, 0f 01 10, LGDT 8 MEM10",
                "BITS32, 0f 01 10, LGDT 4 MEM6",
                "BITS16, 66 0f 01 1e 00 7c, LIDT 4 MEM6",
                "BITS64, 0f 01 38, INVLPG 4 MEM0",
                "BITS64, 0f 01 f8, SWAPGS 4",
                "BITS64, 48 0f ae 20, XSAVE 8 MEM576",
                "BITS64, 48 0f ae 08, FXRSTOR 8 MEM512",
                "BITS64, f3 48 0f ae d0, WRFSBASE 8 GPR0",
                "BITS64, f3 0f c7 f8, RDPID 8 GPR0",
                "BITS64, 0f c7 f0, RDRAND 4 GPR0",
                "BITS64, 66 0f 38 82 00, INVPCID 8 GPR0 MEM16",
                "BITS64, 0f 0b, UD2 4",
                "BITS64, 0f ae f8, SFENCE 4",
                "BITS64, 66 0f ae 38, CLFLUSHOPT 4 MEM1",
                "BITS64, 48 0f c7 08, CMPXCHG16B 8 MEM16",
                "BITS64, 0f c7 08, CMPXCHG8B 4 MEM8",
                "BITS64, f3 48 0f b8 c1, POPCNT 8 GPR0 GPR1",
                "BITS64, f3 0f bc c1, TZCNT 4 GPR0 GPR1",
                "BITS64, 0f bc c1, BSF 4 GPR0 GPR1",
                "BITS64, 48 0f a3 0e, BT 8 MEM8 GPR1",
                "BITS64, 0f ba 2e 1f, BTS 4 MEM4 IMM31",
                "BITS32, 62 06, BOUND 4 GPR0 MEM8",
                "BITS32, c5 06, LDS 4 GPR0 MEM6",
                "BITS16, c4 07, LES 2 GPR0 MEM4",
                // x87
                "BITS64, d8 c1, FADD 4 ST0 ST1",
                "BITS64, dc c1, FADD 4 ST1 ST0",
                "BITS64, dc e9, FSUB 4 ST1 ST0",
                "BITS64, de c1, FADDP 4 ST1 ST0",
                "BITS64, d9 00, FLD 4 MEM4",
                "BITS64, dd 00, FLD 4 MEM8",
                "BITS64, db 28, FLD 4 MEM10",
                "BITS64, df 28, FILD 4 MEM8",
                "BITS64, d9 30, FNSTENV 4 MEM28",
                "BITS64, 66 d9 30, FNSTENV 2 MEM14",
                "BITS64, dd 30, FNSAVE 4 MEM108",
                "BITS64, df e0, FNSTSW 2 GPR0",
                "BITS64, d9 e8, FLD1 4",
                "BITS64, 9b, WAIT 4",
                // MMX and SSE
                "BITS64, 0f 6f 00, MOVQ 4 MMX0 MEM8",
                "BITS64, 66 0f 6f 00, MOVDQA 4 XMM0 MEM16",
                "BITS64, f3 44 0f 6f c1, MOVDQU 4 XMM8 XMM1",
                "BITS64, 66 48 0f 6e c1, MOVQ 8 XMM0 GPR1",
                "BITS64, 66 0f 6e c1, MOVD 4 XMM0 GPR1",
                "BITS64, f2 0f 10 00, MOVSD_SSE 4 XMM0 MEM8",
                "BITS64, f3 0f 10 00, MOVSS 4 XMM0 MEM4",
                "BITS64, 0f 12 c1, MOVHLPS 4 XMM0 XMM1",
                "BITS64, 0f 12 00, MOVLPS 4 XMM0 MEM8",
                "BITS64, f2 48 0f 2a c1, CVTSI2SD 8 XMM0 GPR1",
                "BITS64, 66 f3 0f 2a c1, CVTSI2SS 4 XMM0 GPR1",
                "BITS64, 66 0f 38 14 ca, BLENDVPS 4 XMM1 XMM2 XMM0",
                "BITS64, 66 0f 3a 20 00 05, PINSRB 4 XMM0 MEM1 IMM5",
                "BITS64, 66 48 0f 3a 16 c1 01, PEXTRQ 8 GPR1 XMM0 IMM1",
                "BITS64, 66 0f 3a 15 00 01, PEXTRW 4 MEM2 XMM0 IMM1",
                "BITS16, 0f c5 c1 02, PEXTRW 4 GPR0 MMX1 IMM2",
                "BITS64, 66 0f 3a 44 c1 11, PCLMULQDQ 4 XMM0 XMM1 IMM17",
                "BITS64, 66 0f 73 d8 04, PSRLDQ 4 XMM0 IMM4",
                "BITS64, 0f 38 cb ca, SHA256RNDS2 4 XMM1 XMM2 XMM0",
                // VEX
                "BITS64, c4 e2 70 f2 c2, ANDN 4 GPR0 GPR1 GPR2",
                "BITS64, c4 e2 f3 f6 c2, MULX 8 GPR0 GPR1 GPR2",
                "BITS64, c4 e2 f8 f3 c9, BLSR 8 GPR0 GPR1",
                "BITS64, c4 e3 fb f0 c1 07, RORX 8 GPR0 GPR1 IMM7",
                "BITS64, c5 f4 58 c2, ADDPS 4 YMM0 YMM1 YMM2",
                "BITS64, c5 72 58 01, ADDSS 4 XMM8 XMM1 MEM4",
                "BITS64, c5 76 58 01, ADDSS 4 XMM8 XMM1 MEM4",
                "BITS64, c4 c1 79 7e c1, MOVD 4 GPR9 XMM0",
                "BITS64, c4 e1 f9 6e c1, MOVQ 8 XMM0 GPR1",
                "BITS64, c5 7d e7 08, MOVNTDQ 4 MEM32 YMM9",
                "BITS64, c5 f1 71 d3 04, PSRLW 4 XMM1 XMM3 IMM4",
                "BITS64, c5 fd d2 01, PSRLD 4 YMM0 YMM0 MEM16",
                "BITS64, c4 e2 7d 20 01, PMOVSXBW 4 YMM0 MEM16",
                "BITS64, c4 e2 7d 22 01, PMOVSXBQ 4 YMM0 MEM4",
                "BITS64, c5 fd 5a c1, CVTPD2PS 4 XMM0 YMM1",
                "BITS64, c4 e3 75 18 c2 01, VINSERTF128 4 YMM0 YMM1 XMM2 IMM1",
                "BITS64, c4 e3 75 4a c2 3f, BLENDVPS 4 YMM0 YMM1 YMM2 YMM3",
                "BITS64, c4 e2 f1 99 c2, VFMADD132SD 8 XMM0 XMM1 XMM2",
                "BITS64, c4 e2 71 99 c2, VFMADD132SS 4 XMM0 XMM1 XMM2",
                "BITS64, c4 e2 69 90 0c e0, VPGATHERDD 4 XMM1 MEM4 XMM2",
                "BITS64, c4 e2 6d 91 0c e0, VPGATHERQD 4 XMM1 MEM4 XMM2",
                "BITS32, c5 f8 77, VZEROUPPER 4",
                "BITS32, c5 fc 77, VZEROALL 4",
                "BITS32, c4 e1 f9 6e c1, MOVD 4 XMM0 GPR1",
                "BITS64, c4 62 c1 f7 c2, SHLX 8 GPR8 GPR2 GPR7",
                "BITS32, c4 e2 70 f2 c2, ANDN 4 GPR0 GPR1 GPR2",
            })
    void decode_yieldsOperands_whenLegal(CodeSize size, String hex, String expected) {
        assertThat(shape(decode(size, hex))).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "BITS64, 06", // PUSH ES
        "BITS64, 60", // PUSHA
        "BITS64, 9a 00 00 00 00 00 00", // CALL far immediate
        "BITS64, d6", // SALC
        "BITS64, 8d c0", // LEA of a register
        "BITS64, 8e c8", // MOV to CS
        "BITS64, 8e f0", // segment register 6
        "BITS64, 0f 20 c8", // CR1
        "BITS64, 0f 20 e8", // CR5
        "BITS64, 44 0f 21 c0", // DR8
        "BITS64, 0f c7 c8", // CMPXCHG8B of a register
        "BITS64, f0 90",
        "BITS64, f0 01 d8", // LOCK ADD of a register
        "BITS64, f0 03 00", // LOCK ADD into a register
        "BITS64, f0 38 00", // LOCK CMP
        "BITS64, f0 0f a3 00", // LOCK BT
        "BITS64, 0f 04",
        "BITS64, 0f a6 c0",
        "BITS64, c6 c8 00", // group 11, /1
        "BITS64, fe d0", // group 4, /2
        "BITS64, ff f8", // group 5, /7
        "BITS64, ff d8", // CALL far of a register
        "BITS64, 8f c8", // group 1A, /1
        "BITS64, 66 c4 e2 70 f2 c2", // prefix before VEX
        "BITS64, 48 c4 e2 70 f2 c2",
        "BITS64, c4 e2 74 f2 c2", // VEX.L
        "BITS64, c4 e3 f3 f0 c1 07", // RORX with VEX.vvvv
        "BITS64, c4 e0 70 f2 c2", // map 0
        "BITS64, c5 fc 6e c1", // VMOVD with VEX.L
        "BITS64, c5 f4 28 c1", // VMOVAPS with VEX.vvvv
        "BITS64, c4 e2 79 36 c1", // VPERMD without VEX.L
        "BITS64, c4 e3 fd 02 c1 00", // VPBLENDD with VEX.W
        "BITS64, c4 e2 69 90 08", // VPGATHERDD without SIB
        "BITS64, c4 e2 71 90 0c e0", // VPGATHERDD with its destination as mask
        "BITS64, c4 e2 59 90 0c e0", // with its indices as mask
        "BITS64, 67 c4 e2 69 90 d0", // with a register
        "BITS32, 67 c4 e2 69 90 0c", // with 16-bit addresses
        "BITS32, c4 e3 f9 16 c1 00", // VPEXTRQ outside 64-bit code
        "BITS64, f3 0f 54 c0", // no ANDSS
        "BITS32, 0f 01 f8", // SWAPGS outside 64-bit code
        "BITS32, 62 c0 00 00",
        "BITS32, c5 c0 00 00",
    })
    void decode_refuses_whenUndefined(CodeSize size, String hex) {
        assertThat(decode(size, hex).op).isEqualTo(Op.INVALID);
    }

    @ParameterizedTest
    @CsvSource({
        // size, bytes, base, index, scale, disp, segment, address size
        "BITS64, 8b 00,                   0,  -1, 0, 0,    3, 8",
        "BITS64, 8b 45 f0,                5,  -1, 0, -16,  2, 8",
        "BITS64, 41 8b 45 00,             13, -1, 0, 0,    3, 8",
        "BITS64, 8b 04 24,                4,  -1, 0, 0,    2, 8",
        "BITS64, 42 8b 04 60,             0,  12, 1, 0,    3, 8",
        "BITS64, 8b 05 10 00 00 00,       16, -1, 0, 16,   3, 8",
        "BITS32, 8b 05 10 00 00 00,       -1, -1, 0, 16,   3, 4",
        "BITS64, 8b 04 25 00 00 00 80,    -1, -1, 0, -2147483648, 3, 8",
        "BITS64, 8b 04 cd 00 01 00 00,    -1, 1,  3, 256,  3, 8",
        "BITS64, 67 8b 05 10 00 00 00,    16, -1, 0, 16,   3, 4",
        "BITS64, 65 8b 00,                0,  -1, 0, 0,    5, 8",
        "BITS64, 2e 8b 00,                0,  -1, 0, 0,    3, 8",
        "BITS64, 64 2e 8b 00,             0,  -1, 0, 0,    4, 8",
        "BITS32, 2e 8b 00,                0,  -1, 0, 0,    1, 4",
        "BITS32, 3e 8b 45 00,             5,  -1, 0, 0,    3, 4",
        "BITS16, 8b 00,                   3,  6,  0, 0,    3, 2",
        "BITS16, 8b 02,                   5,  6,  0, 0,    2, 2",
        "BITS16, 8b 46 fe,                5,  -1, 0, -2,   2, 2",
        "BITS16, 8b 06 34 12,             -1, -1, 0, 4660, 3, 2",
        "BITS16, 8b 87 00 80,             3,  -1, 0, -32768, 3, 2",
        "BITS16, 67 8b 04 24,             4,  -1, 0, 0,    2, 4",
        "BITS64, 48 a1 88 77 66 55 44 33 22 11, -1, -1, 0, 1234605616436508552, 3, 8",
        "BITS64, 67 a1 ff ff ff ff,       -1, -1, 0, 4294967295, 3, 4",
        "BITS16, 26 a0 ff ff,             -1, -1, 0, 65535, 0, 2",
    })
    void decode_yieldsAddress_whenOperandIsMemory(
            CodeSize size,
            String hex,
            int base,
            int index,
            int scale,
            long disp,
            int segment,
            int addressSize) {
        Instruction in = decode(size, hex);
        assertThat(in.hasMemory()).isTrue();
        assertThat((int) in.base).isEqualTo(base);
        assertThat((int) in.index).isEqualTo(index);
        assertThat((int) in.scale).isEqualTo(scale);
        assertThat(in.disp).isEqualTo(disp);
        assertThat((int) in.segment).isEqualTo(segment);
        assertThat((int) in.addressSize).isEqualTo(addressSize);
    }

    @Test
    void decode_flagsPrefixes_whenTheyApply() {
        assertThat(decode(BITS64, "f0 0f b1 0e").lock()).isTrue();
        assertThat((int) decode(BITS64, "f3 a4").flags).isEqualTo(Instruction.REP);
        assertThat((int) decode(BITS64, "f2 ae").flags).isEqualTo(Instruction.REPNE);
        assertThat((int) decode(BITS64, "f3 6c").flags).isEqualTo(Instruction.REP);
        assertThat((int) decode(BITS64, "f3 c3").flags).isZero();
        assertThat((int) decode(BITS64, "f2 e8 00 00 00 00").flags).isZero();
        assertThat((int) decode(BITS64, "f3 0f b8 c1").flags).isZero();
        assertThat((int) decode(BITS64, "c4 e2 70 f2 c2").flags).isEqualTo(Instruction.VEX);
        assertThat((int) decode(BITS64, "65 a4").segment).isEqualTo(5);
        assertThat((int) decode(BITS64, "67 e3 00").addressSize).isEqualTo(4);
    }

    @Test
    void decode_yieldsAVectorOfIndices_whenInstructionGathers() {
        Instruction wide = decode(BITS64, "c4 e2 6d 91 0c e0");
        assertThat((int) wide.flags)
                .isEqualTo(
                        Instruction.VEX
                                | Instruction.VEX_256
                                | Instruction.VSIB
                                | Instruction.VSIB_256);
        assertThat((int) wide.index).isEqualTo(4);
        assertThat((int) decode(BITS64, "c4 a2 ed 90 0c e0").index).isEqualTo(12);
        assertThat(decode(BITS64, "c4 e2 ed 90 0c e0").flags & Instruction.VSIB_256).isZero();
    }

    @Test
    void decode_yieldsConditionsAndSecondImmediates() {
        assertThat((int) decode(BITS64, "7f 00").condition).isEqualTo(15);
        assertThat((int) decode(BITS64, "0f 94 c0").condition).isEqualTo(4);
        assertThat((int) decode(BITS64, "48 0f 42 c1").condition).isEqualTo(2);
        assertThat((int) decode(BITS64, "c8 10 00 1f").imm2).isEqualTo(31);
        assertThat((int) decode(BITS64, "0f b6 c1").memorySize).isEqualTo(1);
        assertThat((int) decode(BITS64, "0f bf c1").memorySize).isEqualTo(2);
    }

    @Test
    void decode_refusesLongInstructions() {
        String prefixes = "66 ".repeat(14);
        assertThat(decode(BITS32, prefixes + "90").op).isEqualTo(Op.NOP);
        assertThat(decode(BITS32, prefixes + "66 90").op).isEqualTo(Op.TOO_LONG);
        assertThat(decode(BITS32, "66 ".repeat(12) + "05 00 00").op).isEqualTo(Op.ADD);
        assertThat(decode(BITS64, "66 ".repeat(13) + "0f 05").op).isEqualTo(Op.SYSCALL);
        assertThat(decode(BITS64, prefixes + "0f 05").op).isEqualTo(Op.TOO_LONG);
    }

    @Test
    void decode_returnsNull_whenBytesRunOut() {
        assertThat(decoder.decode(new byte[] {0x0f}, 0, 1, BITS64)).isNull();
        assertThat(decoder.decode(new byte[] {(byte) 0xc4}, 0, 1, BITS32)).isNull();
        assertThat(decoder.decode(new byte[] {0, (byte) 0x90}, 1, 1, BITS16).op).isEqualTo(Op.NOP);
    }
}
