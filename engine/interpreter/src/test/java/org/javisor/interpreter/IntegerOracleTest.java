package org.javisor.interpreter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.javisor.memory.RawMemory;
import org.javisor.testkit.HostProcessor;
import org.javisor.x86.CodeSize;
import org.junit.jupiter.api.Test;

/**
 * Runs every form of the integer instructions with random operands on the host's processor and in
 * the interpreter, and compares registers, flags and memory. Replay with {@code -Djavisor.seed=};
 * {@code -Djavisor.rounds=} sets how often each form runs.
 */
class IntegerOracleTest {
    private static final long SEED = Long.getLong("javisor.seed", 20260101L);
    private static final int ROUNDS = Integer.getInteger("javisor.rounds", 400);

    /** Operands lie around this offset; what is compared reaches 8 KiB to both sides. */
    private static final long MIDDLE = 0x18000;

    private static final long WINDOW = 0x2000;
    private static final long TOP_OF_STACK = MIDDLE + 0x800;

    /** Of the four ways to address memory, the one with an index register. */
    private static final int INDEXED = 2;

    private static final long[] INTERESTING = {
        0,
        1,
        2,
        3,
        7,
        8,
        9,
        15,
        16,
        31,
        32,
        33,
        63,
        64,
        0x7f,
        0x80,
        0xff,
        0x100,
        0x7fff,
        0x8000,
        0xffff,
        0x7fffffffL,
        0x80000000L,
        0xffffffffL,
        0x100000000L,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        -1,
        -2,
        -128,
        -32768,
        0x5555555555555555L
    };

    private final byte[] code = new byte[64];
    private int length;
    private final long[] before = new long[16];
    private final long[] expected = new long[16];
    private Random random = new Random();
    private int operandSize;
    private boolean memoryOperand;

    /** Address of the operand memory, to which {@link #MIDDLE} is relative. */
    private long data;

    private int rm;
    private long target;
    private int addressRegisters;
    private boolean highByte;
    private boolean repeated;
    private int shiftCount;

    @Test
    void everyForm_agreesWithTheHostsProcessor_in64BitCode() {
        compareAll(CodeSize.BITS64);
    }

    @Test
    void everyForm_agreesWithTheHostsProcessor_in32BitCode() {
        compareAll(CodeSize.BITS32);
    }

    private void compareAll(CodeSize mode) {
        Optional<HostProcessor> opened = HostProcessor.open();
        assumeTrue(opened.isPresent(), "needs Linux on an x86-64 host");
        long comparisons = 0;
        int forms = 0;
        List<String> differences = new ArrayList<>();
        try (HostProcessor host = opened.orElseThrow();
                BareProcessor guest = new BareProcessor(host.dataAddress())) {
            data = host.dataAddress();
            guest.enter(mode);
            Cpu cpu = guest.cpu;
            cpu.segments.selector[Cpu.SS] = HostProcessor.USER_DS;
            cpu.flags.system |= Flags.IF;
            fillMemory(host, guest);
            String other = mode == CodeSize.BITS64 ? "32" : "64";
            for (IntegerForm form : IntegerForm.all()) {
                if (form.is(other)) {
                    continue;
                }
                forms++;
                for (int round = 0; round < ROUNDS; round++) {
                    long seed = SEED * 31 + form.toString().hashCode() * 1_000_003L + round;
                    random = new Random(seed);
                    String difference = compare(host, guest, form, mode);
                    comparisons++;
                    if (!difference.isEmpty()) {
                        differences.add(difference);
                        fillMemory(host, guest);
                        break;
                    }
                }
            }
        }
        System.out.println(
                mode + ": " + forms + " forms, " + comparisons + " comparisons, seed " + SEED);
        assertThat(differences).isEmpty();
    }

