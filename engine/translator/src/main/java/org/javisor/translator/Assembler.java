package org.javisor.translator;

import java.util.Arrays;

/**
 * Encodes x86-64 instructions into a buffer (Intel SDM vol. 2A, chapter 2). Knows encodings, not
 * mnemonics but for the handful that the translator writes itself.
 *
 * <p>A memory operand is set up first by one of the {@code mem} methods and used by the next
 * instruction with a {@code Mem} in its name; no object is made for it.
 */
final class Assembler {
    static final int RAX = 0, RCX = 1, RDX = 2, RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7;
    static final int R8 = 8, R9 = 9, R10 = 10, R11 = 11, R12 = 12, R13 = 13, R14 = 14, R15 = 15;
    static final int NONE = -1;

    /** Opcode maps: one byte, 0Fh, 0F 38h, 0F 3Ah. */
    static final int MAP_1 = 0, MAP_0F = 1, MAP_0F38 = 2, MAP_0F3A = 3;

    private static final int GS = 0x65;

    private byte[] code = new byte[4096];
    private int size;

    /** Address at which the first byte will be executed. */
    private long origin;

    private int base;
    private int index;
    private int scale;
    private int disp;
    private boolean gs;

    /** Bytes of the instruction after its memory operand. */
    private int trailing;

    /** Begins anew, for code that will lie at an address. */
    void begin(long address) {
        size = 0;
        origin = address;
    }

    int size() {
        return size;
    }

    byte[] buffer() {
        return code;
    }

    /** Where the next byte will be executed. */
    long here() {
        return origin + size;
    }

    // Raw bytes

    void emit(int value) {
        if (size == code.length) {
            code = Arrays.copyOf(code, 2 * size);
        }
        code[size++] = (byte) value;
    }

    /** One instruction of 0 to 3 bytes that does nothing. */
    void nop(int bytes) {
        switch (bytes) {
            case 0 -> {}
            case 1 -> emit(0x90);
            case 2 -> {
                emit(0x66);
                emit(0x90);
            }
            case 3 -> {
                emit(0x0f);
                emit(0x1f);
                emit(0x00);
            }
            default -> throw new IllegalArgumentException("A NOP of %d bytes".formatted(bytes));
        }
    }

    /** The same, before what has been emitted from a place on, which must not refer to places. */
    void insertNop(int at, int bytes) {
        int moved = size - at;
        nop(bytes);
        byte[] nop = Arrays.copyOfRange(code, size - bytes, size);
        System.arraycopy(code, at, code, at + bytes, moved);
        System.arraycopy(nop, 0, code, at, bytes);
    }

    void emit32(int value) {
        emit(value);
        emit(value >> 8);
        emit(value >> 16);
        emit(value >> 24);
    }

    void emit64(long value) {
        emit32((int) value);
        emit32((int) (value >>> 32));
    }

    /** {@code count} bytes of an immediate. */
    void immediate(long value, int count) {
        for (int n = 0; n < count; n++) {
            emit((int) (value >>> 8 * n));
        }
    }

    void put32(int at, int value) {
        code[at] = (byte) value;
        code[at + 1] = (byte) (value >> 8);
        code[at + 2] = (byte) (value >> 16);
        code[at + 3] = (byte) (value >> 24);
    }

    void put8(int at, int value) {
        code[at] = (byte) value;
    }

    // Memory operands

    void mem(int newBase, int newDisp) {
        mem(newBase, NONE, 0, newDisp);
    }

    /**
     * @param newIndex not RSP
     * @param newScale log2 of the factor
     */
    void mem(int newBase, int newIndex, int newScale, int newDisp) {
        base = newBase;
        index = newIndex;
        scale = newScale;
        disp = newDisp;
        gs = false;
    }

    /** A field of the processor block. */
    void memState(int offset) {
        memState(offset, 0);
    }

    /** A field of the processor block, for an instruction that ends with an immediate. */
    void memState(int offset, int immediateBytes) {
        mem(NONE, NONE, 0, offset);
        gs = true;
        trailing = immediateBytes;
    }

    /** An element of a table in the processor block. */
    void memState(int newIndex, int newScale, int offset) {
        if (newScale == 0) {
            mem(newIndex, NONE, 0, offset);
        } else {
            mem(NONE, newIndex, newScale, offset);
        }
        gs = true;
    }

    // Instructions with a ModRM byte

    /**
     * Two registers.
     *
     * @param prefix 66h, F2h, F3h, F0h or 0
     * @param wide REX.W
     * @param bytes registers 4 to 7 mean SPL to DIL
     */
    void op(int prefix, boolean wide, int map, int opcode, int reg, int rm, boolean bytes) {
        if (prefix != 0) {
            emit(prefix);
        }
        int rex = (wide ? 8 : 0) | (reg & 8) >> 1 | (rm & 8) >> 3;
        if (rex != 0 || bytes && (reg >= 4 || rm >= 4)) {
            emit(0x40 | rex);
        }
        opcode(map, opcode);
        emit(0xc0 | (reg & 7) << 3 | rm & 7);
    }

