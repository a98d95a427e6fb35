package org.javisor.x86;

/**
 * Reads the text of the opcode tables. One line describes one opcode, or a part of it:
 *
 * <pre>
 * key OP operands attributes                 whatever the prefixes
 * key | none | 66 | F3 | F2                  one "OP operands attributes" for each mandatory prefix
 * </pre>
 *
 * A later line overrides an earlier one, column by column: an empty column changes nothing, {@code
 * -} makes the opcode undefined. {@code OP/WIDE} names another operation for REX.W.
 *
 * <p>The key is the opcode in hexadecimal, {@code 50..57} a range of them, {@code 80/1} an
 * extension in ModRM.reg, {@code C7/6m} and {@code C7/6r} its memory and register forms alone,
 * {@code D9:E8} one whole ModRM byte.
 *
 * <p>Operands are written as in appendix A of the Intel SDM, volume 2: an encoding (E, M, R, G, Z,
 * S, C, D, P, Q, N, V, W, U, I, J, A, O and B, see {@link Opcode}) and a size (b, w, d, q, dq, v,
 * y, z, p, s, a and the ones in {@link Opcode}). {@code Ed/b} is a register of size d or memory of
 * size b. {@code Ib} is zero-extended, {@code Is} is a sign-extended byte, {@code Iz}
 * sign-extended, {@code Lb} a second immediate. Registers are written by name: AL, CL, DX, AX, rAX,
 * ES … GS, ST0, XMM0; {@code STi} is in ModRM.rm; {@code 1} is the constant.
 *
 * <p>VEX encodings have the operands H (VEX.vvvv), T (an immediate's high half) and X (memory with
 * a vector of indices: {@code Xd/x} has elements of size d and indices in a register of size x) and
 * the sizes x (the vector's length by VEX.L), qq (32 bytes), hx, kx and ex (a half, a quarter, an
 * eighth of x). Their attributes: {@code L0}, {@code L1}, {@code W0}, {@code W1} demand that value;
 * without an operand of size x, L0 is implied unless {@code LIG} says that VEX.L is ignored.
 *
 * <p>Attributes: {@code L} LOCK is legal, {@code d64} operand size 8 in 64-bit code, {@code f64}
 * the same whatever the prefixes, {@code b} operand size 1 (implied by a first operand of size b),
 * {@code w} 2, {@code z} at most 4, {@code n} the width of the mode, {@code i64} not in 64-bit
 * code, {@code o64} only there, {@code rep} a string operation.
 */
final class OpcodeRows {
    /** One map or, for VEX encodings, four: by VEX.L and, with 2 added, VEX.W. */
    private final OpcodeTables.Map[] legacy;

    private final OpcodeTables.Map[] longMode;

    private String text = "";
    private int pos;
    private int end;

    OpcodeRows(OpcodeTables.Map[] legacy, OpcodeTables.Map[] longMode) {
        this.legacy = legacy;
        this.longMode = longMode;
    }

    void read(String rows) {
        text = rows;
        int line = 0;
        while (line < rows.length()) {
            int next = rows.indexOf('\n', line);
            if (next < 0) {
                next = rows.length();
            }
            pos = line;
            end = next;
            if (pos < end) {
                row();
            }
            line = next + 1;
        }
    }

    private void row() {
        int first = hexByte();
        int last = first;
        int modrmFirst = -1;
        int modrmLast = -1;
        boolean memory = true;
        boolean register = true;
        if (accept('.')) {
            pos++;
            last = hexByte();
        }
        if (accept('/')) {
            modrmFirst = (text.charAt(pos++) - '0') << 3;
            modrmLast = modrmFirst + 7;
        } else if (accept(':')) {
            modrmFirst = hexByte() & 0x3f;
            modrmLast = modrmFirst;
            memory = false;
        }
        if (accept('m')) {
            register = false;
        } else if (accept('r')) {
            memory = false;
        }
        skipBlanks();
        boolean columns = pos < end && text.charAt(pos) == '|';
        for (int prefix = 0; pos < end; prefix++) {
            if (columns) {
                pos++;
                skipBlanks();
                if (pos == end || text.charAt(pos) == '|') {
                    continue;
                }
            }
            boolean undefined = accept('-');
            Opcode opcode = undefined ? null : opcode();
            skipBlanks();
            boolean m = memory;
            boolean r = register;
            if (opcode != null) {
                m &= !needs(opcode, true);
                r &= !needs(opcode, false);
                if (columns && prefix == 1) {
                    opcode = opcode.with(Opcode.PREFIX_66);
                }
                if (modrmFirst >= 0 || !m || !r) {
                    opcode = opcode.with(Opcode.MODRM);
                }
            }
            for (int p = columns ? prefix : 0; p <= (columns ? prefix : 3); p++) {
                for (int code = first; code <= last; code++) {
                    if (opcode == null || !opcode.is(Opcode.LONG_ONLY)) {
                        put(legacy, p, code, modrmFirst, modrmLast, m, r, opcode);
                    }
                    if (opcode == null || !opcode.is(Opcode.LEGACY_ONLY)) {
                        put(longMode, p, code, modrmFirst, modrmLast, m, r, opcode);
                    }
                }
            }
        }
    }

