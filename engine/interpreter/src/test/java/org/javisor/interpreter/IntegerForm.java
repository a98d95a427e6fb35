package org.javisor.interpreter;

import java.util.ArrayList;
import java.util.List;

/**
 * The encodings of the integer instructions that {@link IntegerOracleTest} runs. A row is: name,
 * opcode bytes, ModRM ({@code /r}, a fixed {@code /0} to {@code /7}, {@code +r} for a register in
 * the opcode, {@code -}), immediate ({@code b}, {@code w}, {@code z} of 2 or 4 bytes, {@code v}
 * also of 8, {@code -}), size ({@code b} bytes, {@code v} any other, {@code s} the stack's, {@code
 * -} none), and what else: {@code m} memory only, {@code r} register only, {@code l} may be locked,
 * {@code 32} and {@code 64} the only mode, {@code bits}, {@code divide}, {@code string}, {@code
 * stack}, {@code wide}.
 */
record IntegerForm(
        String name,
        int[] opcode,
        String modrm,
        String immediate,
        String size,
        List<String> options) {
    boolean is(String option) {
        return options.contains(option);
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(name);
        for (int b : opcode) {
            text.append(' ').append(Integer.toHexString(b));
        }
        return text + " " + modrm + " " + size;
    }

    static List<IntegerForm> all() {
        List<IntegerForm> forms = new ArrayList<>();
        String[] arithmetic = {"ADD", "OR", "ADC", "SBB", "AND", "SUB", "XOR", "CMP"};
        for (int n = 0; n < 8; n++) {
            String lock = n == 7 ? "" : " l";
            String name = arithmetic[n] + " ";
            int first = n << 3;
            add(forms, name + hex(first) + " /r - b" + lock);
            add(forms, name + hex(first + 1) + " /r - v" + lock);
            add(forms, name + hex(first + 2) + " /r - b");
            add(forms, name + hex(first + 3) + " /r - v");
            add(forms, name + hex(first + 4) + " - b b");
            add(forms, name + hex(first + 5) + " - z v");
            add(forms, name + "80 /" + n + " b b" + lock);
            add(forms, name + "81 /" + n + " z v" + lock);
            add(forms, name + "83 /" + n + " b v" + lock);
        }
        String[] shifts = {"ROL", "ROR", "RCL", "RCR", "SHL", "SHR", "SHL", "SAR"};
        for (int n = 0; n < 8; n++) {
            add(forms, shifts[n] + " c0 /" + n + " b b");
            add(forms, shifts[n] + " c1 /" + n + " b v");
            add(forms, shifts[n] + " d0 /" + n + " - b");
            add(forms, shifts[n] + " d1 /" + n + " - v");
            add(forms, shifts[n] + " d2 /" + n + " - b");
            add(forms, shifts[n] + " d3 /" + n + " - v");
        }
        for (int cc = 0; cc < 16; cc++) {
            add(forms, "CMOVCC 0f_" + hex(0x40 + cc) + " /r - v");
            add(forms, "SETCC 0f_" + hex(0x90 + cc) + " /0 - b");
            // Over MOV CL, 5Ah.
            add(forms, "JCC " + hex(0x70 + cc) + "_02_b1_5a - - -");
            add(forms, "JCC 0f_" + hex(0x80 + cc) + "_02_00_00_00_b1_5a - - -");
        }
        ROWS.lines().forEach(row -> add(forms, row));
        return forms;
    }

    private static final String ROWS =
            """
            TEST 84 /r - b
            TEST 85 /r - v
            TEST a8 - b b
            TEST a9 - z v
            TEST f6 /0 b b
            TEST f7 /0 z v
            TEST f6 /1 b b
            NOT f6 /2 - b l
            NOT f7 /2 - v l
            NEG f6 /3 - b l
            NEG f7 /3 - v l
            INC fe /0 - b l
            INC ff /0 - v l
            DEC fe /1 - b l
            DEC ff /1 - v l
            INC 40 +r - v 32
            DEC 48 +r - v 32
            MUL f6 /4 - b
            MUL f7 /4 - v
            IMUL f6 /5 - b
            IMUL f7 /5 - v
            IMUL2 0f_af /r - v
            IMUL2 69 /r z v
            IMUL2 6b /r b v
            DIV f6 /6 - b divide
            DIV f7 /6 - v divide
            IDIV f6 /7 - b divide
            IDIV f7 /7 - v divide
            SHLD 0f_a4 /r b v
            SHLD 0f_a5 /r - v
            SHRD 0f_ac /r b v
            SHRD 0f_ad /r - v
            BT 0f_a3 /r - v bits
            BTS 0f_ab /r - v bits l
            BTR 0f_b3 /r - v bits l
            BTC 0f_bb /r - v bits l
            BT 0f_ba /4 b v
            BTS 0f_ba /5 b v l
            BTR 0f_ba /6 b v l
            BTC 0f_ba /7 b v l
            BSF 0f_bc /r - v
            BSR 0f_bd /r - v
            POPCNT f3_0f_b8 /r - v
            BSWAP 0f_c8 +r - v
            AAA 37 - - - 32
            AAS 3f - - - 32
            AAM d4 - b - 32 nonzero
            AAD d5 - b - 32
            DAA 27 - - - 32
            DAS 2f - - - 32
            MOV 88 /r - b
            MOV 89 /r - v
            MOV 8a /r - b
            MOV 8b /r - v
            MOV 8c /2 - v
            MOV b0 +r b b
            MOV b8 +r v v
            MOV c6 /0 b b
            MOV c7 /0 z v
            MOVZX 0f_b6 /r - v
            MOVZX 0f_b7 /r - v
            MOVSX 0f_be /r - v
            MOVSX 0f_bf /r - v
            MOVSXD 63 /r - v 64
            MOVNTI 0f_c3 /r - v m no16
            LEA 8d /r - v m
            XLAT d7 - - - xlat
            XCHG 86 /r - b l
            XCHG 87 /r - v l
            XCHG 91 - - v
            XCHG 96 - - v
            XADD 0f_c0 /r - b l
            XADD 0f_c1 /r - v l
            CMPXCHG 0f_b0 /r - b l
            CMPXCHG 0f_b1 /r - v l
            CMPXCHG8B 0f_c7 /1 - v m l wide
            PUSH 50 +r - s stack
            PUSH 54 - - s stack
            PUSH 68 - z s stack
            PUSH 6a - b s stack
            PUSH ff /6 - s stack
            PUSH 0f_a0 - - s stack selector
            POP 58 +r - s stack
            POP 5c - - s stack
            POP 8f /0 - s stack
            PUSHA 60 - - s stack 32
            POPA 61 - - s stack 32
            PUSHF 9c - - s stack
            ENTER c8_18_00_00 - - s stack frame
            ENTER c8_08_00_01 - - s stack frame
            ENTER c8_10_00_05 - - s stack frame
            LEAVE c9 - - s stack frame
            CALL e8_02_00_00_00_b1_5a - - - stack
            LEAVE 55_c9 - - - stack frame
            CBW 98 - - v
            CWD 99 - - v
            LAHF 9f - - -
            SAHF 9e - - -
            SALC d6 - - - 32
            CLC f8 - - -
            STC f9 - - -
            CMC f5 - - -
            CLD fc - - -
            STD fd - - -
            MOVS a4 - - b string
            MOVS a5 - - v string
            CMPS a6 - - b string
            CMPS a7 - - v string
            STOS aa - - b string
            STOS ab - - v string
            LODS ac - - b string
            LODS ad - - v string
            SCAS ae - - b string
            SCAS af - - v string
            LOOP e2_02_b3_5a - - -
            LOOPE e1_02_b3_5a - - -
            LOOPNE e0_02_b3_5a - - -
            JCXZ e3_02_b3_5a - - -
            JMP eb_02_b3_5a - - -
            JMP e9_02_00_00_00_b3_5a - - -
            NOP 0f_1f /0 - v
            NOP 90 - - -
            PAUSE f3_90 - - -
            ENDBR f3_0f_1e_fa - - -
            PREFETCH 0f_18 /1 - - m
            CLFLUSH 0f_ae /7 - - m
            LFENCE 0f_ae_e8 - - -
            MFENCE 0f_ae_f0 - - -
            SFENCE 0f_ae_f8 - - -
            """;

    private static void add(List<IntegerForm> forms, String row) {
        String[] words = row.strip().split(" +");
        String[] bytes = words[1].split("_");
        int[] opcode = new int[bytes.length];
        for (int n = 0; n < bytes.length; n++) {
            opcode[n] = Integer.parseInt(bytes[n], 16);
        }
        List<String> options = List.of(words).subList(5, words.length);
        forms.add(new IntegerForm(words[0], opcode, words[2], words[3], words[4], options));
    }

    private static String hex(int value) {
        return "" + Character.forDigit(value >> 4, 16) + Character.forDigit(value & 15, 16);
    }
}
