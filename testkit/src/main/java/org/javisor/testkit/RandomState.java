package org.javisor.testkit;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Decoder;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * The state in which an instruction is to be compared, made from a seed: registers and memory
 * random, addresses such that memory operands lie in the operand memory. Its first {@link
 * #WRITABLE_PAGES} pages can be written, one more only read, the one after that not reached.
 */
final class RandomState {
    static final int WRITABLE_PAGES = 4, PAGE = 4096;

    /** Bytes of operand memory that the instructions can see. */
    static final int WINDOW = (WRITABLE_PAGES + 1) * PAGE;

    private static final int RAX = 0, RCX = 1, RDX = 2, RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7;
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;
    private static final int FLAGS = 0x8d5;

    private final Random random;
    private final InterestingValues values;
    private final long codeAddress;
    private final long dataAddress;
    private final MemorySegment memory;
    private final UserState state;
    private final boolean as32;

    /** The code, its absolute addresses filled in. */
    private final byte[] code;

    /** Whether absolute addresses are still to be filled in. */
    private final boolean addressesOpen;

    private final Instruction i;

    /**
     * @param memory the operand memory's window, changed
     * @param state changed
     * @param addressesOpen whether absolute addresses in the code may be chosen; else they lead
     *     where an earlier choice led
     */
    RandomState(
            long seed,
            byte[] code,
            long codeAddress,
            long dataAddress,
            MemorySegment memory,
            UserState state,
            boolean as32,
            boolean addressesOpen) {
        this.random = new Random(seed);
        this.values = new InterestingValues(random);
        this.codeAddress = codeAddress;
        this.dataAddress = dataAddress;
        this.memory = memory;
        this.state = state;
        this.as32 = as32;
        this.addressesOpen = addressesOpen;
        this.code = code.clone();
        this.i = decode(this.code, as32);
    }

    static Instruction decode(byte[] code, boolean as32) {
        byte[] padded = java.util.Arrays.copyOf(code, Math.max(code.length, Decoder.MAX_LENGTH));
        return new Decoder()
                .decode(padded, 0, padded.length, as32 ? CodeSize.BITS32 : CodeSize.BITS64);
    }

    byte[] code() {
        return code;
    }

    /** Where the memory operand lies in the operand memory, or -1 if there is none. */
    long make() {
        randomRegisters();
        long at = -1;
        if (i.hasMemory() && (i.memorySize != 0 || random.nextBoolean())) {
            at = offset(i.memorySize);
            at = i.op == Op.ARPL ? 512 + random.nextInt(1024) : aligned(at);
            if (usesStack(i) && i.base == RSP) {
                at = state.gpr[RSP] - dataAddress + i.disp + (i.op == Op.POP ? i.operandSize : 0);
            } else {
                at = aim(at);
            }
            fill(at, Math.max(i.memorySize, 8));
        }
        adjust(at);
        return at;
    }

    /** For a sequence of {@link RandomProgram}: its two base registers, exceptions masked. */
    void makeForProgram() {
        randomRegisters();
        state.gpr[RandomProgram.BASE] = dataAddress;
        state.gpr[RSP] = dataAddress + RandomProgram.STACK + 8 * random.nextInt(64);
        ByteBuffer fpu = ByteBuffer.wrap(state.fpu).order(ByteOrder.LITTLE_ENDIAN);
        fpu.putShort(0, (short) (fpu.getShort(0) | 0x7f));
        fpu.putShort(2, (short) (fpu.getShort(2) & 0x7f7f));
        fpu.putInt(24, fpu.getInt(24) | 0x1f80);
    }

    /** Whether RSP is an operand of its own and cannot be aimed elsewhere. */
    static boolean usesStack(Instruction i) {
        return i.op == Op.PUSH || i.op == Op.POP || i.op == Op.CALL;
    }

    private void randomRegisters() {
        for (int n = 0; n < 16; n++) {
            state.gpr[n] = values.integer();
        }
        // What is not aimed at must not hit the host's memory.
        state.gpr[RSP] = dataAddress + offset(64);
        state.flags = random.nextInt() & FLAGS | 0x202;
        state.fsBase = as32 ? 0 : dataAddress + random.nextInt(PAGE);
        state.gsBase = as32 ? 0 : dataAddress + random.nextInt(PAGE) - 0x40000000L;
        ByteBuffer fpu = ByteBuffer.wrap(state.fpu).order(ByteOrder.LITTLE_ENDIAN);
        java.util.Arrays.fill(state.fpu, (byte) 0);
        fillFpu(fpu);
        for (int n = 0; n < (as32 ? 16 : 32) && random.nextInt(8) != 0; n++) {
            fpu.putLong(UserState.YMM + 8 * n, values.vector());
        }
        if (as32) {
            for (int n = 0; n < 16; n++) {
                state.gpr[n] = n < 8 ? state.gpr[n] & 0xffffffffL : 0;
            }
        }
    }

    private void fillFpu(ByteBuffer fpu) {
        boolean unmasked = random.nextInt(8) == 0;
        int control = 0x7f | random.nextInt(4) << 10;
        control |= random.nextInt(3) == 0 ? random.nextInt(4) << 8 : 0x300;
        fpu.putShort(0, (short) (unmasked ? control & ~random.nextInt(64) : control));
        // Exception flags without their summary bit would be an impossible state.
        int exceptions = random.nextInt(4) == 0 ? random.nextInt(64) : 0;
        int top = random.nextInt(8);
        int pending = exceptions & ~fpu.getShort(0) & 0x3f;
        int summary = pending != 0 ? 0x8080 : 0;
        int conditions = random.nextInt() & 0x4700;
        fpu.putShort(2, (short) (top << 11 | conditions | exceptions | summary));
        fpu.put(4, (byte) (random.nextBoolean() ? 0xff : random.nextInt(256)));
        int mxcsr = 0x1f80;
        if (random.nextBoolean()) {
            mxcsr |= random.nextInt(4) << 13 | random.nextInt(64);
            mxcsr |= random.nextInt(3) == 0 ? 0x40 : 0;
            mxcsr |= random.nextInt(3) == 0 ? 0x8000 : 0;
        }
        fpu.putInt(24, unmasked ? mxcsr & ~(random.nextInt(64) << 7) : mxcsr);
        for (int n = 0; n < 8; n++) {
            boolean mmx = random.nextInt(4) == 0;
            fpu.putLong(32 + 16 * n, mmx ? values.vector() : values.extendedSignificand());
            fpu.putShort(40 + 16 * n, (short) (mmx ? 0xffff : values.extendedExponent()));
        }
        for (int n = 0; n < 32; n++) {
            fpu.putLong(160 + 8 * n, values.vector());
        }
        if (as32) {
            for (int n = 16; n < 32; n++) {
                fpu.putLong(160 + 8 * n, 0);
            }
        }
    }

    /** An offset in the window for so many bytes: mostly inside, sometimes over a border. */
    private long offset(int size) {
        int span = Math.max(size, 1);
        int border = PAGE * random.nextInt(1, WRITABLE_PAGES + 2);
        int at =
                switch (random.nextInt(8)) {
                    case 0 -> border - random.nextInt(span + 1);
                    case 1, 2 -> 512 + random.nextInt(WRITABLE_PAGES * PAGE - 1536);
                    default -> 512 + random.nextInt(WRITABLE_PAGES * 64 - 24) * 64;
                };
        boolean always = at + span > WINDOW && random.nextInt(4) != 0;
        return always ? WINDOW - span : at;
    }

    /**
     * AMD's processors do not insist on the alignment that the SHA instructions demand of Intel's.
     */
    private long aligned(long at) {
        return isSha() ? at & -16 : at;
    }

    private boolean isSha() {
        return i.op.compareTo(Op.SHA1RNDS4) >= 0 && i.op.compareTo(Op.SHA256MSG2) <= 0;
    }

    private void fill(long at, int size) {
        for (int n = 0; n < size; n += 8) {
            store(at + n, values.vector());
        }
    }

    /** Writes what the guest may write; the rest of the window keeps its zeros. */
    private void store(long at, long value) {
        if (at >= 0 && at + 8 <= WRITABLE_PAGES * PAGE) {
            memory.set(LONG, at, value);
        } else {
            for (int n = 0; n < 8; n++) {
                if (at + n >= 0 && at + n < WRITABLE_PAGES * PAGE) {
                    memory.set(ValueLayout.JAVA_BYTE, at + n, (byte) (value >> 8 * n));
                }
            }
        }
    }

    /**
     * Sets registers, segment bases or the displacement such that the memory operand lies at an
     * offset in the operand memory.
     *
     * @return where it lies indeed
     */
    private long aim(long at) {
        if ((i.flags & Instruction.VSIB) != 0) {
            aimVector(dataAddress + at - segmentBase());
            return at;
        }
        boolean absolute = i.base == Instruction.RIP || i.base < 0;
        if (absolute) {
            return addressesOpen ? chooseAddress(at) : aimSegment(at);
        }
        long target = dataAddress + at - segmentBase();
        if (i.index >= 0 && i.index != i.base) {
            boolean small = i.addressSize == 8 && random.nextBoolean();
            state.gpr[i.index] = small ? random.nextInt(-4096, 4096) : state.gpr[i.index];
            setAddress(i.base, target - i.disp - (state.gpr[i.index] << i.scale));
        } else if (i.index >= 0) {
            long factor = 1 + (1L << i.scale);
            setAddress(i.base, Math.floorDiv(target - i.disp, factor));
            long address = state.gpr[i.base] + (state.gpr[i.base] << i.scale) + i.disp;
            address = i.addressSize == 4 ? address & 0xffffffffL : address;
            return address + segmentBase() - dataAddress;
        } else {
            setAddress(i.base, target - i.disp);
        }
        return at;
    }

    private long chooseAddress(long at) {
        long target = dataAddress + at - segmentBase();
        if (i.base == Instruction.RIP) {
            patchDisplacement(target - (codeAddress + i.length));
        } else if (i.index < 0) {
            patchDisplacement(target);
        } else {
            // The index alone: what its factor cannot reach the displacement must.
            state.gpr[i.index] = smallIndex();
            patchDisplacement(target - (state.gpr[i.index] << i.scale));
        }
        return at;
    }

    /** The address is the code's: only a segment base can still move it. */
    private long aimSegment(long at) {
        long address = i.disp;
        if (i.base == Instruction.RIP) {
            address += codeAddress + i.length;
        } else if (i.index >= 0) {
            state.gpr[i.index] = smallIndex();
            address += state.gpr[i.index] << i.scale;
        }
        address = i.addressSize == 4 ? address & 0xffffffffL : address;
        if (i.segment == 4) {
            state.fsBase = dataAddress + at - address;
        } else if (i.segment == 5) {
            state.gsBase = dataAddress + at - address;
        }
        return address + segmentBase() - dataAddress;
    }

    /** None where {@link #aligned} counts. */
    private long smallIndex() {
        return isSha() ? 0 : random.nextInt(16);
    }

    /** The address plus small indices, which lead upwards now and then to where nothing is. */
    private void aimVector(long target) {
        setAddress(i.base, target - i.disp);
        boolean quadwords =
                switch (i.op) {
                    case VPGATHERQD, VPGATHERQQ, VGATHERQPS, VGATHERQPD -> true;
                    default -> false;
                };
        int reach = random.nextInt(8) == 0 ? WINDOW : 400;
        ByteBuffer fpu = ByteBuffer.wrap(state.fpu).order(ByteOrder.LITTLE_ENDIAN);
        for (int n = 0; n < 8; n++) {
            int index = random.nextInt(-400, reach) >> i.scale;
            int at = (n < 4 ? 160 : UserState.YMM - 16) + 16 * i.index + 4 * n;
            fpu.putInt(at, quadwords && (n & 1) != 0 ? fpu.getInt(at - 4) >> 31 : index);
        }
    }

    private void setAddress(int register, long value) {
        boolean cut = i.addressSize == 4 && !as32;
        long upper = cut ? random.nextLong() << 32 : 0;
        state.gpr[register] = i.addressSize == 4 ? value & 0xffffffffL | upper : value;
    }

    private void patchDisplacement(long value) {
        for (int at = 1; at < i.length; at++) {
            byte old = code[at];
            code[at] ^= 1;
            Instruction other = decode(code, as32);
            boolean here =
                    other.op == i.op && other.length == i.length && (other.disp ^ i.disp) == 1;
            code[at] = old;
            if (here) {
                // MOV with the whole address in the instruction has eight bytes of it.
                boolean whole = i.base < 0 && i.index < 0 && i.addressSize == 8;
                int size = whole && i.op == Op.MOV && i.length - at == 8 ? 8 : 4;
                for (int n = 0; n < Math.min(size, i.length - at); n++) {
                    code[at + n] = (byte) (value >> 8 * n);
                }
                return;
            }
        }
    }

    // What single instructions need beyond that

    private void adjust(long at) {
        switch (i.op) {
            case BT, BTS, BTR, BTC -> aimBits(at);
            case MOVS, CMPS, STOS, LODS, SCAS, INS, OUTS -> adjustString();
            case PUSH, CALL, PUSHF, PUSHA -> {}
            case POP, RET, POPF -> adjustStackTop();
            // Which of the eight registers comes first is the implementation's choice.
            case POPA -> state.gpr[RSP] = dataAddress + 512 + random.nextInt(PAGE);
            case ENTER, LEAVE -> adjustFrame();
            case XLAT -> setAddress(RBX, dataAddress + offset(1) - (state.gpr[RAX] & 0xff));
            // Whether bytes that are not stored can fault is the implementation's choice.
            case MASKMOVQ, MASKMOVDQU -> setAddress(RDI, dataAddress + 4000 + random.nextInt(200));
            case CMPXCHG, CMPXCHG8B, CMPXCHG16B -> adjustCompare(at);
            case DIV, IDIV -> adjustDividend();
            case ROL, ROR, RCL, RCR, SHL, SHR, SAR, SHLD, SHRD -> {}
            case JMP -> adjustTarget(at);
            case LOOP, LOOPE, LOOPNE, JCXZ -> adjustCount();
            // Bit 17 exists on AMD's processors only.
            case LDMXCSR -> limit(at, random.nextInt(8) == 0 ? 0xfffdffff : 0xffff);
            case FXRSTOR -> areaImage(at, false);
            case XRSTOR, XSAVE, XSAVEC -> areaImage(at, true);
            case FBLD -> decimal(at);
            case FLDENV, FRSTOR -> {}
            case MOV -> adjustSelector(at);
            case LAR, LSL, VERR, VERW -> adjustSelector(at);
            case PCMPESTRI, PCMPESTRM -> adjustLengths();
            case WRFSBASE, WRGSBASE -> {}
            default -> {}
        }
        if (i.op == Op.CALL && i.kind0 != Instruction.REL) {
            adjustTarget(at);
        }
        if (i.op == Op.FLD && i.memorySize == 10) {
            extended(at);
        }
    }

    private void aimBits(long at) {
        if (at < 0 || i.kind1 != Instruction.GPR) {
            return;
        }
        long bits = random.nextInt(-4096, 4096);
        long upper = i.operandSize == 8 ? 0 : state.gpr[i.reg1] & ~((1L << 8 * i.operandSize) - 1);
        state.gpr[i.reg1] =
                i.operandSize == 8 ? bits : upper | bits & (1L << 8 * i.operandSize) - 1;
    }

    private void adjustString() {
        int size = i.operandSize;
        int count = random.nextInt(8) == 0 ? random.nextInt(600) : random.nextInt(40);
        // Beyond the operand memory there is the stub's own.
        count = Math.min(count, 1500 / size);
        boolean down = random.nextInt(4) == 0;
        state.flags = down ? state.flags | 0x400 : state.flags;
        int span = count * size;
        long from = stringOffset(span, down);
        long to =
                random.nextInt(4) == 0 ? from + random.nextInt(-24, 25) : stringOffset(span, down);
        setAddress(RSI, dataAddress + from - segmentBase());
        setAddress(RDI, dataAddress + to);
        if (i.repeated()) {
            // Whether a count of 0 is looked at before the permission to use ports differs.
            count = i.op == Op.INS || i.op == Op.OUTS ? count | 1 : count;
            boolean upper = i.addressSize == 4 && !as32;
            state.gpr[RCX] = upper ? random.nextLong() << 32 | count : count;
        }
        boolean compares = i.op == Op.CMPS || i.op == Op.SCAS;
        if (compares && random.nextInt(4) != 0) {
            long value = random.nextInt(3) * 0x0101010101010101L;
            state.gpr[RAX] = value;
            int begin = down ? -span : 0;
            for (int n = 0; n < span; n += 8) {
                store(from + begin + n, random.nextInt(24) == 0 ? value ^ 0x100 : value);
                store(to + begin + n, random.nextInt(24) == 0 ? value ^ 0x10000 : value);
            }
        }
    }

    private long segmentBase() {
        return i.segment == 4 ? state.fsBase : i.segment == 5 ? state.gsBase : 0;
    }

    private long stringOffset(int span, boolean down) {
        int room = WRITABLE_PAGES * PAGE - span;
        boolean overBorder = random.nextInt(8) == 0;
        int low =
                overBorder
                        ? PAGE * random.nextInt(1, WRITABLE_PAGES + 1) - random.nextInt(span + 1)
                        : 512 + random.nextInt(Math.max(room - 1024, 1));
        return down ? low + span : low;
    }

    private void adjustStackTop() {
        long at = state.gpr[RSP] - dataAddress;
        fill(at, 64);
        if (i.op == Op.RET) {
            store(at, codeAddress + code.length);
        } else if (i.op == Op.POPF) {
            store(at, random.nextInt() & (FLAGS | 0x400));
        }
    }

    private void adjustFrame() {
        state.gpr[RSP] = dataAddress + 0x1000 + random.nextInt(0x1000);
        state.gpr[RBP] = dataAddress + 0x1000 + random.nextInt(0x1000);
    }

    private void adjustCompare(long at) {
        if (random.nextBoolean() || at < 0 || at + 16 > WINDOW) {
            return;
        }
        long low = memory.get(LONG, at);
        state.gpr[RAX] = low;
        if (i.op == Op.CMPXCHG16B) {
            state.gpr[RDX] = memory.get(LONG, at + 8);
        } else if (i.op == Op.CMPXCHG8B) {
            state.gpr[RAX] = low & 0xffffffffL | random.nextLong() << 32;
            state.gpr[RDX] = low >>> 32 | random.nextLong() << 32;
        }
        if (as32) {
            state.gpr[RAX] &= 0xffffffffL;
            state.gpr[RDX] &= 0xffffffffL;
        }
    }

    private void adjustDividend() {
        if (random.nextInt(4) != 0) {
            state.gpr[RDX] = random.nextBoolean() || as32 ? 0 : random.nextInt(-2, 3);
        }
    }

    /** An indirect branch ends where the code ends. */
    private void adjustTarget(long at) {
        long end = codeAddress + code.length;
        if (i.kind0 == Instruction.MEM && at >= 0) {
            store(at, end);
        } else if (i.kind0 == Instruction.GPR) {
            state.gpr[i.reg0] = end;
        }
    }

    private void adjustCount() {
        state.gpr[RCX] = random.nextInt(4) + (random.nextInt(4) == 0 && !as32 ? 1L << 32 : 0);
    }

    private void limit(long at, int mask) {
        if (at >= 0 && at + 8 <= WINDOW) {
            store(at, memory.get(LONG, at) & mask);
        }
    }

    private void areaImage(long at, boolean extended) {
        if (extended) {
            // Only the components that the guest has too.
            state.gpr[RAX] = random.nextInt(4);
            state.gpr[RDX] = 0;
        }
        if (at < 0 || at + 576 > WRITABLE_PAGES * PAGE) {
            return;
        }
        byte[] image = new byte[576];
        ByteBuffer buffer = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        fillFpu(buffer);
        buffer.putLong(512, random.nextInt(4));
        MemorySegment.copy(image, 0, memory, ValueLayout.JAVA_BYTE, at, extended ? 576 : 512);
    }

    private void decimal(long at) {
        store(at, values.packedDecimal());
        if (at + 10 <= WRITABLE_PAGES * PAGE && at >= 0) {
            memory.set(
                    ValueLayout.JAVA_BYTE,
                    at + 8,
                    (byte) (random.nextInt(10) << 4 | random.nextInt(10)));
            memory.set(ValueLayout.JAVA_BYTE, at + 9, (byte) (random.nextInt(2) << 7));
        }
    }

    private void extended(long at) {
        store(at, values.extendedSignificand());
        if (at + 10 <= WRITABLE_PAGES * PAGE) {
            memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, at + 8, (short) values.extendedExponent());
        }
    }

    private static final int[] SELECTORS = {0, 0x2b, 0x2b, 0x23, 0x33, 0x10, 0x18, 0x2a, 3};

    private void adjustSelector(long at) {
        boolean loads = i.op != Op.MOV || i.kind0 == Instruction.SEG;
        if (!loads) {
            return;
        }
        int selector = SELECTORS[random.nextInt(SELECTORS.length)];
        int operand = i.op == Op.VERR || i.op == Op.VERW ? i.kind0 : i.kind1;
        int register = i.op == Op.VERR || i.op == Op.VERW ? i.reg0 : i.reg1;
        if (operand == Instruction.GPR) {
            state.gpr[register] = state.gpr[register] & ~0xffffL | selector;
        } else if (at >= 0) {
            store(at, selector);
        }
    }

    private void adjustLengths() {
        if (random.nextInt(4) != 0) {
            state.gpr[RAX] = random.nextInt(-20, 20);
            state.gpr[RDX] = random.nextInt(-20, 20);
        }
    }
}