    private void fillMemory(HostProcessor host, BareProcessor guest) {
        Random content = new Random(SEED);
        for (long at = 0; at < HostProcessor.DATA_SIZE; at += 8) {
            long value = content.nextInt(3) == 0 ? 0 : content.nextLong();
            host.data().set(ValueLayout.JAVA_LONG, at, value);
            guest.memory.write64(data + at, value);
        }
    }

    /** Empty if both agree. */
    private String compare(
            HostProcessor host, BareProcessor guest, IntegerForm form, CodeSize mode) {
        Cpu cpu = guest.cpu;
        long flags = random.nextInt() & Flags.ARITHMETIC | 0x202;
        if (form.is("string") && random.nextInt(4) == 0) {
            flags |= Flags.DF;
        }
        do {
            prepare(form, mode, guest);
        } while (undefinedResult(form));
        boolean wide = mode == CodeSize.BITS64;
        if (!wide) {
            for (int n = 0; n < 16; n++) {
                before[n] = n < 8 ? before[n] & 0xffffffffL : 0;
            }
        }
        System.arraycopy(before, 0, cpu.gpr, 0, 16);
        System.arraycopy(before, 0, expected, 0, 16);
        cpu.flags.setValue(flags);
        boolean fault = form.is("divide") && divideFaults(guest, form);
        try {
            guest.run(host.codeAddress(), code, length);
        } catch (GuestFault f) {
            boolean same = fault && f.vector == GuestFault.DE && Arrays.equals(cpu.gpr, before);
            return same ? "" : describe(form, flags) + "unexpected " + f.getMessage();
        }
        if (fault) {
            return describe(form, flags) + "no divide error";
        }
        long theirFlags =
                wide
                        ? host.run(code, length, expected, flags)
                        : host.run32(code, length, expected, flags);
        if (!wide) {
            for (int n = 0; n < 16; n++) {
                expected[n] = n < 8 ? expected[n] & 0xffffffffL : 0;
            }
        }
        long ourFlags = cpu.flags.value();
        if (!Arrays.equals(expected, cpu.gpr)) {
            return describe(form, flags)
                    + "registers\n  host "
                    + hex(expected)
                    + "\n  ours "
                    + hex(cpu.gpr);
        }
        if (((theirFlags ^ ourFlags) & ~undefinedFlags(form)) != 0) {
            return describe(form, flags)
                    + "flags, host "
                    + Long.toHexString(theirFlags)
                    + " ours "
                    + Long.toHexString(ourFlags);
        }
        return sameMemory(host, guest) ? "" : describe(form, flags) + "memory";
    }

    private boolean sameMemory(HostProcessor host, BareProcessor guest) {
        MemorySegment theirs = host.data().asSlice(MIDDLE - WINDOW, 2 * WINDOW);
        long ours = guest.memory.hostAddress(data + MIDDLE - WINDOW);
        for (long at = 0; at < 2 * WINDOW; at += 8) {
            if (theirs.get(ValueLayout.JAVA_LONG, at) != RawMemory.getLong(ours + at)) {
                return false;
            }
        }
        return true;
    }

    private String describe(IntegerForm form, long flags) {
        return form
                + ": "
                + HexFormat.of().formatHex(code, 0, length)
                + " flags "
                + Long.toHexString(flags)
                + " seed "
                + SEED
                + "\n  with "
                + hex(before)
                + "\n  ";
    }

    private static String hex(long[] values) {
        StringBuilder text = new StringBuilder();
        for (long value : values) {
            text.append(Long.toHexString(value)).append(' ');
        }
        return text.toString();
    }

    // Operands

