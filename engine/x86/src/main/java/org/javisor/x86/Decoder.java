package org.javisor.x86;

/**
 * Turns bytes into {@link Instruction}s as the Intel SDM, volume 2, chapter 2 and appendix A
 * describe them. Table-driven, shared by interpreter and translator. Not thread-safe.
 *
 * <p>Where the vendors differ, Intel's way: near branches in 64-bit code ignore 66h, far pointers
 * have 8-byte offsets with REX.W. Instructions that depend on CPUID bits are all decoded; whoever
 * executes them decides (TZCNT without BMI1 is BSF, LZCNT without it BSR). Control register 8 is
 * refused outside 64-bit code only because REX cannot name it there.
 */
public final class Decoder {
    /** The longest legal instruction, in bytes. */
    public static final int MAX_LENGTH = 15;

    private static final int REX = 0x40;
    private static final int REX_W = 8;
    private static final int REX_R = 4;
    private static final int REX_X = 2;
    private static final int REX_B = 1;

    private static final int NO_OVERRIDE = -1;
    private static final int SS = 2;
    private static final int DS = 3;

    /** Base and index registers of the 16-bit ModRM.rm encodings. */
    private static final int[] BASE_16 = {3, 3, 5, 5, 6, 7, 5, 3};

    private static final int[] INDEX_16 = {6, 7, 6, 7, -1, -1, -1, -1};

    private final Instruction.Builder out = new Instruction.Builder();

    private byte[] bytes = new byte[0];
    private int start;
    private int pos;
    private int end;
    private boolean exhausted;

    private boolean longMode;
    private boolean lock;

    /** F3h, F2h or 0. */
    private int repeat;

    private boolean operandPrefix;
    private boolean addressPrefix;
    private int override;
    private int rex;
    private boolean vex;
    private boolean vexWide;
    private boolean vex256;
    private int vexRegister;
    private int modrm;
    private int map;
    private int code;

    /** Where the immediates begin. */
    private int immediates;

    /**
     * Decodes one instruction.
     *
     * @param code bytes from the instruction's first on, from {@code offset}
     * @param available how many of them are valid, at least 1
     * @return the instruction, with {@link Op#INVALID} or {@link Op#TOO_LONG} for what the
     *     architecture refuses (its {@link Instruction#length} is then how far the decoder read);
     *     or null if {@code available} bytes (fewer than 15) do not yet decide
     */
    public Instruction decode(byte[] code, int offset, int available, CodeSize size) {
        bytes = code;
        start = offset;
        pos = offset;
        end = offset + Math.min(available, MAX_LENGTH);
        exhausted = false;
        longMode = size == CodeSize.BITS64;
        out.clear();

        Opcode opcode = prefixesAndOpcode();
        if (exhausted) {
            return incomplete(available);
        }
        if (opcode == null) {
            return refused(Op.INVALID);
        }
        sizes(opcode, size);
        boolean legal = operands(opcode);
        if (exhausted) {
            return incomplete(available);
        }
        if (!legal || !finish(opcode)) {
            return refused(Op.INVALID);
        }
        out.length = pos - start;
        encoding();
        return out.build();
    }

    private void encoding() {
        if (!vex) {
            out.rex = rex;
        }
        out.map = map;
        out.opcode = code;
        out.vexRegister = vexRegister;
        out.immSize = pos - immediates;
    }

    private Instruction incomplete(int available) {
        return available < MAX_LENGTH ? null : refused(Op.TOO_LONG);
    }

    private Instruction refused(Op op) {
        out.clear();
        out.op = op;
        out.length = pos - start;
        return out.build();
    }

    private int next() {
        if (pos >= end) {
            exhausted = true;
            return 0;
        }
        return bytes[pos++] & 0xff;
    }

