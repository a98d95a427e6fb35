package org.javisor.x86;

/**
 * One cell of an opcode map: the operation, how its operands are encoded and how its size is found.
 * Built from the rows of the tables, which {@link OpcodeRows} explains.
 */
final class Opcode {
    // Operand encodings: the low byte of an operand's description
    static final int ABSENT = 0;

    /** ModRM.rm: general register or memory. */
    static final int E = 1;

    /** ModRM.rm: memory only. */
    static final int M = 2;

    /** ModRM.rm: general register whatever ModRM.mod says. */
    static final int R = 3;

    /** ModRM.reg: general register. */
    static final int G = 4;

    /** Low three bits of the opcode: general register. */
    static final int Z = 5;

    /** VEX.vvvv: general register. */
    static final int B = 6;

    /** ModRM.reg: segment register. */
    static final int S = 7;

    /** ModRM.reg: control register. */
    static final int C = 8;

    /** ModRM.reg: debug register. */
    static final int D = 9;

    /** ModRM.reg: MMX register. */
    static final int P = 10;

    /** ModRM.rm: MMX register or memory. */
    static final int Q = 11;

    /** ModRM.rm: MMX register only. */
    static final int N = 12;

    /** ModRM.reg: XMM or YMM register. */
    static final int V = 13;

    /** ModRM.rm: XMM or YMM register or memory. */
    static final int W = 14;

    /** ModRM.rm: XMM or YMM register only. */
    static final int U = 15;

    /** Immediate, zero-extended. */
    static final int I = 16;

    /** Immediate, sign-extended to 64 bits. */
    static final int I_SIGNED = 17;

    /** Second immediate, into {@link Instruction#imm2}; no operand of its own. */
    static final int L = 18;

    /** Relative branch target. */
    static final int J = 19;

    /** Far pointer in the instruction. */
    static final int A = 20;

    /** Absolute address in the instruction, of the address size. */
    static final int O = 21;

    /** ModRM.rm: x87 stack register. */
    static final int ST_I = 22;

    /** The constant one. */
    static final int ONE = 23;

    /** A register the opcode implies: its kind in the second byte, its number in the third. */
    static final int FIXED = 24;

    /** VEX.vvvv: vector register. */
    static final int H = 25;

    /** High four bits of an immediate byte: vector register. */
    static final int T = 26;

    /**
     * ModRM.rm with a vector of indices: the second byte is an element's size, the third the index
     * register's.
     */
    static final int X = 27;

    // Operand sizes: the second byte for a register or an immediate, the third for memory
    static final int SIZE_0 = 0;
    static final int SIZE_B = 1;
    static final int SIZE_W = 2;
    static final int SIZE_D = 3;
    static final int SIZE_Q = 4;

    /** x87 extended real, packed BCD: 10. */
    static final int SIZE_T = 5;

    static final int SIZE_DQ = 6;

    /** Operand size. */
    static final int SIZE_V = 7;

    /** 8 with REX.W or VEX.W, else 4. */
    static final int SIZE_Y = 8;

    /** Operand size, at most 4. */
    static final int SIZE_Z = 9;

    /** Far pointer in memory: operand size + 2. */
    static final int SIZE_P = 10;

    /** Descriptor table pointer: 6, in 64-bit code 10. */
    static final int SIZE_S = 11;

    /** Two bounds: 2 * operand size. */
    static final int SIZE_A = 12;

    /** x87 environment: 14 or 28. */
    static final int SIZE_E = 13;

    /** x87 state: 94 or 108. */
    static final int SIZE_F = 14;

    /** Width of the mode's general registers: 4, in 64-bit code 8. */
    static final int SIZE_N = 15;

    /** CMPXCHG8B and CMPXCHG16B: 8, with REX.W 16. */
    static final int SIZE_C = 16;

    /** FXSAVE area: 512. */
    static final int SIZE_H = 17;

    /** XSAVE area's fixed part: 576. */
    static final int SIZE_X = 18;

    /** A cache line: 64. */
    static final int SIZE_K = 19;

    // Of VEX encodings; the first two also say that a register is YMM

    /** The vector's length: 16 or, with VEX.L, 32. */
    static final int SIZE_XX = 20;

    /** 32 whatever VEX.L. */
    static final int SIZE_QQ = 21;

    /** Half, a quarter and an eighth of the vector's length. */
    static final int SIZE_HX = 22;

    static final int SIZE_KX = 23;
    static final int SIZE_EX = 24;

    // Attributes
    /** LOCK is legal if the destination is memory. */
    static final int LOCKABLE = 1;

    /** 64-bit code: operand size 8, with 66h 2. */
    static final int DEFAULT_64 = 2;

    /** 64-bit code: operand size 8 whatever the prefixes. */
    static final int FORCE_64 = 4;

    /** Operand size 1. */
    static final int BYTE = 8;

    /** Operand size 2. */
    static final int WORD = 8192;

    /** Operand size at most 4. */
    static final int AT_MOST_4 = 16;

    /** Operand size 4 or, with W, 8; 66h does not make it 2. */
    static final int WIDE_OR_4 = 32;

    /** Operand size is the width of the mode's general registers. */
    static final int NATURAL = 64;

    /** Not in 64-bit code. */
    static final int LEGACY_ONLY = 128;

    /** Only in 64-bit code. */
    static final int LONG_ONLY = 256;

    /** A string operation: F3h and F2h repeat it. */
    static final int REPEATABLE = 512;

    /** The low four bits of the opcode are a condition code. */
    static final int CONDITIONAL = 1024;

    static final int MODRM = 2048;

    /** 66h selected the opcode and does not change the operand size. */
    static final int PREFIX_66 = 4096;

    /** VEX.L must be 0. */
    static final int L_0 = 1 << 14;

    /** VEX.L must be 1. */
    static final int L_1 = 1 << 15;

    /** VEX.L may be either although no operand depends on it. */
    static final int L_IGNORED = 1 << 16;

    static final int W_0 = 1 << 17;
    static final int W_1 = 1 << 18;

    final Op op;

    /** The operation with REX.W; mostly the same. */
    final Op wideOp;

    final int attributes;
    final int operand0;
    final int operand1;
    final int operand2;
    final int operand3;

    Opcode(Op op, Op wideOp, int attributes, int[] operands) {
        this.op = op;
        this.wideOp = wideOp;
        this.attributes = attributes;
        operand0 = operands[0];
        operand1 = operands[1];
        operand2 = operands[2];
        operand3 = operands[3];
    }

    boolean is(int attribute) {
        return (attributes & attribute) != 0;
    }

    Opcode with(int attribute) {
        int[] operands = {operand0, operand1, operand2, operand3};
        return new Opcode(op, wideOp, attributes | attribute, operands);
    }

    /** Whether one of the operands is encoded so. */
    boolean has(int encoding) {
        return (operand0 & 0xff) == encoding
                || (operand1 & 0xff) == encoding
                || (operand2 & 0xff) == encoding
                || (operand3 & 0xff) == encoding;
    }

    static int operand(int encoding, int size, int memorySize) {
        return encoding | size << 8 | memorySize << 16;
    }
}