    private void prepare(IntegerForm form, CodeSize mode, BareProcessor guest) {
        for (int n = 0; n < 16; n++) {
            before[n] = value();
        }
        before[Cpu.RSP] = data + TOP_OF_STACK;
        if (form.is("string")) {
            before[Cpu.RSI] = pointer();
            before[Cpu.RDI] =
                    random.nextInt(3) == 0 ? before[Cpu.RSI] + random.nextInt(64) - 32 : pointer();
        }
        if (form.is("xlat")) {
            before[Cpu.RBX] = pointer();
        }
        if (form.is("frame")) {
            before[Cpu.RBP] = pointer();
        }
        if (form.name().equals("LOOP")
                || form.name().startsWith("LOOPE")
                || form.name().equals("JCXZ")) {
            before[Cpu.RCX] = random.nextInt(3);
        }
        if (form.is("divide") && random.nextBoolean()) {
            before[Cpu.RDX] = random.nextInt(3) - 1;
        }
        encode(form, mode);
        if (repeated) {
            before[Cpu.RCX] = random.nextInt(3) == 0 ? random.nextInt(800) : random.nextInt(12);
            if (form.name().equals("SCAS") && random.nextBoolean()) {
                before[Cpu.RAX] = 0;
            }
        }
        if (form.name().startsWith("CMPXCHG") && random.nextBoolean()) {
            expectOperand(form, guest);
        }
    }

    /** Lets the comparison of a CMPXCHG succeed. */
    private void expectOperand(IntegerForm form, BareProcessor guest) {
        boolean addressed = (addressRegisters & (1 << Cpu.RAX | 1 << Cpu.RDX)) != 0;
        if (!memoryOperand) {
            before[Cpu.RAX] = before[rm];
        } else if (!addressed) {
            long low = guest.memory.read64(target);
            boolean pair = form.is("wide") && operandSize == 4;
            before[Cpu.RAX] = pair ? low & 0xffffffffL : low;
            before[Cpu.RDX] = pair ? low >>> 32 : guest.memory.read64(target + 8);
        }
    }

    private long value() {
        return switch (random.nextInt(4)) {
            case 0 -> INTERESTING[random.nextInt(INTERESTING.length)];
            case 1 -> random.nextInt(512) - 256;
            default -> random.nextLong() >> (random.nextInt(3) == 0 ? random.nextInt(64) : 0);
        };
    }

    private long pointer() {
        // Often near the end of a page.
        return data
                + MIDDLE
                + (random.nextBoolean() ? random.nextInt(24) - 16 : random.nextInt(0x600) - 0x300);
    }

    private int register(boolean wide) {
        while (true) {
            int number = random.nextInt(wide ? 16 : 8);
            if (number != Cpu.RSP) {
                return number;
            }
        }
    }

    private void put(int b) {
        code[length++] = (byte) b;
    }

    private void putValue(long value, int size) {
        for (int n = 0; n < size; n++) {
            put((int) (value >> 8 * n));
        }
    }

