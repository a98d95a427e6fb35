package org.javisor.interpreter;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/** Instructions on descriptors and descriptor tables (Intel SDM vol. 2; vol. 3A, 5.10). */
final class DescriptorHandlers {
    private DescriptorHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case LGDT, LIDT -> DescriptorHandlers::loadTable;
            case SGDT, SIDT -> DescriptorHandlers::storeTable;
            case LLDT, LTR -> DescriptorHandlers::loadSystem;
            case SLDT, STR -> DescriptorHandlers::storeSystem;
            case LAR, LSL -> DescriptorHandlers::inspect;
            case VERR, VERW -> DescriptorHandlers::verify;
            case ARPL -> DescriptorHandlers::arpl;
            default -> null;
        };
    }

    private static void loadTable(Cpu c, Instruction i) {
        c.requireCpl0();
        int limit = c.load16(i);
        long base;
        if (c.code64) {
            base = c.load64(i, 2);
            if (base << 16 >> 16 != base) {
                throw GuestFault.gp0();
            }
        } else {
            base = c.load32(i, 2) & (i.operandSize == 2 ? 0xffffffL : 0xffffffffL);
        }
        if (i.op == Op.LGDT) {
            c.control.gdtBase = base;
            c.control.gdtLimit = limit;
        } else {
            c.control.idtBase = base;
            c.control.idtLimit = limit;
        }
    }

    private static void storeTable(Cpu c, Instruction i) {
        SystemHandlers.requireNotUmip(c);
        boolean gdt = i.op == Op.SGDT;
        long base = gdt ? c.control.gdtBase : c.control.idtBase;
        c.store16(i, gdt ? c.control.gdtLimit : c.control.idtLimit);
        if (c.code64) {
            c.store64(i, 2, base);
        } else {
            c.store32(i, 2, (int) base);
        }
    }

    private static void requireProtected(Cpu c) {
        if (!c.control.protectedMode()) {
            throw GuestFault.ud();
        }
    }

    private static void loadSystem(Cpu c, Instruction i) {
        requireProtected(c);
        c.requireCpl0();
        int selector = (int) c.operand0(i, 2);
        if (i.op == Op.LLDT) {
            Descriptors.loadLdt(c, selector);
        } else {
            Descriptors.loadTask(c, selector);
        }
    }

    private static void storeSystem(Cpu c, Instruction i) {
        requireProtected(c);
        SystemHandlers.requireNotUmip(c);
        int selector = c.segments.selector[i.op == Op.SLDT ? Cpu.LDTR : Cpu.TR];
        c.setOperand0(i, i.kind0 == Instruction.MEM ? 2 : i.operandSize, selector);
    }

    /** The descriptor a selector names, or 0 if it is null or lies outside its table. */
    private static long descriptor(Cpu c, int selector) {
        if (Descriptors.isNull(selector)) {
            return 0;
        }
        long at = Descriptors.address(c, selector, 8);
        return at == -1 ? 0 : Descriptors.readSystem(c, at, 8);
    }

    private static boolean visible(Cpu c, int selector, long descriptor) {
        if (Descriptors.code(descriptor) && Descriptors.conforming(descriptor)) {
            return true;
        }
        return Descriptors.dpl(descriptor) >= Math.max(c.cpl, selector & 3);
    }

    private static void inspect(Cpu c, Instruction i) {
        requireProtected(c);
        int selector = (int) (i.kind1 == Instruction.MEM ? c.load16(i) : c.gpr[i.reg1] & 0xffff);
        long descriptor = descriptor(c, selector);
        boolean lar = i.op == Op.LAR;
        boolean ok =
                descriptor != 0
                        && visible(c, selector, descriptor)
                        && (Descriptors.notSystem(descriptor)
                                || systemType(
                                        Descriptors.type(descriptor), lar, c.control.longMode()));
        c.setFlags(Flags.ZF, ok ? Flags.ZF : 0);
        if (ok) {
            long value = lar ? descriptor >>> 32 & 0xffff00 : Descriptors.limit(descriptor);
            c.setRegister(i.kind0, i.reg0, i.operandSize, value);
        }
    }

    /** Types valid for LAR and LSL: TSSs and LDT; for LAR also call and task gates. */
    private static boolean systemType(int type, boolean lar, boolean longMode) {
        int valid =
                longMode ? 1 << 2 | 1 << 9 | 1 << 11 : 1 << 1 | 1 << 2 | 1 << 3 | 1 << 9 | 1 << 11;
        if (lar) {
            valid |= longMode ? 1 << 12 : 1 << 4 | 1 << 5 | 1 << 12;
        }
        return (valid >>> type & 1) != 0;
    }

    private static void verify(Cpu c, Instruction i) {
        requireProtected(c);
        int selector = (int) c.operand0(i, 2);
        long descriptor = descriptor(c, selector);
        boolean ok =
                descriptor != 0
                        && Descriptors.notSystem(descriptor)
                        && visible(c, selector, descriptor);
        if (i.op == Op.VERR) {
            ok =
                    ok
                            && (!Descriptors.code(descriptor)
                                    || Descriptors.writableOrReadable(descriptor));
        } else {
            ok = ok && !Descriptors.code(descriptor) && Descriptors.writableOrReadable(descriptor);
        }
        c.setFlags(Flags.ZF, ok ? Flags.ZF : 0);
    }

    private static void arpl(Cpu c, Instruction i) {
        requireProtected(c);
        long value = i.kind0 == Instruction.MEM ? c.rmwLoad(i, 2) : c.gpr[i.reg0] & 0xffff;
        long rpl = c.gpr[i.reg1] & 3;
        boolean raise = (value & 3) < rpl;
        if (raise) {
            value = value & ~3L | rpl;
            if (i.kind0 == Instruction.MEM) {
                c.rmwStore(2, false, 0, value);
            } else {
                c.setRegister(i.kind0, i.reg0, 2, value);
            }
        }
        c.setFlags(Flags.ZF, raise ? Flags.ZF : 0);
    }
}
