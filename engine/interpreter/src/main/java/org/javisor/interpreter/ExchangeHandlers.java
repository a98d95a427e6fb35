package org.javisor.interpreter;

import org.javisor.x86.Instruction;

/** XCHG, XADD and the CMPXCHG family. */
final class ExchangeHandlers {
    private ExchangeHandlers() {}

    static Handler select(Instruction i) {
        boolean memory = i.kind0 == Instruction.MEM;
        return switch (i.op) {
            case XCHG ->
                    memory || i.kind1 == Instruction.MEM
                            ? ExchangeHandlers::xchgMemory
                            : ExchangeHandlers::xchgRegister;
            case XADD -> memory ? ExchangeHandlers::xaddMemory : ExchangeHandlers::xaddRegister;
            case CMPXCHG ->
                    memory ? ExchangeHandlers::cmpxchgMemory : ExchangeHandlers::cmpxchgRegister;
            case CMPXCHG8B -> ExchangeHandlers::cmpxchg8b;
            case CMPXCHG16B -> ExchangeHandlers::cmpxchg16b;
            default -> null;
        };
    }

    private static void xchgRegister(Cpu c, Instruction i) {
        int size = i.operandSize;
        long a = c.register(i.kind0, i.reg0, size);
        long b = c.register(i.kind1, i.reg1, size);
        c.setRegister(i.kind0, i.reg0, size, b);
        c.setRegister(i.kind1, i.reg1, size, a);
    }

    /** Locked with or without the prefix. */
    private static void xchgMemory(Cpu c, Instruction i) {
        int size = i.operandSize;
        boolean first = i.kind0 == Instruction.MEM;
        int kind = first ? i.kind1 : i.kind0;
        int number = first ? i.reg1 : i.reg0;
        long value = c.register(kind, number, size);
        long old;
        do {
            old = c.rmwLoad(i, size);
        } while (!c.rmwStore(size, true, old, value));
        c.setRegister(kind, number, size, old);
    }

    private static void xaddRegister(Cpu c, Instruction i) {
        int size = i.operandSize;
        long a = c.register(i.kind0, i.reg0, size);
        long sum = Arithmetic.add(c, size, a, c.register(i.kind1, i.reg1, size));
        c.setRegister(i.kind1, i.reg1, size, a);
        c.setRegister(i.kind0, i.reg0, size, sum);
    }

    private static void xaddMemory(Cpu c, Instruction i) {
        int size = i.operandSize;
        long b = c.register(i.kind1, i.reg1, size);
        long old;
        do {
            old = c.rmwLoad(i, size);
        } while (!c.rmwStore(size, i.lock(), old, old + b & Cpu.mask(size)));
        Arithmetic.add(c, size, old, b);
        c.setRegister(i.kind1, i.reg1, size, old);
    }

    private static void cmpxchgRegister(Cpu c, Instruction i) {
        int size = i.operandSize;
        long accumulator = c.gpr[Cpu.RAX] & Cpu.mask(size);
        long old = c.register(i.kind0, i.reg0, size);
        long value = c.register(i.kind1, i.reg1, size);
        Arithmetic.sub(c, size, accumulator, old);
        if (accumulator == old) {
            c.setRegister(i.kind0, i.reg0, size, value);
        } else {
            c.setRegister(Instruction.GPR, Cpu.RAX, size, old);
        }
    }

    /** Writes in any case: the old value if the comparison fails. */
    private static void cmpxchgMemory(Cpu c, Instruction i) {
        int size = i.operandSize;
        long accumulator = c.gpr[Cpu.RAX] & Cpu.mask(size);
        long value = c.register(i.kind1, i.reg1, size);
        long old;
        do {
            old = c.rmwLoad(i, size);
        } while (!c.rmwStore(size, i.lock(), old, old == accumulator ? value : old));
        Arithmetic.sub(c, size, accumulator, old);
        if (accumulator != old) {
            c.setRegister(Instruction.GPR, Cpu.RAX, size, old);
        }
    }

    private static void cmpxchg8b(Cpu c, Instruction i) {
        long expected = c.gpr[Cpu.RDX] << 32 | c.gpr[Cpu.RAX] & 0xffffffffL;
        long value = c.gpr[Cpu.RCX] << 32 | c.gpr[Cpu.RBX] & 0xffffffffL;
        long old;
        do {
            old = c.rmwLoad(i, 8);
        } while (!c.rmwStore(8, i.lock(), old, old == expected ? value : old));
        if (old != expected) {
            c.gpr[Cpu.RAX] = old & 0xffffffffL;
            c.gpr[Cpu.RDX] = old >>> 32;
        }
        c.flags.setZero(old == expected);
    }

    private static void cmpxchg16b(Cpu c, Instruction i) {
        c.checkAligned(i, 16);
        long linear = c.linearAddress(i);
        c.mmu.checkWritable(linear, 16);
        boolean equal =
                c.mmu.locked()
                        .compareAndSet16(
                                linear,
                                i.lock(),
                                c.gpr[Cpu.RAX],
                                c.gpr[Cpu.RDX],
                                c.gpr[Cpu.RBX],
                                c.gpr[Cpu.RCX]);
        if (!equal) {
            c.gpr[Cpu.RAX] = c.lo;
            c.gpr[Cpu.RDX] = c.hi;
        }
        c.flags.setZero(equal);
    }
}