    private Opcode prefixesAndOpcode() {
        code = prefixes();
        if (exhausted) {
            return null;
        }
        map = OpcodeTables.ONE_BYTE;
        vex = false;
        vexRegister = 0;
        out.prefixLength = pos - 1 - start - (rex != 0 ? 1 : 0);
        int prefix = repeat == 0xf3 ? 2 : repeat == 0xf2 ? 3 : operandPrefix ? 1 : 0;
        if (code == 0x0f) {
            escape();
        } else if ((code == 0xc4 || code == 0xc5) && (longMode || vexFollows())) {
            if (lock || rex != 0 || operandPrefix || repeat != 0) {
                next();
                return null;
            }
            prefix = vexPrefix();
            if (map == OpcodeTables.ONE_BYTE) {
                return null;
            }
        } else if (code == 0x90 && (rex & REX_B) != 0) {
            // XCHG with R8 whatever the prefixes: PAUSE is F3h before a NOP.
            prefix = 0;
        }
        if (exhausted) {
            return null;
        }
        out.mandatoryPrefix = prefix;
        Opcode[] cell = map().cell(prefix, code);
        if (cell == null) {
            return null;
        }
        if (cell.length > 1) {
            nextModrm();
            return OpcodeTables.Map.byModrm(cell, modrm);
        }
        Opcode opcode = cell[0];
        if (opcode.is(Opcode.MODRM)) {
            nextModrm();
        }
        return opcode;
    }

    private OpcodeTables.Map map() {
        if (vex) {
            int index = OpcodeTables.Vex.index(map, vexWide, vex256);
            return (longMode ? OpcodeTables.Vex.LONG_MODE : OpcodeTables.Vex.LEGACY)[index];
        }
        return (longMode ? OpcodeTables.LONG_MODE : OpcodeTables.LEGACY)[map];
    }

    private void nextModrm() {
        out.modrmOffset = pos - start;
        modrm = next();
    }

    /** Consumes the legacy and REX prefixes and the first opcode byte, which it returns. */
    private int prefixes() {
        lock = false;
        repeat = 0;
        operandPrefix = false;
        addressPrefix = false;
        override = NO_OVERRIDE;
        rex = 0;
        while (true) {
            int b = next();
            if (longMode && (b & 0xf0) == REX) {
                rex = b;
                continue;
            }
            switch (b) {
                case 0x26, 0x2e, 0x36, 0x3e -> {
                    if (!longMode) {
                        override = b >> 3 & 3;
                    }
                }
                case 0x64, 0x65 -> override = b - 0x60;
                case 0x66 -> operandPrefix = true;
                case 0x67 -> addressPrefix = true;
                case 0xf0 -> lock = true;
                case 0xf2, 0xf3 -> repeat = b;
                default -> {
                    return b;
                }
            }
            // A REX prefix counts only directly before the opcode.
            rex = 0;
            if (exhausted) {
                return 0;
            }
        }
    }

    private void escape() {
        map = OpcodeTables.ESCAPE_0F;
        code = next();
        if (code == 0x38) {
            map = OpcodeTables.ESCAPE_0F38;
            code = next();
        } else if (code == 0x3a) {
            map = OpcodeTables.ESCAPE_0F3A;
            code = next();
        }
    }

    /**
     * Outside 64-bit code C4h and C5h are LES and LDS, unless the ModRM byte would name a register.
     */
    private boolean vexFollows() {
        if (pos >= end) {
            exhausted = true;
            return false;
        }
        return (bytes[pos] & 0xc0) == 0xc0;
    }

    /**
     * Consumes the rest of a VEX prefix and the opcode; leaves the one-byte map if there is no such
     * map. Returns pp.
     */
    private int vexPrefix() {
        int first = next();
        int last = first;
        int mapSelect = 1;
        boolean wide = false;
        rex = REX | ~first >> 5 & REX_R;
        if (code == 0xc4) {
            mapSelect = first & 0x1f;
            last = next();
            rex = REX | (~first & 0xe0) >> 5 | (last & 0x80) >> 4;
            wide = (last & 0x80) != 0;
        }
        out.rex = rex;
        if (!longMode) {
            rex = 0;
        }
        vex = true;
        vexWide = wide;
        vex256 = (last & 4) != 0;
        vexRegister = ~last >> 3 & 15;
        out.flags = Instruction.VEX | (vex256 ? Instruction.VEX_256 : 0);
        code = next();
        map = mapSelect <= 3 ? mapSelect : OpcodeTables.ONE_BYTE;
        return last & 3;
    }

