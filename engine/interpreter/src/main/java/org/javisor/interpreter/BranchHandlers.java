package org.javisor.interpreter;

import org.javisor.x86.Instruction;

/** Near jumps, calls and returns, loops. */
final class BranchHandlers {
    private BranchHandlers() {}

    static Handler select(Instruction i) {
        // An operand size of 8 exists in 64-bit code only.
        boolean wide = i.operandSize == 8;
        boolean relative = i.kind0 == Instruction.REL;
        return switch (i.op) {
            case JMP -> {
                if (relative) {
                    yield wide ? BranchHandlers::jmp64 : BranchHandlers::jmp;
                }
                yield BranchHandlers::jmpIndirect;
            }
            case CALL -> {
                if (relative) {
                    yield wide ? BranchHandlers::call64 : BranchHandlers::call;
                }
                yield wide ? BranchHandlers::callIndirect64 : BranchHandlers::callIndirect;
            }
            case RET -> wide ? BranchHandlers::ret64 : BranchHandlers::ret;
            case LOOP -> BranchHandlers::loop;
            case LOOPE -> BranchHandlers::loope;
            case LOOPNE -> BranchHandlers::loopne;
            case JCXZ -> BranchHandlers::jcxz;
            default -> null;
        };
    }

    private static void jmp64(Cpu c, Instruction i) {
        c.rip += i.imm;
    }

    private static void jmp(Cpu c, Instruction i) {
        c.jump(c.rip + i.imm, i.operandSize);
    }

    private static void jmpIndirect(Cpu c, Instruction i) {
        c.jump(c.operand0(i, i.operandSize), i.operandSize);
    }

    private static void call64(Cpu c, Instruction i) {
        long top = c.gpr[Cpu.RSP] - 8;
        c.mmu.writeStack(top, 8, c.rip);
        c.gpr[Cpu.RSP] = top;
        c.rip += i.imm;
    }

    private static void call(Cpu c, Instruction i) {
        callTo(c, i, c.rip + i.imm);
    }

    private static void callIndirect64(Cpu c, Instruction i) {
        long target = c.operand0(i, 8);
        if (target << 16 >> 16 != target) {
            throw GuestFault.gp0();
        }
        long top = c.gpr[Cpu.RSP] - 8;
        c.mmu.writeStack(top, 8, c.rip);
        c.gpr[Cpu.RSP] = top;
        c.rip = target;
    }

    private static void callIndirect(Cpu c, Instruction i) {
        callTo(c, i, c.operand0(i, i.operandSize));
    }

    /** The jump is checked before the push and undone if the push faults. */
    private static void callTo(Cpu c, Instruction i, long target) {
        int size = i.operandSize;
        long next = c.rip;
        c.jump(target, size);
        try {
            c.push(size, next & Cpu.mask(size));
        } catch (GuestFault fault) {
            c.rip = next;
            throw fault;
        }
    }

    private static void ret64(Cpu c, Instruction i) {
        long top = c.gpr[Cpu.RSP];
        long target = c.mmu.readStack(top, 8);
        if (target << 16 >> 16 != target) {
            throw GuestFault.gp0();
        }
        c.rip = target;
        // Without an operand, the immediate is 0.
        c.gpr[Cpu.RSP] = top + 8 + i.imm;
    }

    private static void ret(Cpu c, Instruction i) {
        int size = i.operandSize;
        c.jump(c.peek(size, 0), size);
        c.setStackPointer(c.stackPointer() + size + i.imm);
    }

    private static void loop(Cpu c, Instruction i) {
        loopIf(c, i, true);
    }

    private static void loope(Cpu c, Instruction i) {
        loopIf(c, i, c.flags.zf());
    }

    private static void loopne(Cpu c, Instruction i) {
        loopIf(c, i, !c.flags.zf());
    }

    private static void loopIf(Cpu c, Instruction i, boolean condition) {
        int size = i.addressSize;
        long count = c.gpr[Cpu.RCX] - 1 & Cpu.mask(size);
        if (count != 0 && condition) {
            c.jump(c.rip + i.imm, i.operandSize);
        }
        c.setRegister(Instruction.GPR, Cpu.RCX, size, count);
    }

    private static void jcxz(Cpu c, Instruction i) {
        if ((c.gpr[Cpu.RCX] & Cpu.mask(i.addressSize)) == 0) {
            c.jump(c.rip + i.imm, i.operandSize);
        }
    }
}