    void op(boolean wide, int opcode, int reg, int rm) {
        op(0, wide, MAP_1, opcode, reg, rm, false);
    }

    /** A register, or opcode extension, and the memory operand set up before. */
    void opMem(int prefix, boolean wide, int map, int opcode, int reg, boolean bytes) {
        if (gs) {
            emit(GS);
        }
        if (prefix != 0) {
            emit(prefix);
        }
        int rex = (wide ? 8 : 0) | (reg & 8) >> 1 | indexAndBaseBits();
        if (rex != 0 || bytes && reg >= 4) {
            emit(0x40 | rex);
        }
        opcode(map, opcode);
        modrmMem(reg);
    }

    void opMem(boolean wide, int opcode, int reg) {
        opMem(0, wide, MAP_1, opcode, reg, false);
    }

    /**
     * A VEX-encoded instruction on registers.
     *
     * @param pp 0 none, 1 66h, 2 F3h, 3 F2h
     */
    void vex(int pp, int map, boolean wide, boolean is256, int opcode, int reg, int vvvv, int rm) {
        vexPrefix(pp, map, wide, is256, (reg & 8) >> 1 | (rm & 8) >> 3, vvvv);
        emit(opcode);
        emit(0xc0 | (reg & 7) << 3 | rm & 7);
    }

    void vexMem(int pp, int map, boolean wide, boolean is256, int opcode, int reg, int vvvv) {
        if (gs) {
            emit(GS);
        }
        vexPrefix(pp, map, wide, is256, (reg & 8) >> 1 | indexAndBaseBits(), vvvv);
        emit(opcode);
        modrmMem(reg);
    }

    private void vexPrefix(int pp, int map, boolean wide, boolean is256, int rxb, int vvvv) {
        emit(0xc4);
        emit((~rxb & 7) << 5 | map);
        emit((wide ? 0x80 : 0) | (~vvvv & 15) << 3 | (is256 ? 4 : 0) | pp);
    }

    private int indexAndBaseBits() {
        return (index >= 8 ? 2 : 0) | (base >= 8 ? 1 : 0);
    }

    private void opcode(int map, int opcode) {
        if (map != MAP_1) {
            emit(0x0f);
            if (map == MAP_0F38) {
                emit(0x38);
            } else if (map == MAP_0F3A) {
                emit(0x3a);
            }
        }
        emit(opcode);
    }

    /** ModRM and what belongs to it for the memory operand set up before. */
    void modrmMem(int reg) {
        int r = (reg & 7) << 3;
        if (base == NONE) {
            if (gs && index == NONE && isNearInstructions()) {
                emit(r | 5);
                emit32(disp - (int) here() - 4 - trailing);
                return;
            }
            emit(r | 4);
            emit(scale << 6 | (index == NONE ? 4 : index & 7) << 3 | 5);
            emit32(disp);
            return;
        }
        int mod = disp == 0 && (base & 7) != RBP ? 0 : (byte) disp == disp ? 0x40 : 0x80;
        if (index != NONE || (base & 7) == RSP) {
            emit(mod | r | 4);
            emit(scale << 6 | (index == NONE ? 4 : index & 7) << 3 | base & 7);
        } else {
            emit(mod | r | base & 7);
        }
        if (mod == 0x40) {
            emit(disp);
        } else if (mod == 0x80) {
            emit32(disp);
        }
    }

    /**
     * Whether a field can be named relative to the instruction pointer, for which code has to lie
     * in the lowest 2 GiB. That form is a byte shorter, and processors pass what is stored by it to
     * a load of the same field without delay, which they do not do for absolute addresses (1 cycle
     * against 8 on the processor that it was measured with).
     */
    private boolean isNearInstructions() {
        return disp - here() - 4 - trailing - 1 >= Integer.MIN_VALUE;
    }

    // What the translator writes itself. 64-bit operands unless the name ends in 32 or 8.

    void mov(int to, int from) {
        op(true, 0x89, from, to);
    }

    void mov32(int to, int from) {
        op(false, 0x89, from, to);
    }

    void movImm32(int to, int value) {
        if (to >= 8) {
            emit(0x41);
        }
        emit(0xb8 | to & 7);
        emit32(value);
    }

    void movImm64(int to, long value) {
        if (value >>> 32 == 0) {
            movImm32(to, (int) value);
        } else if ((int) value == value) {
            op(true, 0xc7, 0, to);
            emit32((int) value);
        } else {
            emit(to >= 8 ? 0x49 : 0x48);
            emit(0xb8 | to & 7);
            emit64(value);
        }
    }

    void loadMem(int to) {
        opMem(true, 0x8b, to);
    }

    void storeMem(int from) {
        opMem(true, 0x89, from);
    }