    private void encode(IntegerForm form, CodeSize mode) {
        boolean wide = mode == CodeSize.BITS64;
        length = 0;
        operandSize = size(form, wide);
        int rex = operandSize == 8 && !form.size().equals("s") ? 0x48 : 0;
        boolean modrm = form.modrm().startsWith("/");
        memoryOperand = modrm && !form.is("r") && (form.is("m") || random.nextInt(3) == 0);
        boolean shortAddress =
                wide && (memoryOperand || form.is("string")) && random.nextInt(8) == 0;
        if (memoryOperand && form.is("l") && random.nextInt(3) == 0) {
            put(0xf0);
        }
        if (operandSize == 2) {
            put(0x66);
        }
        if (shortAddress) {
            put(0x67);
        }
        repeated = form.is("string") && random.nextInt(3) != 0;
        if (repeated) {
            put(random.nextBoolean() ? 0xf3 : 0xf2);
        }
        int mandatory = 0;
        if (form.opcode()[0] == 0xf3) {
            put(0xf3);
            mandatory = 1;
        }
        boolean bytes = form.size().equals("b");
        boolean useRex = wide && (rex != 0 || random.nextBoolean());
        boolean inOpcode = form.modrm().equals("+r");
        int reg =
                modrm && form.modrm().equals("/r")
                        ? register(useRex)
                        : modrm ? form.modrm().charAt(1) - '0' : 0;
        do {
            rm = register(useRex);
        } while (form.is("bits") && rm == reg);
        int index;
        do {
            index = register(useRex);
        } while (index == rm || form.is("bits") && index == reg);
        addressRegisters = 0;
        int addressing = random.nextInt(4);
        if (addressing != INDEXED) {
            // Without an index register, REX.X would make one of the SIB byte's "none".
            index &= 7;
        }
        if (useRex && (modrm || inOpcode || rex != 0)) {
            boolean extension = modrm && !form.modrm().equals("/r");
            put(
                    rex
                            | 0x40
                            | (extension ? 0 : reg >> 3 << 2)
                            | (memoryOperand ? index >> 3 << 1 : 0)
                            | (modrm || inOpcode ? rm >> 3 : 0));
        }
        for (int n = mandatory; n < form.opcode().length; n++) {
            boolean last = n == form.opcode().length - 1;
            put(form.opcode()[n] | (last && inOpcode ? rm & 7 : 0));
        }
        // Without REX, byte registers 4 to 7 are AH to BH.
        if (bytes && !useRex && modrm && !memoryOperand && random.nextInt(4) == 0) {
            rm = 4;
        }
        highByte = bytes && !useRex && rm >= 4 && !memoryOperand;
        if (modrm) {
            if (memoryOperand) {
                address(form, reg, index, addressing, wide);
            } else {
                put(0xc0 | (reg & 7) << 3 | rm & 7);
            }
        }
        bitOffset(form, reg);
        immediate(form);
        shiftCount =
                (int) (form.immediate().equals("b") ? code[length - 1] : before[Cpu.RCX])
                        & (operandSize == 8 ? 63 : 31);
        if (form.opcode()[0] == 0xd0 || form.opcode()[0] == 0xd1) {
            shiftCount = 1;
        }
    }

    private int size(IntegerForm form, boolean wide) {
        return switch (form.size()) {
            case "b" -> 1;
            case "v" -> {
                int size = 2 << random.nextInt(wide ? 3 : 2);
                yield form.is("no16") && size == 2 || form.is("wide") && size == 2 ? 4 : size;
            }
            case "s" -> {
                // A 16-bit frame pointer would not point to memory.
                boolean narrow =
                        random.nextInt(4) == 0 && !form.is("frame") && !form.is("selector");
                yield narrow ? 2 : wide ? 8 : 4;
            }
            default -> 4;
        };
    }

    /** ModRM, SIB and displacement, and registers that make them point to memory. */
    private void address(IntegerForm form, int reg, int index, int addressing, boolean wide) {
        target = pointer();
        addressRegisters = 1 << rm | 1 << index;
        if (form.is("wide") && operandSize == 8 || form.is("m")) {
            target &= -16;
        }
        int middle = (reg & 7) << 3;
        switch (addressing) {
            case 0 -> {
                if ((rm & 7) == 4 || (rm & 7) == 5) {
                    put(0x40 | middle | rm & 7);
                    if ((rm & 7) == 4) {
                        put(0x24);
                    }
                    put(0x10);
                    before[rm] = target - 0x10;
                } else {
                    put(middle | rm & 7);
                    before[rm] = target;
                }
            }
            case 1 -> {
                put(0x80 | middle | rm & 7);
                if ((rm & 7) == 4) {
                    put(0x24);
                }
                putValue(-0x12345, 4);
                before[rm] = target + 0x12345;
            }
            case INDEXED -> {
                int scale = random.nextInt(4);
                put(0x40 | middle | 4);
                put(scale << 6 | (index & 7) << 3 | rm & 7);
                put(0x7f);
                long step = random.nextInt(64) - 32;
                before[index] = step;
                before[rm] = target - 0x7f - (step << scale);
            }
            default -> absolute(middle, target, wide);
        }
    }

    private void absolute(int middle, long target, boolean wide) {
        if (wide) {
            put(middle | 4);
            put(0x25);
        } else {
            put(middle | 5);
        }
        putValue(target, 4);
    }