    private void sizes(Opcode opcode, CodeSize size) {
        out.addressSize =
                switch (size) {
                    case BITS16 -> addressPrefix ? 4 : 2;
                    case BITS32 -> addressPrefix ? 2 : 4;
                    case BITS64 -> addressPrefix ? 4 : 8;
                };
        boolean wide = (rex & REX_W) != 0;
        boolean other = operandPrefix && !opcode.is(Opcode.PREFIX_66);
        int operandSize;
        if (opcode.is(Opcode.BYTE)) {
            operandSize = 1;
        } else if (opcode.is(Opcode.WORD)) {
            operandSize = 2;
        } else if (opcode.is(Opcode.WIDE_OR_4)) {
            operandSize = wide ? 8 : 4;
        } else if (opcode.is(Opcode.NATURAL)) {
            operandSize = longMode ? 8 : 4;
        } else if (longMode) {
            boolean eight = wide || opcode.is(Opcode.FORCE_64);
            operandSize = eight ? 8 : other ? 2 : opcode.is(Opcode.DEFAULT_64) ? 8 : 4;
        } else {
            operandSize = (size == CodeSize.BITS16) == other ? 4 : 2;
        }
        if (operandSize > 4 && opcode.is(Opcode.AT_MOST_4)) {
            operandSize = 4;
        }
        out.operandSize = operandSize;
    }

    private boolean operands(Opcode opcode) {
        out.segment = override == NO_OVERRIDE ? DS : override;
        // The address comes before any immediate, in whatever order the operands are written.
        if (opcode.is(Opcode.MODRM) && modrm < 0xc0 && usesMemory(opcode)) {
            if (out.addressSize == 2) {
                address16();
            } else {
                address(opcode.has(Opcode.X));
            }
        }
        immediates = pos;
        return operand(0, opcode.operand0)
                && operand(1, opcode.operand1)
                && operand(2, opcode.operand2)
                && operand(3, opcode.operand3);
    }

    private static boolean usesMemory(Opcode opcode) {
        return takesAddress(opcode.operand0)
                || takesAddress(opcode.operand1)
                || takesAddress(opcode.operand2);
    }

    private static boolean takesAddress(int operand) {
        return switch (operand & 0xff) {
            case Opcode.E, Opcode.M, Opcode.Q, Opcode.W, Opcode.X -> true;
            default -> false;
        };
    }

    private boolean operand(int i, int operand) {
        switch (operand & 0xff) {
            case Opcode.ABSENT -> {}
            case Opcode.E, Opcode.M -> registerOrMemory(i, Instruction.GPR, operand);
            case Opcode.R -> general(i, rm(), operand);
            case Opcode.G -> general(i, reg(), operand);
            case Opcode.Z -> general(i, code & 7 | (rex & REX_B) << 3, operand);
            case Opcode.B -> register(i, Instruction.GPR, vexNumber());
            case Opcode.S -> {
                int number = modrm >> 3 & 7;
                register(i, Instruction.SEG, number);
                // CS cannot be loaded.
                return number < 6 && !(number == 1 && i == 0);
            }
            case Opcode.C -> {
                register(i, Instruction.CR, reg());
                return (1 << reg() & 0b1_0001_1101) != 0;
            }
            case Opcode.D -> {
                register(i, Instruction.DR, reg());
                return reg() < 8;
            }
            case Opcode.P -> register(i, Instruction.MMX, modrm >> 3 & 7);
            case Opcode.Q, Opcode.N -> registerOrMemory(i, Instruction.MMX, operand);
            case Opcode.V -> register(i, vectorKind(operand), reg());
            case Opcode.W, Opcode.U -> registerOrMemory(i, vectorKind(operand), operand);
            case Opcode.H -> register(i, vectorKind(operand), vexNumber());
            case Opcode.T -> {
                out.imm = unsigned(1);
                int number = (int) out.imm >> 4;
                register(i, vectorKind(operand), longMode ? number : number & 7);
            }
            case Opcode.X -> {
                return indexedByVector(i, operand);
            }
            case Opcode.I -> {
                out.kind[i] = Instruction.IMM;
                out.imm = unsigned(size(operand >> 8 & 0xff));
            }
            case Opcode.I_SIGNED -> {
                out.kind[i] = Instruction.IMM;
                out.imm = signed(size(operand >> 8 & 0xff));
            }
            case Opcode.L -> out.imm2 = unsigned(1);
            case Opcode.J -> {
                out.kind[i] = Instruction.REL;
                out.imm = signed(size(operand >> 8 & 0xff));
            }
            case Opcode.A -> {
                out.kind[i] = Instruction.FAR;
                out.imm = unsigned(out.operandSize);
                out.imm2 = unsigned(2);
            }
            case Opcode.O -> {
                out.kind[i] = Instruction.MEM;
                displacement(out.addressSize);
                out.disp = unsigned(out.addressSize);
                immediates = pos;
                out.memorySize = size(operand >> 16 & 0xff);
            }
            case Opcode.ST_I -> register(i, Instruction.ST, modrm & 7);
            case Opcode.ONE -> {
                out.kind[i] = Instruction.IMM;
                out.imm = 1;
            }
            case Opcode.FIXED -> register(i, operand >> 8 & 0xff, operand >> 16 & 0xff);
            default -> throw new AssertionError(operand);
        }
        return true;
    }

