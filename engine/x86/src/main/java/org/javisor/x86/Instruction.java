package org.javisor.x86;

/**
 * One decoded instruction: operands and classes as data. Immutable; fields are public and final
 * because the interpreter and the translator read them in their innermost loops, and small because
 * the translator keeps many instructions.
 *
 * <p>Up to four explicit operands, in Intel order (destination first), each described by a kind
 * ({@code kind0..3}, one of the constants here) and a register number ({@code reg0..3}) where the
 * kind is a register. At most one is {@link #MEM}; its address is described by {@link #base},
 * {@link #index}, {@link #scale}, {@link #disp} and {@link #segment}. Implicit operands (AL, DX, CL
 * as a count, ST0, XMM0 of the SSE4.1 blends, …) are listed explicitly only where the assembler
 * syntax writes them; string operations, MUL, DIV, CBW and the like have none.
 *
 * <p>A shift by CL has {@link #GPR} 1 as its count operand although {@link #operandSize} is the
 * destination's; one by one has the {@link #IMM} 1. IN and OUT write AL or eAX as GPR 0 and DX as
 * GPR 2. ENTER's nesting level is {@link #imm2}. {@code 90h} without REX.B is NOP, with no
 * operands.
 */
public final class Instruction {
    // Operand kinds
    public static final int NONE = 0;

    /**
     * General register 0-15 of the operand's size. With size 1, 0-15 mean AL, CL, DL, BL, SPL, BPL,
     * SIL, DIL, R8B…
     */
    public static final int GPR = 1;

    /** AH, CH, DH, BH as 0-3: bits 8-15 of general registers 0-3. */
    public static final int GPR_HIGH = 2;

    public static final int MEM = 3;

    /** {@link #imm}, sign- or zero-extended to 64 bits as the instruction demands. */
    public static final int IMM = 4;

    /**
     * Branch displacement in {@link #imm}, sign-extended, relative to the end of the instruction.
     */
    public static final int REL = 5;

    /** Far pointer: offset in {@link #imm}, selector in {@link #imm2}. */
    public static final int FAR = 6;

    /** Segment register in encoding order ES, CS, SS, DS, FS, GS. */
    public static final int SEG = 7;

    public static final int CR = 8;
    public static final int DR = 9;
    public static final int XMM = 10;
    public static final int MMX = 11;

    /** x87 stack register ST(reg). */
    public static final int ST = 12;

    /** 256-bit register; its low half is the XMM register of the same number. */
    public static final int YMM = 13;

    /** {@link #base} of a RIP-relative operand; RIP is the address after the instruction. */
    public static final int RIP = 16;

    /** Absent {@link #base} or {@link #index}. */
    public static final int NO_REGISTER = -1;

    // Bits of flags
    public static final int LOCK = 1;

    /** F3h where it repeats a string operation; else it selected the opcode. */
    public static final int REP = 2;

    /** F2h where it repeats a string operation. */
    public static final int REPNE = 4;

    /** Decoded from a VEX prefix. */
    public static final int VEX = 8;

    /** VEX.L: 256-bit vectors. */
    public static final int VEX_256 = 16;

    /**
     * {@link #index} is a vector register, of 128 bits or with {@link #VSIB_256} of 256: the
     * elements of the memory operand have an address each.
     */
    public static final int VSIB = 32;

    public static final int VSIB_256 = 64;

    public final Op op;

    /** Condition code 0-15 of JCC, SETCC, CMOVCC, in the encoding's order (O, NO, B, NB, …). */
    public final byte condition;

    /**
     * The operation's size in bytes (1, 2, 4, 8): the effective operand size, 1 for byte forms. For
     * SIMD and x87 operations see {@link #memorySize}. In 64-bit mode already 8 for near branches,
     * PUSH and the like. With two sizes the destination's (MOVZX, MOVSX, MOVSXD: the source's is
     * {@link #memorySize}), but for CRC32 the source's.
     */
    public final byte operandSize;

    /** Effective address size in bytes: 2, 4, 8. */
    public final byte addressSize;

    /** In bytes, 1 to 15. */
    public final byte length;

    public final byte flags;

