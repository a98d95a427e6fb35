package org.javisor.interpreter;

import org.javisor.memory.RawMemory;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * The string instructions, with and without repetition (Intel SDM vol. 1, 7.3.9). Upwards, and
 * where both sides are RAM, they work on whole runs within a page; else element by element. RSI,
 * RDI and RCX always tell what is done, so that a fault leaves the instruction ready to be resumed.
 *
 * <p>Flags of a CMPS or SCAS that faults in the middle are those of the last comparison, not the
 * ones before the instruction; nobody can tell, because it sets them again when it is resumed.
 */
final class StringHandlers {
    /** After so many bytes a repetition lets interrupts in. */
    private static final long BYTES_AT_A_TIME = 64 << 10;

    private static final long PORT_ACCESSES_AT_A_TIME = 1024;

    private static final long LOW_BITS = 0x0101010101010101L;

    private StringHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case MOVS, CMPS, STOS, LODS, SCAS, INS, OUTS ->
                    i.repeated() ? StringHandlers::repeat : StringHandlers::once;
            default -> null;
        };
    }

    private static void once(Cpu c, Instruction i) {
        step(c, i, 1);
    }

    private static void repeat(Cpu c, Instruction i) {
        int countSize = i.addressSize;
        long count = c.gpr[Cpu.RCX] & Cpu.mask(countSize);
        long budget = budget(c, i);
        boolean comparing = i.op == Op.CMPS || i.op == Op.SCAS;
        boolean whileEqual = (i.flags & Instruction.REP) != 0;
        while (count != 0) {
            if (budget <= 0 || c.blockEnds()) {
                c.rip -= i.length;
                c.endBlock();
                return;
            }
            // The count is unsigned.
            long done = step(c, i, count < 0 ? budget : Math.min(count, budget));
            budget -= done;
            count -= done;
            c.setRegister(Instruction.GPR, Cpu.RCX, countSize, count);
            if (comparing && c.flags.zf() != whileEqual) {
                return;
            }
        }
    }

    private static long budget(Cpu c, Instruction i) {
        if (c.vcpu.stepsThroughRepetitions()) {
            return 1;
        }
        return i.op == Op.INS || i.op == Op.OUTS
                ? PORT_ACCESSES_AT_A_TIME
                : BYTES_AT_A_TIME / i.operandSize;
    }

    /** Carries out between 1 and {@code limit} elements and returns how many. */
    private static long step(Cpu c, Instruction i, long limit) {
        return switch (i.op) {
            case MOVS -> movs(c, i, limit);
            case STOS -> stos(c, i, limit);
            case CMPS -> cmps(c, i, limit);
            case SCAS -> scas(c, i, limit);
            case LODS -> lods(c, i);
            case INS -> ins(c, i);
            default -> outs(c, i);
        };
    }

    private static long movs(Cpu c, Instruction i, long limit) {
        int size = i.operandSize;
        long from = source(c, i);
        long to = destination(c, i, true);
        long run = Math.min(sourceRun(c, i, from, limit), destinationRun(c, i, to, limit, true));
        if (run > 1) {
            long fromHost = c.mmu.readableHost(from);
            long toHost = c.mmu.writableHost(to, size);
            if (fromHost != 0 && toHost != 0) {
                copyUpwards(fromHost, toHost, run * size, size);
                advance(c, i, Cpu.RSI, run * size);
                advance(c, i, Cpu.RDI, run * size);
                return run;
            }
        }
        c.mmu.write(to, size, c.mmu.read(from, size));
        advance(c, i, Cpu.RSI, delta(c, size));
        advance(c, i, Cpu.RDI, delta(c, size));
        return 1;
    }

    /**
     * As if element by element: where the target overlaps the source's end, what was copied is
     * copied again.
     */
    private static void copyUpwards(long from, long to, long length, int size) {
        long distance = to - from;
        if (distance <= 0 || distance >= length) {
            RawMemory.copy(from, to, length);
            return;
        }
        if (distance < size) {
            for (long n = 0; n < length; n += size) {
                Mmu.writeHost(to + n, size, Mmu.readHost(from + n, size));
            }
            return;
        }
        // Whole elements; what is done doubles the stretch that may be copied at once if it repeats
        // exactly.
        boolean periodic = distance % size == 0;
        long piece = distance - distance % size;
        for (long done = 0; done < length; ) {
            long now = Math.min(piece, length - done);
            RawMemory.copy(periodic ? from : from + done, to + done, now);
            done += now;
            if (periodic) {
                piece = done + distance;
            }
        }
    }

    private static long stos(Cpu c, Instruction i, long limit) {
        int size = i.operandSize;
        long to = destination(c, i, true);
        long run = destinationRun(c, i, to, limit, true);
        long value = c.gpr[Cpu.RAX] & Cpu.mask(size);
        if (run > 1) {
            long host = c.mmu.writableHost(to, size);
            if (host != 0) {
                fill(host, run * size, size, value);
                advance(c, i, Cpu.RDI, run * size);
                return run;
            }
        }
        c.mmu.write(to, size, value);
        advance(c, i, Cpu.RDI, delta(c, size));
        return 1;
    }

    private static void fill(long host, long length, int size, long value) {
        if (value == ((value & 0xff) * LOW_BITS & Cpu.mask(size))) {
            RawMemory.fill(host, length, (byte) value);
            return;
        }
        for (long n = 0; n < length; n += size) {
            Mmu.writeHost(host + n, size, value);
        }
    }

    private static long lods(Cpu c, Instruction i) {
        int size = i.operandSize;
        c.setRegister(Instruction.GPR, Cpu.RAX, size, c.mmu.read(source(c, i), size));
        advance(c, i, Cpu.RSI, delta(c, size));
        return 1;
    }

    private static long cmps(Cpu c, Instruction i, long limit) {
        int size = i.operandSize;
        long from = source(c, i);
        long to = destination(c, i, false);
        long run = Math.min(sourceRun(c, i, from, limit), destinationRun(c, i, to, limit, false));
        if (run > 1) {
            long a = c.mmu.readableHost(from);
            long b = c.mmu.readableHost(to);
            if (a != 0 && b != 0) {
                boolean whileEqual = (i.flags & Instruction.REP) != 0;
                long n = whileEqual ? equalLongs(a, b, run * size) / size : 0;
                while (n < run - 1
                        && (Mmu.readHost(a + n * size, size) == Mmu.readHost(b + n * size, size))
                                == whileEqual) {
                    n++;
                }
                n = Math.min(n, run - 1);
                Arithmetic.sub(
                        c,
                        size,
                        Mmu.readHost(a + n * size, size),
                        Mmu.readHost(b + n * size, size));
                advance(c, i, Cpu.RSI, (n + 1) * size);
                advance(c, i, Cpu.RDI, (n + 1) * size);
                return n + 1;
            }
        }
        long left = c.mmu.read(from, size);
        Arithmetic.sub(c, size, left, c.mmu.read(to, size));
        advance(c, i, Cpu.RSI, delta(c, size));
        advance(c, i, Cpu.RDI, delta(c, size));
        return 1;
    }

    /** How many bytes, a multiple of 8, are equal from the start on. */
    private static long equalLongs(long a, long b, long length) {
        long n = 0;
        while (n + 8 <= length && RawMemory.getLong(a + n) == RawMemory.getLong(b + n)) {
            n += 8;
        }
        return n;
    }

    private static long scas(Cpu c, Instruction i, long limit) {
        int size = i.operandSize;
        long to = destination(c, i, false);
        long run = destinationRun(c, i, to, limit, false);
        long value = c.gpr[Cpu.RAX] & Cpu.mask(size);
        if (run > 1) {
            long host = c.mmu.readableHost(to);
            if (host != 0) {
                boolean whileEqual = (i.flags & Instruction.REP) != 0;
                long n = size == 1 && !whileEqual ? longsWithout(host, run, (int) value) : 0;
                while (n < run - 1
                        && (Mmu.readHost(host + n * size, size) == value) == whileEqual) {
                    n++;
                }
                n = Math.min(n, run - 1);
                Arithmetic.sub(c, size, value, Mmu.readHost(host + n * size, size));
                advance(c, i, Cpu.RDI, (n + 1) * size);
                return n + 1;
            }
        }
        Arithmetic.sub(c, size, value, c.mmu.read(to, size));
        advance(c, i, Cpu.RDI, delta(c, size));
        return 1;
    }

    /** How many bytes, a multiple of 8, do not hold a value, from the start on. */
    private static long longsWithout(long host, long length, int value) {
        long pattern = value * LOW_BITS;
        long n = 0;
        while (n + 8 <= length) {
            long difference = RawMemory.getLong(host + n) ^ pattern;
            // Nonzero exactly if a byte is zero (Warren, Hacker's Delight, 6-1).
            if ((difference - LOW_BITS & ~difference & LOW_BITS << 7) != 0) {
                break;
            }
            n += 8;
        }
        return n;
    }

    private static long ins(Cpu c, Instruction i) {
        int size = i.operandSize;
        int port = (int) c.gpr[Cpu.RDX] & 0xffff;
        c.vcpu.ports().check(port, size);
        long to = destination(c, i, true);
        // What is read from a device is lost if it cannot be stored.
        c.mmu.checkWritable(to, size);
        c.mmu.write(to, size, c.vcpu.ports().read(port, size) & Cpu.mask(size));
        advance(c, i, Cpu.RDI, delta(c, size));
        return 1;
    }

    private static long outs(Cpu c, Instruction i) {
        int size = i.operandSize;
        int port = (int) c.gpr[Cpu.RDX] & 0xffff;
        c.vcpu.ports().check(port, size);
        int value = (int) c.mmu.read(source(c, i), size);
        c.vcpu.ports().write(port, size, value);
        advance(c, i, Cpu.RSI, delta(c, size));
        return 1;
    }

    private static long source(Cpu c, Instruction i) {
        return c.linear(i.segment, c.gpr[Cpu.RSI] & Cpu.mask(i.addressSize), i.operandSize, false);
    }

    private static long destination(Cpu c, Instruction i, boolean write) {
        return c.linear(Cpu.ES, c.gpr[Cpu.RDI] & Cpu.mask(i.addressSize), i.operandSize, write);
    }

    private static long sourceRun(Cpu c, Instruction i, long linear, long limit) {
        return run(c, i, i.segment, c.gpr[Cpu.RSI] & Cpu.mask(i.addressSize), linear, limit, false);
    }

    private static long destinationRun(
            Cpu c, Instruction i, long linear, long limit, boolean write) {
        return run(c, i, Cpu.ES, c.gpr[Cpu.RDI] & Cpu.mask(i.addressSize), linear, limit, write);
    }

    /**
     * How many elements upwards lie within the page, the segment and the address size; 0 or 1 if
     * there is no run.
     */
    private static long run(
            Cpu c,
            Instruction i,
            int segment,
            long offset,
            long linear,
            long limit,
            boolean write) {
        if (limit == 1 || c.flags.has(Flags.DF)) {
            return 1;
        }
        int size = i.operandSize;
        long run = Math.min(limit, 4096 - (linear & 4095) >>> Integer.numberOfTrailingZeros(size));
        if (i.addressSize != 8) {
            run = Math.min(run, (Cpu.mask(i.addressSize) - offset + 1) / size);
        }
        if (!c.code64
                && run > 1
                && !c.segments.covers(c, segment, offset, (int) run * size, write)) {
            return 1;
        }
        return run;
    }

    private static long delta(Cpu c, int size) {
        return c.flags.has(Flags.DF) ? -size : size;
    }

    private static void advance(Cpu c, Instruction i, int register, long bytes) {
        c.setRegister(Instruction.GPR, register, i.addressSize, c.gpr[register] + bytes);
    }
}