    private static void put(
            OpcodeTables.Map[] maps,
            int prefix,
            int code,
            int first,
            int last,
            boolean memory,
            boolean register,
            Opcode opcode) {
        for (int n = 0; n < maps.length; n++) {
            if (maps.length == 1 || opcode == null || encodedIn(n, opcode)) {
                maps[n].put(prefix, code, first, last, memory, register, opcode);
            }
        }
    }

    /** Whether an opcode exists with the VEX.L and VEX.W of a map. */
    private static boolean encodedIn(int map, Opcode opcode) {
        return !opcode.is((map & 1) == 0 ? Opcode.L_1 : Opcode.L_0)
                && !opcode.is((map & 2) == 0 ? Opcode.W_1 : Opcode.W_0);
    }

    /** Whether an operand exists only as a register ({@code register}) or only as memory. */
    private static boolean needs(Opcode opcode, boolean register) {
        return needs(opcode.operand0, register)
                || needs(opcode.operand1, register)
                || needs(opcode.operand2, register)
                || needs(opcode.operand3, register);
    }

    private static boolean needs(int operand, boolean register) {
        return switch (operand & 0xff) {
            case Opcode.M, Opcode.X -> !register;
            case Opcode.N, Opcode.U, Opcode.ST_I -> register;
            default -> false;
        };
    }

    private Opcode opcode() {
        String name = word();
        int slash = name.indexOf('/');
        Op op = Op.valueOf(slash < 0 ? name : name.substring(0, slash));
        Op wide = slash < 0 ? op : Op.valueOf(name.substring(slash + 1));
        int[] operands = new int[4];
        int attributes = op == Op.JCC || op == Op.SETCC || op == Op.CMOVCC ? Opcode.CONDITIONAL : 0;
        for (String word = word(); !word.isEmpty(); word = word()) {
            int attribute = attribute(word);
            if (attribute != 0) {
                attributes |= attribute;
                continue;
            }
            int count = 0;
            int from = 0;
            while (from <= word.length()) {
                int comma = word.indexOf(',', from);
                int to = comma < 0 ? word.length() : comma;
                operands[count++] = operand(word.substring(from, to));
                from = to + 1;
            }
            for (int operand : operands) {
                attributes |= implied(operand);
            }
            boolean bytes =
                    word.startsWith("AL,")
                            || (word.length() > 1
                                    && "EGZ".indexOf(word.charAt(0)) >= 0
                                    && word.charAt(1) == 'b');
            if (bytes) {
                attributes |= Opcode.BYTE;
            }
        }
        if (legacy.length > 1 && lengthMatters(operands, attributes)) {
            attributes |= Opcode.L_0;
        }
        return new Opcode(op, wide, attributes, operands);
    }

    /** Whether a VEX encoding without an operand of the vector's length says nothing of VEX.L. */
    private static boolean lengthMatters(int[] operands, int attributes) {
        for (int operand : operands) {
            int encoding = operand & 0xff;
            boolean fixed = encoding == Opcode.ABSENT || encoding == Opcode.FIXED;
            int size = operand >> 8 & 0xff;
            int other = operand >> 16 & 0xff;
            if (!fixed && (size == Opcode.SIZE_XX || other == Opcode.SIZE_XX)) {
                return false;
            }
        }
        return (attributes & (Opcode.L_1 | Opcode.L_IGNORED)) == 0;
    }

    private static int implied(int operand) {
        int encoding = operand & 0xff;
        if (encoding == Opcode.ABSENT || encoding == Opcode.FIXED) {
            return 0;
        }
        int result = (operand >> 8 & 0xff) == Opcode.SIZE_Y ? Opcode.WIDE_OR_4 : 0;
        return switch (encoding) {
            case Opcode.Z,
                    Opcode.B,
                    Opcode.H,
                    Opcode.T,
                    Opcode.I,
                    Opcode.I_SIGNED,
                    Opcode.L,
                    Opcode.J,
                    Opcode.A,
                    Opcode.O,
                    Opcode.ONE ->
                    result;
            default -> result | Opcode.MODRM;
        };
    }

    private static int attribute(String word) {
        return switch (word) {
            case "L" -> Opcode.LOCKABLE;
            case "d64" -> Opcode.DEFAULT_64;
            case "f64" -> Opcode.FORCE_64;
            case "b" -> Opcode.BYTE;
            case "w" -> Opcode.WORD;
            case "z" -> Opcode.AT_MOST_4;
            case "n" -> Opcode.NATURAL;
            case "i64" -> Opcode.LEGACY_ONLY;
            case "o64" -> Opcode.LONG_ONLY;
            case "rep" -> Opcode.REPEATABLE;
            case "L0" -> Opcode.L_0;
            case "L1" -> Opcode.L_1;
            case "LIG" -> Opcode.L_IGNORED;
            case "W0" -> Opcode.W_0;
            case "W1" -> Opcode.W_1;
            default -> 0;
        };
    }

