package org.javisor.interpreter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.javisor.testkit.HostProcessor;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Decoder;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;
import org.junit.jupiter.api.Test;

/**
 * Runs every encoding of the MMX and SSE instructions with random operands, rounding modes, DAZ and
 * FTZ on the host's processor and in the interpreter, and compares registers, MXCSR, flags and
 * memory. Exceptions are masked. Replay with {@code -Djavisor.seed=}; {@code -Djavisor.rounds=}
 * sets how often each form runs.
 */
class SimdOracleTest {
    private static final long SEED = Long.getLong("javisor.seed", 20260101L);
    private static final int ROUNDS = Integer.getInteger("javisor.rounds", 600);
    private static final int IMMEDIATES = 24;

    // The block that RDI points at
    private static final int XMM = 0, MM = 32, MXCSR = 48, MEMORY = 0x80;

    /** Where the interpreter's RDI points. */
    private static final long OPERANDS = 0x2000;

    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;

    private static final byte[] LOAD =
            bytes(
                    "0f ae 57 30" // ldmxcsr [rdi+48]
                            + " f3 0f 6f 07" // movdqu xmm0, [rdi]
                            + " f3 0f 6f 4f 10" // movdqu xmm1, [rdi+16]
                            + " 0f 6f 47 20" // movq mm0, [rdi+32]
                            + " 0f 6f 4f 28"); // movq mm1, [rdi+40]

    private static final byte[] STORE =
            bytes(
                    "0f ae 5f 30" // stmxcsr [rdi+48]
                            + " 0f ae 57 38" // ldmxcsr [rdi+56]
                            + " f3 0f 7f 07" // movdqu [rdi], xmm0
                            + " f3 0f 7f 4f 10" // movdqu [rdi+16], xmm1
                            + " 0f 7f 47 20" // movq [rdi+32], mm0
                            + " 0f 7f 4f 28" // movq [rdi+40], mm1
                            + " 0f 77"); // emms

    /**
     * The only ones the blocks above cannot carry: they store at RDI, or end the use of MMX
     * registers.
     */
    private static final EnumSet<Op> ELSEWHERE = EnumSet.of(Op.MASKMOVDQU, Op.MASKMOVQ, Op.EMMS);

    private final Decoder decoder = new Decoder();
    private final Random random = new Random(SEED);
    private final SimdOperands operands = new SimdOperands(random);
    private final long[] gpr = new long[16];
    private final byte[] code = new byte[128];

    @Test
    void everyEncoding_agreesWithTheHostsProcessor() {
        Optional<HostProcessor> opened = HostProcessor.open();
        assumeTrue(opened.isPresent(), "needs Linux on an x86-64 host");
        EnumSet<Op> seen = EnumSet.noneOf(Op.class);
        int forms = 0;
        long comparisons = 0;
        try (HostProcessor host = opened.orElseThrow();
                BareProcessor guest = new BareProcessor()) {
            guest.cpu.sseReady = true;
            for (byte[] form : encodings()) {
                Instruction first = decode(form);
                seen.add(first.op);
                forms++;
                boolean immediate =
                        first.kind2 == Instruction.IMM || first.kind1 == Instruction.IMM;
                int variants = immediate ? IMMEDIATES : 1;
                for (int variant = 0; variant < variants; variant++) {
                    if (immediate) {
                        form[first.length - 1] = (byte) random.nextInt();
                    }
                    for (int round = 0; round < ROUNDS / variants; round++) {
                        compare(host, guest, form);
                        comparisons++;
                    }
                }
            }
        }
        System.out.println(
                "SIMD: " + forms + " forms, " + comparisons + " comparisons, seed " + SEED);
        EnumSet<Op> missing = EnumSet.range(Op.EMMS, Op.CVTTPD2DQ);
        missing.removeAll(seen);
        assertThat(missing).isEqualTo(ELSEWHERE);
        assertThat(seen).contains(Op.CRC32);
    }

