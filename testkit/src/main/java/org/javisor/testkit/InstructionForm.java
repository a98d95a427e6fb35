package org.javisor.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Decoder;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * One form of an instruction: prefixes and opcode given, registers, addressing and immediates open.
 *
 * @param prefixes the legacy prefixes that make the form: LOCK, 66h, F2h, F3h
 * @param wide REX.W
 * @param opcode escape bytes and opcode
 * @param shape what follows the opcode
 * @param reg ModRM.reg where it belongs to the opcode, else -1
 * @param rm ModRM.rm where it belongs to the opcode, else -1
 * @param op what it decodes to
 */
public record InstructionForm(
        CodeSize size,
        List<Integer> prefixes,
        boolean wide,
        List<Integer> opcode,
        Shape shape,
        int reg,
        int rm,
        Op op)
        implements EncodableForm {
    /** What follows the opcode: no ModRM byte, one with a register in rm, or one with memory. */
    public enum Shape {
        PLAIN,
        REGISTER,
        MEMORY
    }

    private static final int[] MANDATORY = {0, 0x66, 0xf3, 0xf2};
    private static final int[][] ESCAPES = {{}, {0x0f}, {0x0f, 0x38}, {0x0f, 0x3a}};

    /** Every form of a code size that the decoder knows and whose prefixes make a difference. */
    public static List<InstructionForm> all(CodeSize size) {
        List<InstructionForm> forms = new ArrayList<>();
        for (int[] escape : ESCAPES) {
            for (int code = 0; code < 256; code++) {
                if (startsInstruction(escape.length, code, size)) {
                    List<Integer> opcode = new ArrayList<>();
                    for (int b : escape) {
                        opcode.add(b);
                    }
                    opcode.add(code);
                    addPrefixed(forms, size, opcode);
                }
            }
        }
        return forms;
    }

    private static boolean startsInstruction(int escapes, int code, CodeSize size) {
        if (escapes == 1) {
            return code != 0x38 && code != 0x3a;
        }
        if (escapes > 1) {
            return true;
        }
        boolean prefix =
                switch (code) {
                    case 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3 -> true;
                    default -> false;
                };
        // C4h and C5h are VEX prefixes or, like 62h, depend on what follows.
        boolean extended = code == 0xc4 || code == 0xc5 || code == 0x62;
        boolean rex = size == CodeSize.BITS64 && (code & 0xf0) == 0x40;
        return !prefix && !extended && !rex && code != 0x0f;
    }

    private static void addPrefixed(
            List<InstructionForm> forms, CodeSize size, List<Integer> opcode) {
        Prober prober = new Prober(size, opcode);
        for (int lock = 0; lock < 2; lock++) {
            for (int wide = 0; wide < (size == CodeSize.BITS64 ? 2 : 1); wide++) {
                for (int mandatory : MANDATORY) {
                    List<Integer> prefixes = new ArrayList<>();
                    if (lock != 0) {
                        prefixes.add(0xf0);
                    }
                    if (mandatory != 0) {
                        prefixes.add(mandatory);
                    }
                    prober.add(forms, prefixes, wide != 0);
                    if (mandatory > 0x66) {
                        prefixes.add(0x66);
                        prober.add(forms, prefixes, wide != 0);
                    }
                }
            }
        }
    }

    @Override
    public byte[] encode(Random random) {
        return new FormEncoder(this, random).encode();
    }

    /** {@code F0 48 0F B1 mem CMPXCHG}. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        prefixes.forEach(b -> text.append(String.format("%02X ", b)));
        text.append(wide ? "REX.W " : "");
        opcode.forEach(b -> text.append(String.format("%02X ", b)));
        text.append(reg >= 0 ? "/" + reg + " " : "").append(rm >= 0 ? "rm" + rm + " " : "");
        return text.append(shape == Shape.PLAIN ? "" : shape == Shape.MEMORY ? "mem " : "reg ")
                .append(op)
                .append(size == CodeSize.BITS64 ? "" : " (32-bit)")
                .toString();
    }

    /** Finds out from the decoder what an opcode's ModRM byte means. */
    private static final class Prober {
        private static final int MEMORY_MODRM = 0x84;

        private final CodeSize size;
        private final List<Integer> opcode;
        private final Decoder decoder = new Decoder();

        Prober(CodeSize size, List<Integer> opcode) {
            this.size = size;
            this.opcode = opcode;
        }

        void add(List<InstructionForm> forms, List<Integer> prefixes, boolean wide) {
            Instruction plain = decode(prefixes, wide, 0xc0);
            Instruction memory = decode(prefixes, wide, MEMORY_MODRM);
            boolean modrm = false;
            for (int reg = 0; reg < 8; reg++) {
                Instruction r = decode(prefixes, wide, 0xc0 | reg << 3);
                Instruction m = decode(prefixes, wide, MEMORY_MODRM | reg << 3);
                modrm |= r.length != m.length || (r.op == Op.INVALID) != (m.op == Op.INVALID);
            }
            if (!modrm) {
                if (plain.op != Op.INVALID && matters(prefixes, wide, 0xc0, plain)) {
                    forms.add(form(prefixes, wide, Shape.PLAIN, -1, -1, plain));
                }
                return;
            }
            addMemory(forms, prefixes, wide, memory);
            addRegister(forms, prefixes, wide);
        }

        private void addMemory(
                List<InstructionForm> forms,
                List<Integer> prefixes,
                boolean wide,
                Instruction first) {
            boolean free = true;
            for (int reg = 0; reg < 8; reg++) {
                free &= namesRegister(decode(prefixes, wide, MEMORY_MODRM | reg << 3), first, reg);
            }
            for (int reg = 0; reg < (free ? 1 : 8); reg++) {
                int modrm = MEMORY_MODRM | reg << 3;
                Instruction i = decode(prefixes, wide, modrm);
                if (i.op != Op.INVALID && matters(prefixes, wide, modrm, i)) {
                    forms.add(form(prefixes, wide, Shape.MEMORY, free ? -1 : reg, -1, i));
                }
            }
        }

        private void addRegister(
                List<InstructionForm> forms, List<Integer> prefixes, boolean wide) {
            boolean regFree = true;
            Instruction first = decode(prefixes, wide, 0xc0);
            for (int reg = 0; reg < 8; reg++) {
                regFree &= namesRegister(decode(prefixes, wide, 0xc0 | reg << 3), first, reg);
            }
            for (int reg = 0; reg < (regFree ? 1 : 8); reg++) {
                boolean rmFree = true;
                Instruction zero = decode(prefixes, wide, 0xc0 | reg << 3);
                for (int rm = 0; rm < 8; rm++) {
                    rmFree &= namesRegister(decode(prefixes, wide, 0xc0 | reg << 3 | rm), zero, rm);
                }
                for (int rm = 0; rm < (rmFree ? 1 : 8); rm++) {
                    int modrm = 0xc0 | reg << 3 | rm;
                    Instruction i = decode(prefixes, wide, modrm);
                    if (i.op != Op.INVALID && matters(prefixes, wide, modrm, i)) {
                        int fixedReg = regFree ? -1 : reg;
                        int fixedRm = rmFree ? -1 : rm;
                        forms.add(form(prefixes, wide, Shape.REGISTER, fixedReg, fixedRm, i));
                    }
                }
            }
        }

        /** Whether a field only chooses the register of an otherwise equal instruction. */
        private static boolean namesRegister(Instruction i, Instruction first, int field) {
            if (i.op == Op.INVALID || i.op != first.op) {
                return false;
            }
            return field == 0
                    || i.reg0 != first.reg0
                    || i.reg1 != first.reg1
                    || i.reg2 != first.reg2
                    || i.kind0 != first.kind0
                    || i.kind1 != first.kind1;
        }

        /** Whether the instruction would be another one with any of the prefixes left out. */
        private boolean matters(List<Integer> prefixes, boolean wide, int modrm, Instruction i) {
            if (wide && same(i, decode(prefixes, false, modrm))) {
                return false;
            }
            for (Integer prefix : prefixes) {
                List<Integer> fewer = new ArrayList<>(prefixes);
                fewer.remove(prefix);
                if (same(i, decode(fewer, wide, modrm))) {
                    return false;
                }
            }
            return true;
        }

        private static boolean same(Instruction a, Instruction b) {
            return a.op == b.op
                    && a.operandSize == b.operandSize
                    && a.memorySize == b.memorySize
                    && a.flags == b.flags
                    && a.kind0 == b.kind0
                    && a.kind1 == b.kind1
                    && a.kind2 == b.kind2;
        }

        private InstructionForm form(
                List<Integer> prefixes, boolean wide, Shape shape, int reg, int rm, Instruction i) {
            return new InstructionForm(
                    size, List.copyOf(prefixes), wide, opcode, shape, reg, rm, i.op);
        }

        private Instruction decode(List<Integer> prefixes, boolean wide, int modrm) {
            byte[] bytes = new byte[Decoder.MAX_LENGTH + 8];
            int n = 0;
            for (int prefix : prefixes) {
                bytes[n++] = (byte) prefix;
            }
            if (wide) {
                bytes[n++] = 0x48;
            }
            for (int b : opcode) {
                bytes[n++] = (byte) b;
            }
            bytes[n] = (byte) modrm;
            return decoder.decode(bytes, 0, Decoder.MAX_LENGTH, size);
        }
    }
}
