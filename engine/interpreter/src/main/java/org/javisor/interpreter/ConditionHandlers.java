package org.javisor.interpreter;

import org.javisor.x86.Instruction;

/**
 * Jcc, SETcc and CMOVcc: one method for each condition, so that each condition is a branch of its
 * own to the compiler and to the host's processor.
 */
final class ConditionHandlers {
    private ConditionHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            // In 64-bit code the displacement cannot lead far out of the canonical addresses; the
            // fetch refuses it.
            case JCC -> i.operandSize == 8 ? jump(i.condition) : ConditionHandlers::legacyJump;
            case SETCC -> set(i.condition);
            case CMOVCC -> move(i.condition);
            default -> null;
        };
    }

    private static Handler jump(int condition) {
        return switch (condition) {
            case 0 -> ConditionHandlers::jo;
            case 1 -> ConditionHandlers::jno;
            case 2 -> ConditionHandlers::jb;
            case 3 -> ConditionHandlers::jnb;
            case 4 -> ConditionHandlers::jz;
            case 5 -> ConditionHandlers::jnz;
            case 6 -> ConditionHandlers::jbe;
            case 7 -> ConditionHandlers::jnbe;
            case 8 -> ConditionHandlers::js;
            case 9 -> ConditionHandlers::jns;
            case 10 -> ConditionHandlers::jp;
            case 11 -> ConditionHandlers::jnp;
            case 12 -> ConditionHandlers::jl;
            case 13 -> ConditionHandlers::jnl;
            case 14 -> ConditionHandlers::jle;
            default -> ConditionHandlers::jnle;
        };
    }

    private static Handler set(int condition) {
        return switch (condition) {
            case 0 -> ConditionHandlers::seto;
            case 1 -> ConditionHandlers::setno;
            case 2 -> ConditionHandlers::setb;
            case 3 -> ConditionHandlers::setnb;
            case 4 -> ConditionHandlers::setz;
            case 5 -> ConditionHandlers::setnz;
            case 6 -> ConditionHandlers::setbe;
            case 7 -> ConditionHandlers::setnbe;
            case 8 -> ConditionHandlers::sets;
            case 9 -> ConditionHandlers::setns;
            case 10 -> ConditionHandlers::setp;
            case 11 -> ConditionHandlers::setnp;
            case 12 -> ConditionHandlers::setl;
            case 13 -> ConditionHandlers::setnl;
            case 14 -> ConditionHandlers::setle;
            default -> ConditionHandlers::setnle;
        };
    }

    private static Handler move(int condition) {
        return switch (condition) {
            case 0 -> ConditionHandlers::cmovo;
            case 1 -> ConditionHandlers::cmovno;
            case 2 -> ConditionHandlers::cmovb;
            case 3 -> ConditionHandlers::cmovnb;
            case 4 -> ConditionHandlers::cmovz;
            case 5 -> ConditionHandlers::cmovnz;
            case 6 -> ConditionHandlers::cmovbe;
            case 7 -> ConditionHandlers::cmovnbe;
            case 8 -> ConditionHandlers::cmovs;
            case 9 -> ConditionHandlers::cmovns;
            case 10 -> ConditionHandlers::cmovp;
            case 11 -> ConditionHandlers::cmovnp;
            case 12 -> ConditionHandlers::cmovl;
            case 13 -> ConditionHandlers::cmovnl;
            case 14 -> ConditionHandlers::cmovle;
            default -> ConditionHandlers::cmovnle;
        };
    }

    private static void legacyJump(Cpu c, Instruction i) {
        if (c.flags.condition(i.condition)) {
            c.jump(c.rip + i.imm, i.operandSize);
        }
    }

    private static void set(Cpu c, Instruction i, boolean condition) {
        int value = condition ? 1 : 0;
        if (i.kind0 == Instruction.MEM) {
            c.store8(i, value);
        } else if (i.kind0 == Instruction.GPR) {
            c.gpr[i.reg0] = c.gpr[i.reg0] & ~0xffL | value;
        } else {
            c.setRegister(i.kind0, i.reg0, 1, value);
        }
    }

    /** Loads in any case, and in any case a 32-bit move clears the upper half. */
    private static void move(Cpu c, Instruction i, boolean condition) {
        int size = i.operandSize;
        long value = i.kind1 == Instruction.MEM ? c.load(i, size) : c.gpr[i.reg1];
        if (size == 8) {
            if (condition) {
                c.gpr[i.reg0] = value;
            }
        } else if (size == 4) {
            c.gpr[i.reg0] = (condition ? value : c.gpr[i.reg0]) & 0xffffffffL;
        } else if (condition) {
            c.setRegister(Instruction.GPR, i.reg0, size, value);
        }
    }

    private static void jo(Cpu c, Instruction i) {
        if (c.flags.of()) {
            c.rip += i.imm;
        }
    }

    private static void jno(Cpu c, Instruction i) {
        if (!c.flags.of()) {
            c.rip += i.imm;
        }
    }

    private static void jb(Cpu c, Instruction i) {
        if (c.flags.cf()) {
            c.rip += i.imm;
        }
    }

    private static void jnb(Cpu c, Instruction i) {
        if (!c.flags.cf()) {
            c.rip += i.imm;
        }
    }

    private static void jz(Cpu c, Instruction i) {
        if (c.flags.zf()) {
            c.rip += i.imm;
        }
    }

    private static void jnz(Cpu c, Instruction i) {
        if (!c.flags.zf()) {
            c.rip += i.imm;
        }
    }

    private static void jbe(Cpu c, Instruction i) {
        if (c.flags.cf() || c.flags.zf()) {
            c.rip += i.imm;
        }
    }

    private static void jnbe(Cpu c, Instruction i) {
        if (!(c.flags.cf() || c.flags.zf())) {
            c.rip += i.imm;
        }
    }

    private static void js(Cpu c, Instruction i) {
        if (c.flags.sf()) {
            c.rip += i.imm;
        }
    }

    private static void jns(Cpu c, Instruction i) {
        if (!c.flags.sf()) {
            c.rip += i.imm;
        }
    }

    private static void jp(Cpu c, Instruction i) {
        if (c.flags.pf()) {
            c.rip += i.imm;
        }
    }

    private static void jnp(Cpu c, Instruction i) {
        if (!c.flags.pf()) {
            c.rip += i.imm;
        }
    }

    private static void jl(Cpu c, Instruction i) {
        if (c.flags.lessThan()) {
            c.rip += i.imm;
        }
    }

    private static void jnl(Cpu c, Instruction i) {
        if (!c.flags.lessThan()) {
            c.rip += i.imm;
        }
    }

    private static void jle(Cpu c, Instruction i) {
        if (c.flags.zf() || c.flags.lessThan()) {
            c.rip += i.imm;
        }
    }

    private static void jnle(Cpu c, Instruction i) {
        if (!(c.flags.zf() || c.flags.lessThan())) {
            c.rip += i.imm;
        }
    }

    private static void seto(Cpu c, Instruction i) {
        set(c, i, c.flags.of());
    }

    private static void setno(Cpu c, Instruction i) {
        set(c, i, !c.flags.of());
    }

    private static void setb(Cpu c, Instruction i) {
        set(c, i, c.flags.cf());
    }

    private static void setnb(Cpu c, Instruction i) {
        set(c, i, !c.flags.cf());
    }

    private static void setz(Cpu c, Instruction i) {
        set(c, i, c.flags.zf());
    }

    private static void setnz(Cpu c, Instruction i) {
        set(c, i, !c.flags.zf());
    }

    private static void setbe(Cpu c, Instruction i) {
        set(c, i, c.flags.cf() || c.flags.zf());
    }

    private static void setnbe(Cpu c, Instruction i) {
        set(c, i, !(c.flags.cf() || c.flags.zf()));
    }

    private static void sets(Cpu c, Instruction i) {
        set(c, i, c.flags.sf());
    }

    private static void setns(Cpu c, Instruction i) {
        set(c, i, !c.flags.sf());
    }

    private static void setp(Cpu c, Instruction i) {
        set(c, i, c.flags.pf());
    }

    private static void setnp(Cpu c, Instruction i) {
        set(c, i, !c.flags.pf());
    }

    private static void setl(Cpu c, Instruction i) {
        set(c, i, c.flags.lessThan());
    }

    private static void setnl(Cpu c, Instruction i) {
        set(c, i, !c.flags.lessThan());
    }

    private static void setle(Cpu c, Instruction i) {
        set(c, i, c.flags.zf() || c.flags.lessThan());
    }

    private static void setnle(Cpu c, Instruction i) {
        set(c, i, !(c.flags.zf() || c.flags.lessThan()));
    }

    private static void cmovo(Cpu c, Instruction i) {
        move(c, i, c.flags.of());
    }

    private static void cmovno(Cpu c, Instruction i) {
        move(c, i, !c.flags.of());
    }

    private static void cmovb(Cpu c, Instruction i) {
        move(c, i, c.flags.cf());
    }

    private static void cmovnb(Cpu c, Instruction i) {
        move(c, i, !c.flags.cf());
    }

    private static void cmovz(Cpu c, Instruction i) {
        move(c, i, c.flags.zf());
    }

    private static void cmovnz(Cpu c, Instruction i) {
        move(c, i, !c.flags.zf());
    }

    private static void cmovbe(Cpu c, Instruction i) {
        move(c, i, c.flags.cf() || c.flags.zf());
    }

    private static void cmovnbe(Cpu c, Instruction i) {
        move(c, i, !(c.flags.cf() || c.flags.zf()));
    }

    private static void cmovs(Cpu c, Instruction i) {
        move(c, i, c.flags.sf());
    }

    private static void cmovns(Cpu c, Instruction i) {
        move(c, i, !c.flags.sf());
    }

    private static void cmovp(Cpu c, Instruction i) {
        move(c, i, c.flags.pf());
    }

    private static void cmovnp(Cpu c, Instruction i) {
        move(c, i, !c.flags.pf());
    }

    private static void cmovl(Cpu c, Instruction i) {
        move(c, i, c.flags.lessThan());
    }

    private static void cmovnl(Cpu c, Instruction i) {
        move(c, i, !c.flags.lessThan());
    }

    private static void cmovle(Cpu c, Instruction i) {
        move(c, i, c.flags.zf() || c.flags.lessThan());
    }

    private static void cmovnle(Cpu c, Instruction i) {
        move(c, i, !(c.flags.zf() || c.flags.lessThan()));
    }
}