    public final byte kind0;
    public final byte kind1;
    public final byte kind2;
    public final byte kind3;
    public final byte reg0;
    public final byte reg1;
    public final byte reg2;
    public final byte reg3;

    /** 0-15, {@link #RIP} or {@link #NO_REGISTER}. */
    public final byte base;

    /** 0-15 or {@link #NO_REGISTER}. */
    public final byte index;

    /** log2 of the index's factor: 0-3. */
    public final byte scale;

    /** Sign-extended; for the MOV forms with an absolute address (A0h-A3h) the whole address. */
    public final long disp;

    /**
     * Segment of the memory operand, ES=0 … GS=5: the override or the default (SS with a base of
     * RSP or RBP, else DS). In 64-bit mode only FS and GS override. String operations: the source's
     * segment.
     */
    public final byte segment;

    /**
     * Bytes the memory operand spans, with {@link #VSIB} each of its elements; 0 where the
     * instruction only computes the address (LEA, INVLPG, NOP). Where a register stands in its
     * place, that register's size. For the XSAVE family the fixed part, 576.
     */
    public final short memorySize;

    /**
     * See {@link #IMM}, {@link #REL} and {@link #FAR}; of an x87 instruction its 11-bit opcode
     * (FOP).
     */
    public final long imm;

    public final long imm2;

    // How the instruction is encoded, for who writes it anew with other registers or addresses

    /**
     * Bytes of legacy prefixes, and of REX prefixes that count for nothing, before the REX or VEX
     * prefix or, without one, before the opcode with its escape bytes.
     */
    public final byte prefixLength;

    /**
     * The REX prefix that counts, 40h to 4Fh, or 0. Of a VEX prefix, its W, R, X and B as a REX
     * prefix would have them.
     */
    public final byte rex;

    /**
     * 66h, F3h or F2h by the number VEX.pp gives it: 1 66h, 2 F3h, 3 F2h, 0 none of them. Of a
     * legacy encoding, the one that counts among those present, whether or not the opcode asks for
     * one.
     */
    public final byte mandatoryPrefix;

    /** 0 for the one-byte opcodes, 1 for those after 0Fh, 2 after 0F 38h, 3 after 0F 3Ah. */
    public final byte map;

    /** The opcode's last byte, 0 to 255. */
    public final short opcode;

    /** The register in VEX.vvvv, 0 to 15; 0 without VEX. */
    public final byte vexRegister;

    /** Offset of the ModRM byte from the instruction's first, or -1 if it has none. */
    public final byte modrmOffset;

    /** Offset of the displacement, where {@link #dispSize} is not 0. */
    public final byte dispOffset;

    /** Bytes of the displacement or absolute address: 0, 1, 2, 4 or 8. */
    public final byte dispSize;

    /** Bytes of immediates, the last of the instruction; a relative branch target is one. */
    public final byte immSize;

    Instruction(Builder b) {
        op = b.op;
        condition = (byte) b.condition;
        operandSize = (byte) b.operandSize;
        addressSize = (byte) b.addressSize;
        length = (byte) b.length;
        flags = (byte) b.flags;
        kind0 = (byte) b.kind[0];
        kind1 = (byte) b.kind[1];
        kind2 = (byte) b.kind[2];
        kind3 = (byte) b.kind[3];
        reg0 = (byte) b.reg[0];
        reg1 = (byte) b.reg[1];
        reg2 = (byte) b.reg[2];
        reg3 = (byte) b.reg[3];
        base = (byte) b.base;
        index = (byte) b.index;
        scale = (byte) b.scale;
        disp = b.disp;
        segment = (byte) b.segment;
        memorySize = (short) b.memorySize;
        imm = b.imm;
        imm2 = b.imm2;
        prefixLength = (byte) b.prefixLength;
        rex = (byte) b.rex;
        mandatoryPrefix = (byte) b.mandatoryPrefix;
        map = (byte) b.map;
        opcode = (short) b.opcode;
        vexRegister = (byte) b.vexRegister;
        modrmOffset = (byte) b.modrmOffset;
        dispOffset = (byte) b.dispOffset;
        dispSize = (byte) b.dispSize;
        immSize = (byte) b.immSize;
    }

