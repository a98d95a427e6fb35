package org.javisor.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Decoder;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * One form of an instruction with a VEX prefix: opcode and the prefix's fields given, registers,
 * addressing and immediates open.
 *
 * @param map 1 to 3 for the opcodes after 0F, 0F38 and 0F3A
 * @param prefix VEX.pp
 * @param long256 VEX.L
 * @param wide VEX.W
 * @param memory whether ModRM.rm is memory
 * @param reg ModRM.reg where it belongs to the opcode, else -1
 * @param operand whether a register is in VEX.vvvv
 * @param op what it decodes to
 */
record VexForm(
        CodeSize size,
        int map,
        int prefix,
        boolean long256,
        boolean wide,
        int opcode,
        boolean memory,
        int reg,
        boolean operand,
        Op op)
        implements EncodableForm {
    /** Register 5 in VEX.vvvv, and none. */
    private static final int SOME = 0x50, NONE = 0x78;

    /** A SIB byte whose base is register 0 and whose index is 4. */
    private static final int SIB = 0x20;

    /** Every form of a code size that the decoder knows; those that ignore VEX.L or W but once. */
    static List<VexForm> all(CodeSize size) {
        List<VexForm> forms = new ArrayList<>();
        for (int map = 1; map <= 3; map++) {
            for (int opcode = 0; opcode < 256; opcode++) {
                for (int fields = 0; fields < 16; fields++) {
                    add(forms, size, map, opcode, fields, false);
                    add(forms, size, map, opcode, fields, true);
                }
            }
        }
        return forms;
    }

    /**
     * @param fields VEX.pp, L at bit 2, W at bit 3
     */
    private static void add(
            List<VexForm> forms, CodeSize size, int map, int opcode, int fields, boolean memory) {
        Instruction first = probe(size, map, opcode, fields, memory, 0);
        boolean free = true;
        for (int reg = 1; reg < 8; reg++) {
            Instruction i = probe(size, map, opcode, fields, memory, reg);
            boolean other = i.reg0 != first.reg0 || i.reg1 != first.reg1 || i.reg2 != first.reg2;
            free &= i.op == first.op && other;
        }
        for (int reg = 0; reg < (free ? 1 : 8); reg++) {
            Instruction i = probe(size, map, opcode, fields, memory, reg);
            boolean ignored =
                    same(i, probe(size, map, opcode, fields & ~4, memory, reg), fields & 4)
                            || same(
                                    i,
                                    probe(size, map, opcode, fields & ~8, memory, reg),
                                    fields & 8);
            if (i.op != Op.INVALID && !ignored) {
                boolean operand = decode(size, map, opcode, fields, memory, reg, SOME).op == i.op;
                forms.add(
                        new VexForm(
                                size,
                                map,
                                fields & 3,
                                (fields & 4) != 0,
                                (fields & 8) != 0,
                                opcode,
                                memory,
                                free ? -1 : reg,
                                operand,
                                i.op));
            }
        }
    }

    private static boolean same(Instruction a, Instruction b, int field) {
        return field != 0
                && a.op == b.op
                && a.memorySize == b.memorySize
                && a.operandSize == b.operandSize
                && a.kind0 == b.kind0
                && a.kind1 == b.kind1;
    }

    private static Instruction probe(
            CodeSize size, int map, int opcode, int fields, boolean memory, int reg) {
        Instruction i = decode(size, map, opcode, fields, memory, reg, SOME);
        return i.op != Op.INVALID ? i : decode(size, map, opcode, fields, memory, reg, NONE);
    }

    private static Instruction decode(
            CodeSize size, int map, int opcode, int fields, boolean memory, int reg, int vvvv) {
        byte[] bytes = new byte[Decoder.MAX_LENGTH];
        bytes[0] = (byte) 0xc4;
        bytes[1] = (byte) (0xe0 | map);
        bytes[2] = (byte) ((fields & 8) << 4 | vvvv | fields & 7);
        bytes[3] = (byte) opcode;
        bytes[4] = (byte) ((memory ? 4 : 0xc0) | reg << 3);
        bytes[5] = SIB;
        return new Decoder().decode(bytes, 0, bytes.length, size);
    }

    @Override
    public byte[] encode(Random random) {
        while (true) {
            CodeBuffer out = new CodeBuffer();
            begin(out, random);
            int header = out.length();
            Instruction i = out.decode(0, size);
            for (int n = header; n < i.length; n++) {
                out.put(random.nextInt(256));
            }
            i = out.decode(0, size);
            if (i.op == op && i.hasMemory() == (memory && i.modrmOffset >= 0) && !clashes(i)) {
                return out.toArray();
            }
        }
    }

    private void begin(CodeBuffer out, Random random) {
        boolean long64 = size == CodeSize.BITS64;
        if (long64 && memory && random.nextInt(12) == 0) {
            out.put(0x67);
        }
        if (long64 && memory && random.nextInt(16) == 0) {
            out.put(random.nextBoolean() ? 0x64 : 0x65);
        }
        int vvvv = operand ? random.nextInt(long64 ? 16 : 8) << 3 ^ 0x78 : NONE;
        int last = vvvv | (long256 ? 4 : 0) | prefix;
        if (map == 1 && !wide && random.nextBoolean()) {
            out.put(0xc5, (long64 && random.nextBoolean() ? 0 : 0x80) | last);
        } else {
            int extensions = long64 ? random.nextInt(8) << 5 : 0xe0;
            out.put(0xc4, extensions | map, (wide ? 0x80 : 0) | last);
        }
        out.put(opcode);
        if (op == Op.VZEROALL || op == Op.VZEROUPPER) {
            return;
        }
        int modrmReg = reg >= 0 ? reg : random.nextInt(8);
        boolean indexed = op.name().contains("GATHER");
        out.modrm(random, memory, modrmReg, indexed ? 4 : random.nextInt(8));
    }

    /** Whether registers with a part of their own would have to make up the address too. */
    private static boolean clashes(Instruction i) {
        boolean lengths = i.op == Op.PCMPESTRI || i.op == Op.PCMPESTRM;
        boolean lengthAddresses = i.base == 0 || i.base == 2 || i.index == 0 || i.index == 2;
        boolean gathers = (i.flags & Instruction.VSIB) != 0;
        return lengths && i.hasMemory() && lengthAddresses || gathers && i.base < 0;
    }

    /** {@code VEX.256.66.0F38.W0 18 mem VBROADCASTSS}. */
    @Override
    public String toString() {
        String[] prefixes = {"NP", "66", "F3", "F2"};
        String[] maps = {"", "0F", "0F38", "0F3A"};
        return String.format(
                "VEX.%s.%s.%s.W%d %02X %s%s %s%s",
                long256 ? "256" : "128",
                prefixes[prefix],
                maps[map],
                wide ? 1 : 0,
                opcode,
                reg >= 0 ? "/" + reg + " " : "",
                memory ? "mem" : "reg",
                op,
                size == CodeSize.BITS64 ? "" : " (32-bit)");
    }
}
