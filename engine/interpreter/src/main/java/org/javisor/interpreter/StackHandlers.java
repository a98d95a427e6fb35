package org.javisor.interpreter;

import org.javisor.x86.Instruction;

/** PUSH, POP but for segment registers, PUSHA, POPA, PUSHF, ENTER, LEAVE. */
final class StackHandlers {
    private StackHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case PUSH -> push(i);
            case POP -> pop(i);
            case PUSHA -> StackHandlers::pusha;
            case POPA -> StackHandlers::popa;
            case PUSHF -> StackHandlers::pushf;
            case ENTER -> StackHandlers::enter;
            case LEAVE -> StackHandlers::leave;
            default -> null;
        };
    }

    // An operand size of 8 exists in 64-bit code only.

    private static Handler push(Instruction i) {
        return switch (i.kind0) {
            case Instruction.SEG -> StackHandlers::pushSelector;
            case Instruction.IMM -> StackHandlers::pushImmediate;
            case Instruction.MEM -> StackHandlers::pushMemory;
            default -> i.operandSize == 8 ? StackHandlers::push64 : StackHandlers::pushRegister;
        };
    }

    private static Handler pop(Instruction i) {
        return switch (i.kind0) {
            case Instruction.SEG -> null;
            case Instruction.MEM -> StackHandlers::popMemory;
            default -> i.operandSize == 8 ? StackHandlers::pop64 : StackHandlers::popRegister;
        };
    }

    private static void push64(Cpu c, Instruction i) {
        long top = c.gpr[Cpu.RSP] - 8;
        c.mmu.writeStack(top, 8, c.gpr[i.reg0]);
        c.gpr[Cpu.RSP] = top;
    }

    private static void pushRegister(Cpu c, Instruction i) {
        int size = i.operandSize;
        c.push(size, c.register(Instruction.GPR, i.reg0, size));
    }

    private static void pushImmediate(Cpu c, Instruction i) {
        c.push(i.operandSize, i.imm & Cpu.mask(i.operandSize));
    }

    private static void pushMemory(Cpu c, Instruction i) {
        c.push(i.operandSize, c.load(i, i.operandSize));
    }

    private static void pushSelector(Cpu c, Instruction i) {
        c.push(i.operandSize, c.segments.selector[i.reg0]);
    }

    private static void pop64(Cpu c, Instruction i) {
        long top = c.gpr[Cpu.RSP];
        long value = c.mmu.readStack(top, 8);
        c.gpr[Cpu.RSP] = top + 8;
        c.gpr[i.reg0] = value;
    }

    private static void popRegister(Cpu c, Instruction i) {
        int size = i.operandSize;
        c.setRegister(Instruction.GPR, i.reg0, size, c.pop(size));
    }

    /** The address of the destination is computed with the stack pointer after the pop. */
    private static void popMemory(Cpu c, Instruction i) {
        int size = i.operandSize;
        long before = c.gpr[Cpu.RSP];
        long value = c.pop(size);
        try {
            c.store(i, size, value);
        } catch (GuestFault fault) {
            c.gpr[Cpu.RSP] = before;
            throw fault;
        }
    }

    /** A fault in the middle leaves memory below the top changed, which is nobody's. */
    private static void pusha(Cpu c, Instruction i) {
        int size = i.operandSize;
        long before = c.gpr[Cpu.RSP];
        try {
            for (int n = 0; n < 8; n++) {
                c.push(size, (n == Cpu.RSP ? before : c.gpr[n]) & Cpu.mask(size));
            }
        } catch (GuestFault fault) {
            c.gpr[Cpu.RSP] = before;
            throw fault;
        }
    }

    private static void popa(Cpu c, Instruction i) {
        int size = i.operandSize;
        // The last read first: what faults does so before a register has changed, unless in the
        // middle.
        c.peek(size, 7L * size);
        c.peek(size, 0);
        for (int n = 7; n >= 0; n--) {
            if (n != Cpu.RSP) {
                c.setRegister(Instruction.GPR, n, size, c.peek(size, (7L - n) * size));
            }
        }
        c.setStackPointer(c.stackPointer() + 8L * size);
    }

    private static void pushf(Cpu c, Instruction i) {
        if (c.flags.has(Flags.VM) && c.flags.iopl() < 3) {
            throw GuestFault.gp0();
        }
        c.push(i.operandSize, c.flags.value() & ~(Flags.RF | Flags.VM) & Cpu.mask(i.operandSize));
    }

    private static void enter(Cpu c, Instruction i) {
        int size = i.operandSize;
        int level = (int) i.imm2 & 31;
        long before = c.gpr[Cpu.RSP];
        long frame;
        try {
            c.push(size, c.gpr[Cpu.RBP] & Cpu.mask(size));
            frame = c.stackPointer();
            for (int n = 1; n < level; n++) {
                long link = c.gpr[Cpu.RBP] - (long) n * size & Cpu.mask(c.stackSize());
                c.push(size, c.mmu.read(c.linear(Cpu.SS, link, size, false), size));
            }
            if (level > 0) {
                c.push(size, frame & Cpu.mask(size));
            }
            // The new top must be writable, although nothing is written there.
            long top = c.stackPointer() - i.imm & Cpu.mask(c.stackSize());
            c.mmu.checkWritable(c.linear(Cpu.SS, top, size, true), size);
            c.setStackPointer(top);
        } catch (GuestFault fault) {
            c.gpr[Cpu.RSP] = before;
            throw fault;
        }
        c.setRegister(Instruction.GPR, Cpu.RBP, size, frame);
    }

    private static void leave(Cpu c, Instruction i) {
        int size = i.operandSize;
        long before = c.gpr[Cpu.RSP];
        c.setStackPointer(c.gpr[Cpu.RBP]);
        long value;
        try {
            value = c.pop(size);
        } catch (GuestFault fault) {
            c.gpr[Cpu.RSP] = before;
            throw fault;
        }
        c.setRegister(Instruction.GPR, Cpu.RBP, size, value);
    }
}