    void leaMem(int to) {
        opMem(true, 0x8d, to);
    }

    void lea(int to, int from, int displacement) {
        mem(from, displacement);
        leaMem(to);
    }

    /** to = a + b, flags untouched. */
    void leaSum(int to, int a, int b, int displacement) {
        mem(a, b, 0, displacement);
        leaMem(to);
    }

    void loadState(int to, int offset) {
        memState(offset);
        loadMem(to);
    }

    void loadState32(int to, int offset) {
        memState(offset);
        opMem(false, 0x8b, to);
    }

    void storeState(int offset, int from) {
        memState(offset);
        storeMem(from);
    }

    void storeState32(int offset, int from) {
        memState(offset);
        opMem(false, 0x89, from);
    }

    void storeStateImm32(int offset, int value) {
        memState(offset, 4);
        opMem(false, 0xc7, 0);
        emit32(value);
    }

    /** An arithmetic instruction with an immediate: 0 add, 1 or, 4 and, 5 sub, 6 xor, 7 cmp. */
    void aluImm(boolean wide, int operation, int register, int value) {
        if ((byte) value == value) {
            op(wide, 0x83, operation, register);
            emit(value);
        } else {
            op(wide, 0x81, operation, register);
            emit32(value);
        }
    }

    /** The same on 32 bits in memory, with an immediate of a byte. */
    void aluMemImm8(int operation, int value) {
        opMem(false, 0x83, operation);
        emit(value);
    }

    void testImm(boolean wide, int register, int value) {
        op(wide, 0xf7, 0, register);
        emit32(value);
    }

    /** Rotates right without touching flags. */
    void rorx32(int to, int from, int count) {
        vex(3, MAP_0F3A, false, false, 0xf0, to, 0, from);
        emit(count);
    }

    /** The lower 16 bits, without touching flags. */
    void movzx16(int to, int from) {
        op(0, false, MAP_0F, 0xb7, to, from, false);
    }

    /** Gathers the bits of {@code from} that a mask in the processor block selects; no flags. */
    void pextState(int to, int from, int maskOffset) {
        memState(maskOffset);
        vexMem(2, MAP_0F38, true, false, 0xf5, to, from);
    }

    /** Spreads bits to the places that a mask in the processor block selects; no flags. */
    void pdepState(int to, int from, int maskOffset) {
        memState(maskOffset);
        vexMem(3, MAP_0F38, true, false, 0xf5, to, from);
    }

    // Jumps

    /** To an address; its displacement stands in the last four bytes. */
    void jmp(long target) {
        emit(0xe9);
        emit32(Math.toIntExact(target - here() - 4));
    }

    void call(long target) {
        emit(0xe8);
        emit32(Math.toIntExact(target - here() - 4));
    }

    /** A call ahead; the result goes to {@link #bind32}. */
    int callAhead() {
        emit(0xe8);
        emit32(0);
        return size - 4;
    }

    /** A jump ahead; the result goes to {@link #bind32}. */
    int jmpAhead() {
        emit(0xe9);
        emit32(0);
        return size - 4;
    }

    int jccAhead(int condition) {
        emit(0x0f);
        emit(0x80 | condition);
        emit32(0);
        return size - 4;
    }

    /** A short jump ahead on a condition; the result goes to {@link #bind8}. */
    int jccShortAhead(int condition) {
        emit(0x70 | condition);
        emit(0);
        return size - 1;
    }

    /** A short jump ahead if RCX is 0; no flags touched. */
    int jrcxzAhead() {
        emit(0xe3);
        emit(0);
        return size - 1;
    }

    /**
     * A jump ahead if RCX is 0, of which nothing but JRCXZ and a NOP is executed if not; no flags
     * touched. The result goes to {@link #bind32}.
     */
    int jrcxzFarAhead() {
        emit(0xe3);
        return jmpInNop();
    }

    /** The same if RCX is not 1, by LOOP, which makes it 0 otherwise. */
    int loopFarAhead() {
        emit(0xe2);
        return jmpInNop();
    }

    /** Short jumps reach 127 bytes: they go to a jump that is the end of the NOP behind them. */
    private int jmpInNop() {
        emit(3);
        emit(0x0f); // nop [rcx + rbp * 8 + displacement]: the SIB byte is the jump's opcode
        emit(0x1f);
        emit(0x84);
        return jmpAhead();
    }

    void bind32(int at) {
        put32(at, size - at - 4);
    }

    void bind8(int at) {
        int distance = size - at - 1;
        if ((byte) distance != distance) {
            throw new IllegalStateException("Too far for a short jump: " + distance);
        }
        put8(at, distance);
    }

    /** Calls where the memory operand points. */
    void callMem() {
        opMem(false, 0xff, 2);
    }

    /** Jumps to where the memory operand points. */
    void jmpMem() {
        opMem(false, 0xff, 4);
    }
}