    private static int operand(String word) {
        switch (word) {
            case "1":
                return Opcode.ONE;
            case "STi":
                return Opcode.ST_I;
            case "AL", "AX", "rAX":
                return fixed(Instruction.GPR, 0);
            case "CL":
                return fixed(Instruction.GPR, 1);
            case "DX":
                return fixed(Instruction.GPR, 2);
            case "ST0":
                return fixed(Instruction.ST, 0);
            case "XMM0":
                return fixed(Instruction.XMM, 0);
            case "Is":
                return Opcode.operand(Opcode.I_SIGNED, Opcode.SIZE_B, 0);
            case "Iz":
                return Opcode.operand(Opcode.I_SIGNED, Opcode.SIZE_Z, 0);
            default:
                break;
        }
        if (word.length() == 2 && word.charAt(1) == 'S') {
            return fixed(Instruction.SEG, "ECSDFG".indexOf(word.charAt(0)));
        }
        int slash = word.indexOf('/');
        int size = size(slash < 0 ? word.substring(1) : word.substring(1, slash));
        int memorySize = slash < 0 ? size : size(word.substring(slash + 1));
        return Opcode.operand(encoding(word.charAt(0)), size, memorySize);
    }

    private static int fixed(int kind, int register) {
        return Opcode.FIXED | kind << 8 | register << 16;
    }

    private static int encoding(char letter) {
        return switch (letter) {
            case 'E' -> Opcode.E;
            case 'M' -> Opcode.M;
            case 'R' -> Opcode.R;
            case 'G' -> Opcode.G;
            case 'Z' -> Opcode.Z;
            case 'B' -> Opcode.B;
            case 'H' -> Opcode.H;
            case 'T' -> Opcode.T;
            case 'X' -> Opcode.X;
            case 'S' -> Opcode.S;
            case 'C' -> Opcode.C;
            case 'D' -> Opcode.D;
            case 'P' -> Opcode.P;
            case 'Q' -> Opcode.Q;
            case 'N' -> Opcode.N;
            case 'V' -> Opcode.V;
            case 'W' -> Opcode.W;
            case 'U' -> Opcode.U;
            case 'I' -> Opcode.I;
            case 'L' -> Opcode.L;
            case 'J' -> Opcode.J;
            case 'A' -> Opcode.A;
            case 'O' -> Opcode.O;
            default -> throw new IllegalArgumentException("Operand encoding " + letter);
        };
    }

    private static int size(String letters) {
        return switch (letters) {
            case "0" -> Opcode.SIZE_0;
            case "b" -> Opcode.SIZE_B;
            case "w" -> Opcode.SIZE_W;
            case "d" -> Opcode.SIZE_D;
            case "q" -> Opcode.SIZE_Q;
            case "t" -> Opcode.SIZE_T;
            case "dq" -> Opcode.SIZE_DQ;
            case "v" -> Opcode.SIZE_V;
            case "y" -> Opcode.SIZE_Y;
            case "z" -> Opcode.SIZE_Z;
            case "p" -> Opcode.SIZE_P;
            case "s" -> Opcode.SIZE_S;
            case "a" -> Opcode.SIZE_A;
            case "e" -> Opcode.SIZE_E;
            case "f" -> Opcode.SIZE_F;
            case "n" -> Opcode.SIZE_N;
            case "c" -> Opcode.SIZE_C;
            case "h" -> Opcode.SIZE_H;
            case "xa" -> Opcode.SIZE_X;
            case "x" -> Opcode.SIZE_XX;
            case "qq" -> Opcode.SIZE_QQ;
            case "hx" -> Opcode.SIZE_HX;
            case "kx" -> Opcode.SIZE_KX;
            case "ex" -> Opcode.SIZE_EX;
            case "k" -> Opcode.SIZE_K;
            default -> throw new IllegalArgumentException("Operand size " + letters);
        };
    }

    /** The next word of the column, or the empty string at its end. */
    private String word() {
        skipBlanks();
        int from = pos;
        while (pos < end && text.charAt(pos) != ' ' && text.charAt(pos) != '|') {
            pos++;
        }
        return text.substring(from, pos);
    }

    private void skipBlanks() {
        while (pos < end && text.charAt(pos) == ' ') {
            pos++;
        }
    }

    private boolean accept(char c) {
        if (pos < end && text.charAt(pos) == c) {
            pos++;
            return true;
        }
        return false;
    }

    private int hexByte() {
        int value =
                Character.digit(text.charAt(pos), 16) << 4
                        | Character.digit(text.charAt(pos + 1), 16);
        pos += 2;
        return value;
    }
}