    private int vexNumber() {
        return longMode ? vexRegister : vexRegister & 7;
    }

    private int vectorKind(int operand) {
        int size = operand >> 8 & 0xff;
        boolean whole = size == Opcode.SIZE_QQ || size == Opcode.SIZE_XX && vex256;
        return whole ? Instruction.YMM : Instruction.XMM;
    }

    /** Gathering wants a SIB byte and three different vector registers. */
    private boolean indexedByVector(int i, int operand) {
        out.kind[i] = Instruction.MEM;
        out.memorySize = size(operand >> 8 & 0xff);
        boolean wide = (operand >> 16 & 0xff) == Opcode.SIZE_XX && vex256;
        out.flags |= Instruction.VSIB | (wide ? Instruction.VSIB_256 : 0);
        int mask = vexNumber();
        return (modrm & 7) == 4
                && out.addressSize != 2
                && reg() != mask
                && reg() != out.index
                && mask != out.index;
    }

    private int reg() {
        return modrm >> 3 & 7 | (rex & REX_R) << 1;
    }

    private int rm() {
        return modrm & 7 | (rex & REX_B) << 3;
    }

    private void register(int i, int kind, int number) {
        out.kind[i] = kind;
        out.reg[i] = number;
    }

    private void general(int i, int number, int operand) {
        // Without REX, byte registers 4 to 7 are AH, CH, DH and BH.
        boolean high = (operand >> 8 & 0xff) == Opcode.SIZE_B && rex == 0 && number >= 4;
        register(i, high ? Instruction.GPR_HIGH : Instruction.GPR, high ? number - 4 : number);
    }

    private void registerOrMemory(int i, int kind, int operand) {
        if (modrm < 0xc0) {
            out.kind[i] = Instruction.MEM;
            out.memorySize = size(operand >> 16 & 0xff);
            return;
        }
        out.memorySize = size(operand >> 8 & 0xff);
        if (kind == Instruction.GPR) {
            general(i, rm(), operand);
        } else {
            register(i, kind, kind == Instruction.MMX ? modrm & 7 : rm());
        }
    }

    private void address16() {
        int mod = modrm >> 6;
        int rm = modrm & 7;
        if (mod == 0 && rm == 6) {
            signedDisplacement(2);
            return;
        }
        out.base = BASE_16[rm];
        out.index = INDEX_16[rm];
        if (mod != 0) {
            signedDisplacement(mod == 1 ? 1 : 2);
        }
        defaultSegment(out.base == 5);
    }