    /**
     * Every prefix, REX.W, opcode and, for groups, opcode extension: on registers 0 and 1 and on
     * memory.
     */
    private List<byte[]> encodings() {
        int[][] maps = {{0x0f}, {0x0f, 0x38}, {0x0f, 0x3a}};
        int[] prefixes = {0, 0x66, 0xf3, 0xf2};
        List<byte[]> result = new ArrayList<>();
        for (int[] map : maps) {
            for (int opcode = 0; opcode < 256; opcode++) {
                for (int prefix : prefixes) {
                    for (int extension = 0; extension < 8; extension++) {
                        for (int variant = 0; variant < 4; variant++) {
                            byte[] form =
                                    encoding(
                                            prefix,
                                            variant >> 1,
                                            map,
                                            opcode,
                                            extension,
                                            variant & 1);
                            if (form.length > 0) {
                                result.add(form);
                            }
                        }
                    }
                }
            }
        }
        return result;
    }

    private byte[] encoding(
            int prefix, int wide, int[] map, int opcode, int extension, int memory) {
        byte[] form = new byte[Decoder.MAX_LENGTH];
        int n = 0;
        if (prefix != 0) {
            form[n++] = (byte) prefix;
        }
        if (wide != 0) {
            form[n++] = 0x48;
        }
        for (int b : map) {
            form[n++] = (byte) b;
        }
        form[n++] = (byte) opcode;
        if (memory != 0) {
            form[n++] = (byte) (0x87 | extension << 3);
            form[n] = (byte) MEMORY;
        } else {
            form[n] = (byte) (0xc1 | extension << 3);
        }
        boolean group = map.length == 1 && opcode >= 0x71 && opcode <= 0x73;
        Instruction i = decode(form);
        boolean ours =
                (extension == 0 || group)
                        && i.op != Op.INVALID
                        && !ELSEWHERE.contains(i.op)
                        && SimdHandlers.select(i) != null;
        return ours ? form : new byte[0];
    }

    private Instruction decode(byte[] form) {
        return decoder.decode(form, 0, form.length, CodeSize.BITS64);
    }

    private void compare(HostProcessor host, BareProcessor guest, byte[] form) {
        Instruction i = decode(form);
        Cpu cpu = guest.cpu;
        MemorySegment block = host.data();
        prepare(guest);
        long[] x = cpu.fpu.xmm;
        for (int n = 0; n < 4; n++) {
            block.set(LONG, XMM + 8 * n, x[n]);
        }
        block.set(LONG, MM, cpu.fpu.significand[0]);
        block.set(LONG, MM + 8, cpu.fpu.significand[1]);
        block.set(LONG, MXCSR, cpu.fpu.mxcsr);
        block.set(LONG, MXCSR + 8, 0x1f80);
        for (int n = 0; n < 2; n++) {
            block.set(LONG, MEMORY + 8 * n, guest.memory.read64(OPERANDS + MEMORY + 8 * n));
        }
        long[] xmmBefore = Arrays.copyOf(x, 4);
        int mxcsrBefore = cpu.fpu.mxcsr;
        System.arraycopy(cpu.gpr, 0, gpr, 0, 16);
        gpr[Cpu.RDI] = host.dataAddress();
        long flags = host.run(code, assemble(form, i.length), gpr, 0x202 | cpu.flags.arithmetic());

        SimdHandlers.select(i).execute(cpu, i);

        boolean equal =
                matches(i, block.get(LONG, XMM), x[0])
                        && matches(i, block.get(LONG, XMM + 8), x[1])
                        && block.get(LONG, XMM + 16) == x[2]
                        && block.get(LONG, XMM + 24) == x[3]
                        && block.get(LONG, MM) == cpu.fpu.significand[0]
                        && block.get(LONG, MM + 8) == cpu.fpu.significand[1]
                        && (int) block.get(LONG, MXCSR) == cpu.fpu.mxcsr
                        && block.get(LONG, MEMORY) == guest.memory.read64(OPERANDS + MEMORY)
                        && block.get(LONG, MEMORY + 8) == guest.memory.read64(OPERANDS + MEMORY + 8)
                        && gpr[0] == cpu.gpr[0]
                        && gpr[1] == cpu.gpr[1]
                        && (flags & Flags.ARITHMETIC) == cpu.flags.arithmetic();
        if (!equal) {
            String expected =
                    String.format(
                            "xmm0 %016x%016x mm0 %x mxcsr %x rax %x rcx %x flags %x",
                            block.get(LONG, XMM + 8),
                            block.get(LONG, XMM),
                            block.get(LONG, MM),
                            block.get(LONG, MXCSR),
                            gpr[0],
                            gpr[1],
                            flags & Flags.ARITHMETIC);
            throw new AssertionError(
                    HexFormat.of().toHexDigits(mxcsrBefore)
                            + " before: "
                            + Arrays.toString(xmmBefore)
                            + "\nprocessor "
                            + expected
                            + "\ninterpreter "
                            + describe(i, form, guest));
        }
    }

