package org.javisor.interpreter;

import org.javisor.memory.Atomic128;
import org.javisor.memory.GuestMemory;
import org.javisor.memory.RawMemory;

/** Locked operations of processors that share memory. */
final class LockedAccess {
    private final Atomic128 atomic128 = new Atomic128();
    private final Mmu mmu;
    private final Cpu cpu;
    private final SlowAccess slow;
    private final GuestMemory memory;
    private final Object splitLock;

    /**
     * @param splitLock the machine's, held for what no single host instruction can do
     */
    LockedAccess(Mmu mmu, Cpu cpu, SlowAccess slow, Object splitLock) {
        this.mmu = mmu;
        this.cpu = cpu;
        this.slow = slow;
        this.memory = mmu.memory();
        this.splitLock = splitLock;
    }

    /**
     * Atomically replaces an operand of 1, 2, 4 or 8 bytes if it still is {@code expected}.
     *
     * @param host its host address, or 0 if it takes the slow way
     */
    boolean compareAndSet(long linear, long host, int size, long expected, long value) {
        if (host != 0 && (host & 7) + size <= 8) {
            if (size == 8) {
                return RawMemory.compareAndExchangeLong(host, expected, value) == expected;
            }
            if (size == 4 && (host & 3) == 0) {
                return RawMemory.compareAndExchangeInt(host, (int) expected, (int) value)
                        == (int) expected;
            }
            return replaceWithinWord(host, size, expected, value);
        }
        if (host == 0 && (linear & 7) + size <= 8) {
            long gpa = mmu.translate(linear, PageWalker.WRITE);
            long slowHost = memory.hostAddress(gpa);
            if (slowHost != 0) {
                // A tracked or watched page: other processors may store to it without any lock of
                // ours.
                boolean done = compareAndSet(linear, slowHost, size, expected, value);
                slow.noteWritten(gpa, size);
                slow.noteAccess(linear, size, true);
                return done;
            }
        }
        // Across two words, devices: one at a time in the whole machine.
        synchronized (splitLock) {
            if (mmu.read(linear, size) != expected) {
                return false;
            }
            mmu.write(linear, size, value);
            return true;
        }
    }

    /**
     * Replaces 16 aligned and writable bytes if they still are what is expected; what was found
     * stands in {@link Cpu#lo} and {@link Cpu#hi}. Locked, it is atomic towards its like in the
     * whole machine; a store of 8 bytes in the middle of it makes it fail.
     */
    boolean compareAndSet16(
            long linear, boolean locked, long low, long high, long newLow, long newHigh) {
        if (!locked || !mmu.sharedMemory()) {
            return replace16(linear, low, high, newLow, newHigh);
        }
        if (Atomic128.available()) {
            long host = mmu.writableHost(linear, 16);
            if (host != 0) {
                boolean replaced = atomic128.compareAndExchange(host, low, high, newLow, newHigh);
                cpu.lo = atomic128.low();
                cpu.hi = atomic128.high();
                return replaced;
            }
        }
        synchronized (splitLock) {
            long host = mmu.writableHost(linear, 16);
            if (host == 0) {
                return replace16(linear, low, high, newLow, newHigh);
            }
            cpu.lo = RawMemory.getLongVolatile(host);
            cpu.hi = RawMemory.getLongVolatile(host + 8);
            if (cpu.lo != low || cpu.hi != high) {
                return false;
            }
            cpu.lo = RawMemory.compareAndExchangeLong(host, low, newLow);
            if (cpu.lo != low) {
                return false;
            }
            cpu.hi = RawMemory.compareAndExchangeLong(host + 8, high, newHigh);
            if (cpu.hi != high) {
                cpu.lo = RawMemory.compareAndExchangeLong(host, newLow, low);
                if (cpu.lo == newLow) {
                    cpu.lo = low;
                }
                return false;
            }
            return true;
        }
    }

    private boolean replace16(long linear, long low, long high, long newLow, long newHigh) {
        cpu.lo = mmu.read64(linear);
        cpu.hi = mmu.read64(linear + 8);
        boolean equal = cpu.lo == low && cpu.hi == high;
        mmu.write64(linear, equal ? newLow : cpu.lo);
        mmu.write64(linear + 8, equal ? newHigh : cpu.hi);
        return equal;
    }

    private static boolean replaceWithinWord(long host, int size, long expected, long value) {
        long word = host & -8;
        int shift = (int) (host & 7) * 8;
        long mask = Cpu.mask(size) << shift;
        while (true) {
            long old = RawMemory.getLongVolatile(word);
            if ((old & mask) >>> shift != expected) {
                return false;
            }
            long replaced = old & ~mask | value << shift & mask;
            if (RawMemory.compareAndExchangeLong(word, old, replaced) == old) {
                return true;
            }
        }
    }
}