    private void address(boolean vectorIndex) {
        int mod = modrm >> 6;
        int base = modrm & 7;
        boolean sib = base == 4;
        if (sib) {
            int b = next();
            out.scale = b >> 6;
            int index = b >> 3 & 7 | (rex & REX_X) << 2;
            out.index = index == 4 && !vectorIndex ? Instruction.NO_REGISTER : index;
            base = b & 7;
        }
        if (mod == 0 && base == 5) {
            signedDisplacement(4);
            out.base = longMode && !sib ? Instruction.RIP : Instruction.NO_REGISTER;
            return;
        }
        out.base = base | (rex & REX_B) << 3;
        if (mod != 0) {
            signedDisplacement(mod == 1 ? 1 : 4);
        }
        defaultSegment(out.base == 4 || out.base == 5);
    }

    private void signedDisplacement(int size) {
        displacement(size);
        out.disp = signed(size);
    }

    private void displacement(int size) {
        out.dispOffset = pos - start;
        out.dispSize = size;
    }

    private void defaultSegment(boolean stack) {
        if (stack && override == NO_OVERRIDE) {
            out.segment = SS;
        }
    }

    private long unsigned(int size) {
        long value = 0;
        for (int shift = 0; shift < size * 8; shift += 8) {
            value |= (long) next() << shift;
        }
        return value;
    }

    private long signed(int size) {
        int unused = 64 - size * 8;
        return unsigned(size) << unused >> unused;
    }

    private int size(int code) {
        return switch (code) {
            case Opcode.SIZE_0 -> 0;
            case Opcode.SIZE_B -> 1;
            case Opcode.SIZE_W -> 2;
            case Opcode.SIZE_D -> 4;
            case Opcode.SIZE_Q -> 8;
            case Opcode.SIZE_T -> 10;
            case Opcode.SIZE_DQ -> 16;
            case Opcode.SIZE_V -> out.operandSize;
            case Opcode.SIZE_Y -> (rex & REX_W) != 0 ? 8 : 4;
            case Opcode.SIZE_Z -> Math.min(out.operandSize, 4);
            case Opcode.SIZE_P -> out.operandSize + 2;
            case Opcode.SIZE_S -> longMode ? 10 : 6;
            case Opcode.SIZE_A -> 2 * out.operandSize;
            case Opcode.SIZE_E -> out.operandSize == 2 ? 14 : 28;
            case Opcode.SIZE_F -> out.operandSize == 2 ? 94 : 108;
            case Opcode.SIZE_N -> longMode ? 8 : 4;
            case Opcode.SIZE_C -> (rex & REX_W) != 0 ? 16 : 8;
            case Opcode.SIZE_H -> 512;
            case Opcode.SIZE_X -> 576;
            case Opcode.SIZE_K -> 64;
            case Opcode.SIZE_XX -> vex256 ? 32 : 16;
            case Opcode.SIZE_QQ -> 32;
            case Opcode.SIZE_HX -> vex256 ? 16 : 8;
            case Opcode.SIZE_KX -> vex256 ? 8 : 4;
            case Opcode.SIZE_EX -> vex256 ? 4 : 2;
            default -> throw new AssertionError(code);
        };
    }

    /**
     * Operation, condition and flags; false if the prefixes are not legal with this instruction.
     */
    private boolean finish(Opcode opcode) {
        out.op = (rex & REX_W) != 0 ? opcode.wideOp : opcode.op;
        if (opcode.is(Opcode.CONDITIONAL)) {
            out.condition = code & 15;
        }
        if (repeat != 0 && opcode.is(Opcode.REPEATABLE)) {
            out.flags |= repeat == 0xf3 ? Instruction.REP : Instruction.REPNE;
        }
        if (code == 0x90 && out.op == Op.XCHG && out.reg[0] == 0) {
            out.op = Op.NOP;
            out.kind[0] = Instruction.NONE;
            out.kind[1] = Instruction.NONE;
        }
        if (map == OpcodeTables.ONE_BYTE && (code & 0xf8) == 0xd8) {
            out.imm = (code & 7) << 8 | modrm;
        }
        if (vex) {
            // Without an operand in it, VEX.vvvv is to be 1111b.
            return vexRegister == 0 || opcode.has(Opcode.B) || opcode.has(Opcode.H);
        }
        if (lock) {
            out.flags |= Instruction.LOCK;
            return opcode.is(Opcode.LOCKABLE) && out.kind[0] == Instruction.MEM;
        }
        return true;
    }
}