    private void prepare(BareProcessor guest) {
        Cpu cpu = guest.cpu;
        int kind = random.nextInt(SimdOperands.KINDS);
        int other = random.nextInt(4) == 0 ? random.nextInt(SimdOperands.KINDS) : kind;
        long[] x = cpu.fpu.xmm;
        for (int n = 0; n < 2; n++) {
            x[n] = operands.next(kind);
            x[2 + n] = random.nextInt(6) == 0 ? x[n] : operands.next(other);
            cpu.fpu.significand[n] = operands.next(kind);
            guest.memory.write64(
                    OPERANDS + MEMORY + 8 * n,
                    random.nextInt(6) == 0 ? x[n] : operands.next(other));
        }
        int mxcsr = 0x1f80 | (random.nextBoolean() ? 0 : random.nextInt(64));
        if (random.nextBoolean()) {
            mxcsr |=
                    random.nextInt(4) << 13
                            | (random.nextInt(3) == 0 ? 0x40 : 0)
                            | (random.nextInt(3) == 0 ? 0x8000 : 0);
        }
        cpu.fpu.mxcsr = mxcsr;
        for (int n = 0; n < 3; n++) {
            cpu.gpr[n] = random.nextInt(3) == 0 ? random.nextInt(-20, 20) : operands.next(other);
        }
        cpu.gpr[Cpu.RDI] = OPERANDS;
        cpu.flags.setArithmetic(random.nextInt());
    }

    private int assemble(byte[] form, int length) {
        System.arraycopy(LOAD, 0, code, 0, LOAD.length);
        System.arraycopy(form, 0, code, LOAD.length, length);
        System.arraycopy(STORE, 0, code, LOAD.length + length, STORE.length);
        return LOAD.length + length + STORE.length;
    }

    /**
     * Equal, or for the approximations both within the architecture's 1.5 * 2^-12 of the true
     * value.
     */
    private static boolean matches(Instruction i, long expected, long actual) {
        if (expected == actual) {
            return true;
        }
        return switch (i.op) {
            case RCPPS, RCPSS, RSQRTPS, RSQRTSS ->
                    near((int) expected, (int) actual)
                            && near((int) (expected >>> 32), (int) (actual >>> 32));
            default -> false;
        };
    }

    private static boolean near(int expected, int actual) {
        if (expected == actual) {
            return true;
        }
        float e = Float.intBitsToFloat(expected);
        float a = Float.intBitsToFloat(actual);
        // Just below the smallest normal number the processor may or may not give zero.
        boolean bothTiny =
                Math.abs(e) <= Float.MIN_NORMAL * 1.001f
                        && Math.abs(a) <= Float.MIN_NORMAL * 1.001f;
        return bothTiny && (expected ^ actual) >= 0 || Math.abs(a / e - 1) <= 3.01 / 4096;
    }

    private static String describe(Instruction i, byte[] form, BareProcessor guest) {
        Cpu c = guest.cpu;
        long[] x = c.fpu.xmm;
        return String.format(
                "%s %s: xmm0 %016x%016x xmm1 %016x%016x mm0 %x mm1 %x mxcsr %x rax %x rcx %x rdx %x flags %x memory %x %x",
                i.op,
                HexFormat.of().formatHex(form, 0, i.length),
                x[1],
                x[0],
                x[3],
                x[2],
                c.fpu.significand[0],
                c.fpu.significand[1],
                c.fpu.mxcsr,
                c.gpr[0],
                c.gpr[1],
                c.gpr[2],
                c.flags.arithmetic(),
                guest.memory.read64(OPERANDS + MEMORY),
                guest.memory.read64(OPERANDS + MEMORY + 8));
    }

    private static byte[] bytes(String hex) {
        return HexFormat.ofDelimiter(" ").parseHex(hex);
    }
}
