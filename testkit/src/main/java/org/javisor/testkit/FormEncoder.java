package org.javisor.testkit;

import java.util.Random;
import org.javisor.testkit.InstructionForm.Shape;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * Fills in what a form leaves open. Branches get a byte or two to jump over, so that taken and not
 * taken end differently but at the same place.
 */
final class FormEncoder {
    /** MOV CL, 5Ah: what a branch jumps over. */
    private static final int[] FILLER = {0xb1, 0x5a};

    private final InstructionForm form;
    private final Random random;
    private final boolean long64;
    private final CodeBuffer out = new CodeBuffer();

    FormEncoder(InstructionForm form, Random random) {
        this.form = form;
        this.random = random;
        this.long64 = form.size() == CodeSize.BITS64;
    }

    byte[] encode() {
        while (true) {
            out.cut(0);
            attempt();
            if (!clashes(out.decode(0, form.size()))) {
                return out.toArray();
            }
        }
    }

    /** Whether registers with a part of their own would have to make up the address too. */
    private static boolean clashes(Instruction i) {
        if (!i.hasMemory() || i.memorySize == 0) {
            return false;
        }
        if (RandomState.usesStack(i) && i.base == 4) {
            return i.index >= 0 || Math.abs(i.disp) > 128;
        }
        boolean dividend = uses(i, 0) || uses(i, 2);
        return switch (i.op) {
            case CMPXCHG, CMPXCHG8B, CMPXCHG16B, DIV, IDIV -> dividend;
            case XSAVE, XSAVEC, XRSTOR, PCMPESTRI, PCMPESTRM -> dividend;
            // Their alignment matters.
            case SHA1RNDS4, SHA1NEXTE, SHA1MSG1, SHA1MSG2 -> i.base == i.index;
            case SHA256RNDS2, SHA256MSG1, SHA256MSG2 -> i.base == i.index;
            case BT, BTS, BTR, BTC -> i.kind1 == Instruction.GPR && uses(i, i.reg1);
            default -> false;
        };
    }

    private static boolean uses(Instruction i, int register) {
        return i.base == register || i.index == register;
    }

    private void attempt() {
        boolean memory = form.shape() == Shape.MEMORY;
        if (long64 && (memory || isString(form.op()))) {
            if (random.nextInt(12) == 0) {
                out.put(0x67);
            }
            if (random.nextInt(16) == 0) {
                out.put(random.nextBoolean() ? 0x64 : 0x65);
            }
        }
        form.prefixes().forEach(out::put);
        int rex = form.wide() ? 0x48 : 0;
        if (long64 && random.nextBoolean()) {
            rex |= 0x40 | random.nextInt(8);
        }
        if (rex != 0) {
            out.put(rex);
        }
        form.opcode().forEach(out::put);
        if (form.shape() != Shape.PLAIN) {
            int reg = form.reg() >= 0 ? form.reg() : random.nextInt(8);
            int rm = form.rm() >= 0 ? form.rm() : random.nextInt(8);
            out.modrm(random, memory, reg, rm);
        }
        finish();
    }

    private void finish() {
        int header = out.length();
        Instruction i = out.decode(0, form.size());
        int immediate = Math.max(0, i.length - header);
        boolean relative = i.kind0 == Instruction.REL;
        for (int n = 0; n < immediate; n++) {
            int value = random.nextInt(256);
            if (relative) {
                value = n == 0 ? FILLER.length : 0;
            } else if (i.op == Op.ENTER) {
                value = n == 1 ? random.nextInt(2) : n == 2 && random.nextBoolean() ? 0 : value;
            } else if (i.op == Op.RET && n == 1) {
                value = 0;
            }
            out.put(value);
        }
        if (relative) {
            for (int b : FILLER) {
                out.put(b);
            }
        }
    }

    static boolean isString(Op op) {
        return switch (op) {
            case MOVS, CMPS, STOS, LODS, SCAS, INS, OUTS -> true;
            default -> false;
        };
    }
}