    /** A copy with other operands. */
    private Instruction(Instruction i, int kind0, int reg0, int kind1, int reg1, long imm) {
        op = i.op;
        condition = i.condition;
        operandSize = i.operandSize;
        addressSize = i.addressSize;
        length = i.length;
        flags = i.flags;
        this.kind0 = (byte) kind0;
        this.kind1 = (byte) kind1;
        kind2 = (byte) (this.kind1 == IMM || !i.hasImmediate() ? NONE : IMM);
        kind3 = NONE;
        this.reg0 = (byte) reg0;
        this.reg1 = (byte) reg1;
        reg2 = 0;
        reg3 = 0;
        base = i.base;
        index = i.index;
        scale = i.scale;
        disp = i.disp;
        segment = i.segment;
        memorySize = i.memorySize;
        this.imm = imm;
        imm2 = i.imm2;
        prefixLength = i.prefixLength;
        rex = i.rex;
        mandatoryPrefix = i.mandatoryPrefix;
        map = i.map;
        opcode = i.opcode;
        vexRegister = i.vexRegister;
        modrmOffset = i.modrmOffset;
        dispOffset = i.dispOffset;
        dispSize = i.dispSize;
        immSize = i.immSize;
    }

    /**
     * The same operation in the shape SSE has it: a destination that is the first source too, a
     * second source and the immediate, if it has one. For engines that carry out a VEX encoding by
     * what they have for SSE; a memory operand keeps its address.
     */
    public Instruction inTwoOperands(int kind0, int reg0, int kind1, int reg1, long imm) {
        return new Instruction(this, kind0, reg0, kind1, reg1, imm);
    }

    /** Whether one of the operands is an immediate. */
    private boolean hasImmediate() {
        return kind1 == IMM || kind2 == IMM || kind3 == IMM;
    }

    public boolean lock() {
        return (flags & LOCK) != 0;
    }

    public boolean repeated() {
        return (flags & (REP | REPNE)) != 0;
    }

    /** Decoded from a VEX prefix. */
    public boolean vex() {
        return (flags & VEX) != 0;
    }

    /** REX.W or VEX.W. */
    public boolean wide() {
        return (rex & 8) != 0;
    }

    /** {@link #kind0} to {@link #kind3} by number. */
    public int kind(int operand) {
        return switch (operand) {
            case 0 -> kind0;
            case 1 -> kind1;
            case 2 -> kind2;
            default -> kind3;
        };
    }

    /** {@link #reg0} to {@link #reg3} by number. */
    public int register(int operand) {
        return switch (operand) {
            case 0 -> reg0;
            case 1 -> reg1;
            case 2 -> reg2;
            default -> reg3;
        };
    }

    /** Whether one of the operands is memory. */
    public boolean hasMemory() {
        return kind0 == MEM || kind1 == MEM || kind2 == MEM;
    }

    /** What a decoder collects; reused from one instruction to the next. */
    static final class Builder {
        Op op;
        int condition;
        int operandSize;
        int addressSize;
        int length;
        int flags;
        final int[] kind = new int[4];
        final int[] reg = new int[4];
        int base;
        int index;
        int scale;
        long disp;
        int segment;
        int memorySize;
        long imm;
        long imm2;
        int prefixLength;
        int rex;
        int mandatoryPrefix;
        int map;
        int opcode;
        int vexRegister;
        int modrmOffset;
        int dispOffset;
        int dispSize;
        int immSize;

        void clear() {
            op = Op.INVALID;
            condition = 0;
            operandSize = 4;
            addressSize = 4;
            length = 0;
            flags = 0;
            java.util.Arrays.fill(kind, NONE);
            java.util.Arrays.fill(reg, 0);
            base = NO_REGISTER;
            index = NO_REGISTER;
            scale = 0;
            disp = 0;
            segment = 3;
            memorySize = 0;
            imm = 0;
            imm2 = 0;
            prefixLength = 0;
            rex = 0;
            mandatoryPrefix = 0;
            map = 0;
            opcode = 0;
            vexRegister = 0;
            modrmOffset = -1;
            dispOffset = 0;
            dispSize = 0;
            immSize = 0;
        }

        Instruction build() {
            return new Instruction(this);
        }
    }
}