    /** A bit offset in a register reaches beyond the operand in memory: keep it in the window. */
    private void bitOffset(IntegerForm form, int reg) {
        if (form.is("bits") && memoryOperand) {
            long upper = operandSize == 8 ? 0 : value() << 8 * operandSize;
            long offset = random.nextInt(8192) - 4096;
            before[reg] = upper | offset & Cpu.mask(operandSize);
        }
    }

    private void immediate(IntegerForm form) {
        switch (form.immediate()) {
            case "b" -> {
                int value = (int) value();
                put(form.is("nonzero") && (value & 0xff) == 0 ? 10 : value);
            }
            case "z" -> putValue(value(), Math.min(operandSize, 4));
            case "v" -> putValue(value(), operandSize);
            default -> {}
        }
    }

    /** Asked of arbitrary-precision arithmetic, because a mistake here would end this process. */
    private boolean divideFaults(BareProcessor guest, IntegerForm form) {
        Cpu cpu = guest.cpu;
        int bits = operandSize * 8;
        boolean signed = form.name().equals("IDIV");
        long operand =
                memoryOperand
                        ? guest.memory.read64(target)
                        : highByte ? cpu.gpr[rm - 4] >>> 8 : cpu.gpr[rm];
        BigInteger divisor = integer(operand, bits, signed);
        if (divisor.signum() == 0) {
            return true;
        }
        BigInteger dividend =
                operandSize == 1
                        ? integer(cpu.gpr[Cpu.RAX], 16, signed)
                        : integer(cpu.gpr[Cpu.RDX], bits, signed)
                                .shiftLeft(bits)
                                .add(integer(cpu.gpr[Cpu.RAX], bits, false));
        BigInteger quotient = dividend.divide(divisor);
        return signed ? quotient.bitLength() > bits - 1 : quotient.bitLength() > bits;
    }

    private static BigInteger integer(long value, int bits, boolean signed) {
        BigInteger whole = BigInteger.valueOf(value).mod(BigInteger.ONE.shiftLeft(bits));
        return signed && whole.testBit(bits - 1)
                ? whole.subtract(BigInteger.ONE.shiftLeft(bits))
                : whole;
    }

    /** Intel SDM vol. 1, appendix A.2, and the descriptions in vol. 2. */
    private int undefinedFlags(IntegerForm form) {
        boolean shifted = shiftCount != 0;
        int overflow = shiftCount == 1 || !shifted ? 0 : Flags.OF;
        return switch (form.name()) {
            case "AND", "OR", "XOR", "TEST" -> Flags.AF;
            case "SHL", "SHR", "SAR" -> {
                boolean wholeOperand = shiftCount >= operandSize * 8 && !form.name().equals("SAR");
                yield shifted ? overflow | Flags.AF | (wholeOperand ? Flags.CF : 0) : 0;
            }
            case "ROL", "ROR", "RCL", "RCR" -> overflow;
            case "SHLD", "SHRD" -> shifted ? overflow | Flags.AF : 0;
            case "MUL", "IMUL", "IMUL2" -> Flags.SF | Flags.ZF | Flags.AF | Flags.PF;
            case "DIV", "IDIV" -> Flags.ARITHMETIC;
            case "BT", "BTS", "BTR", "BTC" -> Flags.OF | Flags.SF | Flags.AF | Flags.PF;
            case "BSF", "BSR" -> Flags.ARITHMETIC & ~Flags.ZF;
            case "AAA", "AAS" -> Flags.OF | Flags.SF | Flags.ZF | Flags.PF;
            case "AAM", "AAD" -> Flags.OF | Flags.AF | Flags.CF;
            case "DAA", "DAS" -> Flags.OF;
            default -> 0;
        };
    }

    /** A 16-bit double shift by more than 16: flags and result are undefined. */
    private boolean undefinedResult(IntegerForm form) {
        return form.name().startsWith("SH")
                && form.name().endsWith("D")
                && operandSize == 2
                && shiftCount > 16;
    }
}
