package org.javisor.interpreter;

import static org.javisor.interpreter.ControlRegisters.*;

import org.javisor.hypervisor.CpuidTable;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;
import org.javisor.x86.XsaveImage;

/**
 * Privileged and sensitive instructions (Intel SDM vol. 2; vol. 3A, 2.8), and what the processor
 * refuses.
 */
final class SystemHandlers {
    /** The process-context identifier in CR3. */
    private static final int PCID = 0xfff;

    private SystemHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case INVALID,
                    UD0,
                    UD1,
                    UD2,
                    RSM,
                    RDPMC,
                    VMCALL,
                    VMMCALL,
                    VMLAUNCH,
                    VMRESUME,
                    VMXOFF,
                    VMREAD,
                    VMWRITE,
                    VMRUN ->
                    SystemHandlers::undefined;
            case MONITOR, MWAIT, RDPID, INVPCID, MOVDIRI, MOVDIR64B, XSAVES, XRSTORS ->
                    SystemHandlers::undefined;
            case SERIALIZE -> SystemHandlers::serialize;
            case TOO_LONG -> SystemHandlers::tooLong;
            case MOV -> selectMove(i);
            case POP -> i.kind0 == Instruction.SEG ? SystemHandlers::popSegment : null;
            case LDS, LES, LFS, LGS, LSS -> SystemHandlers::loadFarPointer;
            case POPF -> SystemHandlers::popFlags;
            case CLI -> SystemHandlers::cli;
            case STI -> SystemHandlers::sti;
            case CLAC -> SystemHandlers::clac;
            case STAC -> SystemHandlers::stac;
            case HLT -> SystemHandlers::halt;
            case INT -> (c, n) -> interrupt(c, (int) n.imm & 0xff);
            case INT3 -> (c, n) -> interrupt(c, GuestFault.BP);
            case INT1 -> SystemHandlers::int1;
            case INTO -> SystemHandlers::into;
            case IRET -> FarTransfers::interruptReturn;
            case JMP_FAR -> FarTransfers::jumpFar;
            case CALL_FAR -> FarTransfers::callFar;
            case RET_FAR -> FarTransfers::returnFar;
            case SYSCALL -> FarTransfers::syscall;
            case SYSRET -> FarTransfers::sysret;
            case SYSENTER -> FarTransfers::sysenter;
            case SYSEXIT -> FarTransfers::sysexit;
            case SWAPGS -> SystemHandlers::swapgs;
            case CPUID -> SystemHandlers::cpuid;
            case RDTSC -> SystemHandlers::rdtsc;
            case RDTSCP -> SystemHandlers::rdtscp;
            case RDMSR -> MsrAccess::read;
            case WRMSR -> MsrAccess::write;
            case XGETBV -> SystemHandlers::xgetbv;
            case XSETBV -> SystemHandlers::xsetbv;
            case CLTS -> SystemHandlers::clts;
            case LMSW -> SystemHandlers::lmsw;
            case SMSW -> SystemHandlers::smsw;
            case INVLPG -> SystemHandlers::invlpg;
            case INVD, WBINVD, WBNOINVD -> (c, n) -> c.requireCpl0();
            case RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE -> SystemHandlers::segmentBase;
            case LGDT, LIDT, SGDT, SIDT, LLDT, LTR, SLDT, STR, LAR, LSL, VERR, VERW, ARPL ->
                    DescriptorHandlers.select(i);
            default -> null;
        };
    }

    private static Handler selectMove(Instruction i) {
        if (i.kind0 == Instruction.SEG) {
            return SystemHandlers::moveToSegment;
        }
        if (i.kind0 == Instruction.CR) {
            return SystemHandlers::moveToControl;
        }
        if (i.kind1 == Instruction.CR) {
            return SystemHandlers::moveFromControl;
        }
        if (i.kind0 == Instruction.DR || i.kind1 == Instruction.DR) {
            return SystemHandlers::moveDebug;
        }
        return null;
    }

    /** Instructions take effect one after the other anyway; decoded ones are fetched anew. */
    private static void serialize(Cpu c, Instruction i) {
        c.endBlock();
    }

    static void undefined(Cpu c, Instruction i) {
        throw GuestFault.ud();
    }

    private static void tooLong(Cpu c, Instruction i) {
        throw GuestFault.gp0();
    }

    // Segment registers

    private static void moveToSegment(Cpu c, Instruction i) {
        int selector = (int) (i.kind1 == Instruction.MEM ? c.load16(i) : c.gpr[i.reg1] & 0xffff);
        loadSegment(c, i.reg0, selector);
    }

    private static void popSegment(Cpu c, Instruction i) {
        int selector = (int) c.peek(i.operandSize, 0) & 0xffff;
        int width = c.stackSize();
        loadSegment(c, i.reg0, selector);
        // By the stack width from before: a new SS applies from the next instruction on.
        long top = c.gpr[Cpu.RSP] + i.operandSize;
        long mask = Cpu.mask(width);
        c.gpr[Cpu.RSP] = width == 2 ? c.gpr[Cpu.RSP] & ~mask | top & mask : top & mask;
    }

    private static void loadSegment(Cpu c, int register, int selector) {
        Descriptors.load(c, register, selector);
        if (register == Cpu.SS) {
            c.vcpu.shadowInterrupts();
        }
    }

    private static void loadFarPointer(Cpu c, Instruction i) {
        int register =
                switch (i.op) {
                    case LES -> Cpu.ES;
                    case LDS -> Cpu.DS;
                    case LFS -> Cpu.FS;
                    case LGS -> Cpu.GS;
                    default -> Cpu.SS;
                };
        long offset = loadAt(c, i, i.operandSize);
        int selector = c.load16(i, i.operandSize);
        loadSegment(c, register, selector);
        c.setRegister(i.kind0, i.reg0, i.operandSize, offset);
    }

    private static long loadAt(Cpu c, Instruction i, int size) {
        return c.load(i, size);
    }

    static void segmentBase(Cpu c, Instruction i) {
        if (!c.code64 || !c.control.has4(CR4_FSGSBASE)) {
            throw GuestFault.ud();
        }
        int segment = i.op == Op.RDFSBASE || i.op == Op.WRFSBASE ? Cpu.FS : Cpu.GS;
        if (i.op == Op.RDFSBASE || i.op == Op.RDGSBASE) {
            c.setRegister(i.kind0, i.reg0, i.operandSize, c.segments.base[segment]);
            return;
        }
        long base = c.register(i.kind0, i.reg0, i.operandSize);
        if (base << 16 >> 16 != base) {
            throw GuestFault.gp0();
        }
        c.segments.base[segment] = base;
    }

    private static void swapgs(Cpu c, Instruction i) {
        if (!c.code64) {
            throw GuestFault.ud();
        }
        c.requireCpl0();
        long base = c.segments.base[Cpu.GS];
        c.segments.base[Cpu.GS] = c.msr.kernelGsBase;
        c.msr.kernelGsBase = base;
    }

    // Flags and interrupts

    private static void requireIopl(Cpu c) {
        if (c.cpl > c.flags.iopl()) {
            throw GuestFault.gp0();
        }
    }

    private static void cli(Cpu c, Instruction i) {
        requireIopl(c);
        c.flags.system &= ~Flags.IF;
        c.vcpu.events().updateMask();
    }

    private static void sti(Cpu c, Instruction i) {
        requireIopl(c);
        if (!c.flags.has(Flags.IF)) {
            c.flags.system |= Flags.IF;
            c.vcpu.shadowInterrupts();
        }
    }

    private static void clac(Cpu c, Instruction i) {
        requireSmap(c);
        c.flags.system &= ~Flags.AC;
        c.mmu.updateContext();
    }

    private static void stac(Cpu c, Instruction i) {
        requireSmap(c);
        c.flags.system |= Flags.AC;
        c.mmu.updateContext();
    }

    private static void requireSmap(Cpu c) {
        if (c.cpl != 0) {
            throw GuestFault.ud();
        }
    }

    private static void popFlags(Cpu c, Instruction i) {
        long value = c.pop(i.operandSize);
        int changeable = Flags.ARITHMETIC | Flags.TF | Flags.DF | Flags.NT;
        if (i.operandSize > 2) {
            changeable |= Flags.AC | Flags.ID;
        }
        if (c.cpl <= c.flags.iopl()) {
            changeable |= Flags.IF;
        }
        if (c.cpl == 0) {
            changeable |= Flags.IOPL;
        }
        FarTransfers.setFlags(c, value, changeable);
        if (i.operandSize > 2) {
            c.flags.system &= ~Flags.RF;
        }
    }

    private static void interrupt(Cpu c, int vector) {
        c.vcpu.events().software(vector);
    }

    private static void int1(Cpu c, Instruction i) {
        c.vcpu.events().software(GuestFault.DB);
    }

    private static void into(Cpu c, Instruction i) {
        if (c.flags.of()) {
            interrupt(c, GuestFault.OF);
        }
    }

    private static void halt(Cpu c, Instruction i) {
        c.requireCpl0();
        c.vcpu.halt();
    }

    // Control and debug registers

    private static void moveToControl(Cpu c, Instruction i) {
        c.requireCpl0();
        long value = c.gpr[i.reg1] & Cpu.mask(i.operandSize);
        switch (i.reg0) {
            case 0 -> setCr0(c, value);
            case 2 -> c.control.cr2 = value;
            case 3 -> setCr3(c, value);
            case 4 -> setCr4(c, value);
            case 8 -> {
                if ((value & ~0xfL) != 0) {
                    throw GuestFault.gp0();
                }
                c.vcpu.events().setCr8(value);
            }
            default -> throw GuestFault.ud();
        }
    }

    private static void moveFromControl(Cpu c, Instruction i) {
        c.requireCpl0();
        long value =
                switch (i.reg1) {
                    case 0 -> c.control.cr0;
                    case 2 -> c.control.cr2;
                    case 3 -> c.control.cr3;
                    case 4 -> c.control.cr4;
                    case 8 -> c.vcpu.events().cr8();
                    default -> throw GuestFault.ud();
                };
        c.gpr[i.reg0] = value & Cpu.mask(i.operandSize);
    }

    static void setCr0(Cpu c, long value) {
        ControlRegisters r = c.control;
        boolean paging = (value & CR0_PG) != 0;
        boolean illegal =
                value >>> 32 != 0
                        || paging && (value & CR0_PE) == 0
                        || (value & (CR0_NW | CR0_CD)) == CR0_NW
                        || !paging && r.has4(CR4_PCIDE);
        if (illegal) {
            throw GuestFault.gp0();
        }
        value = value & CR0_DEFINED | CR0_ET;
        boolean pagingChanges = paging != r.paging();
        if (pagingChanges) {
            if (paging && (r.efer & EFER_LME) != 0) {
                if (!r.has4(CR4_PAE) || (c.segments.attributes[Cpu.CS] & Segments.LONG) != 0) {
                    throw GuestFault.gp0();
                }
                r.efer |= EFER_LMA;
            } else if (paging && r.has4(CR4_PAE) && !c.mmu.walker().loadPdptes(r.cr3)) {
                throw GuestFault.gp0();
            }
            if (!paging) {
                if (c.code64) {
                    throw GuestFault.gp0();
                }
                r.efer &= ~EFER_LMA;
            }
        }
        long changed = r.cr0 ^ value;
        r.cr0 = value;
        if ((changed & (CR0_PG | CR0_WP | CR0_PE)) != 0) {
            c.mmu.flushAll();
            c.vcpu.codeSegmentChanged(c.control.protectedMode() ? c.cpl : 0);
        }
        c.vcpu.unitsChanged();
        c.endBlock();
    }

    private static void setCr3(Cpu c, long value) {
        ControlRegisters r = c.control;
        int before = (int) r.cr3 & PCID;
        boolean keep = value < 0;
        if (r.longMode()) {
            if ((value & ~(1L << 63) & -1L << PageWalker.PHYSICAL_ADDRESS_BITS) != 0) {
                throw GuestFault.gp0();
            }
            value &= ~(1L << 63);
        } else if (r.paging() && r.has4(CR4_PAE) && !c.mmu.walker().loadPdptes(value)) {
            throw GuestFault.gp0();
        }
        r.cr3 = value;
        if (r.longMode() && r.has4(CR4_PCIDE)) {
            c.mmu.changeAddressSpace(before, (int) value & PCID, keep);
        } else {
            c.mmu.flushNonGlobal();
        }
        c.endBlock();
    }

    private static void setCr4(Cpu c, long value) {
        ControlRegisters r = c.control;
        boolean illegal =
                (value & ~CR4_DEFINED & ~CR4_PCE) != 0
                        || (value & CR4_OSXSAVE) != 0 && c.extensions.xcr0() == 0
                        || r.longMode() && (value & CR4_PAE) == 0
                        || (value & CR4_PCIDE & ~r.cr4) != 0
                                && (!r.longMode() || (r.cr3 & 0xfff) != 0);
        if (illegal) {
            throw GuestFault.gp0();
        }
        long paging = CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCIDE | CR4_SMEP | CR4_SMAP;
        boolean pdptes =
                r.paging()
                        && !r.longMode()
                        && ((r.cr4 ^ value) & (CR4_PAE | CR4_PSE | CR4_PGE)) != 0;
        if (pdptes && (value & CR4_PAE) != 0 && !c.mmu.walker().loadPdptes(r.cr3)) {
            throw GuestFault.gp0();
        }
        long changed = r.cr4 ^ value;
        r.cr4 = value;
        if ((changed & paging) != 0) {
            c.mmu.flushAll();
            c.mmu.updateContext();
        }
        c.vcpu.unitsChanged();
        c.endBlock();
    }

    private static void clts(Cpu c, Instruction i) {
        c.requireCpl0();
        c.control.cr0 &= ~CR0_TS;
        c.vcpu.unitsChanged();
    }

    private static void lmsw(Cpu c, Instruction i) {
        c.requireCpl0();
        long value = c.operand0(i, 2) & 0xf;
        long kept = c.control.cr0 & ~0xfL | c.control.cr0 & CR0_PE;
        setCr0(c, kept | value);
    }

    private static void smsw(Cpu c, Instruction i) {
        requireNotUmip(c);
        int size = i.kind0 == Instruction.MEM ? 2 : i.operandSize;
        c.setOperand0(i, size, c.control.cr0 & Cpu.mask(size));
    }

    static void requireNotUmip(Cpu c) {
        if (c.cpl != 0 && c.control.has4(CR4_UMIP)) {
            throw GuestFault.gp0();
        }
    }

    private static void moveDebug(Cpu c, Instruction i) {
        boolean write = i.kind0 == Instruction.DR;
        int number = write ? i.reg0 : i.reg1;
        if (number == 4 || number == 5) {
            if (c.control.has4(CR4_DE)) {
                throw GuestFault.ud();
            }
            number += 2;
        }
        if (number > 7) {
            throw GuestFault.ud();
        }
        c.requireCpl0();
        DebugRegisters d = c.debug;
        if ((d.dr7 & DebugRegisters.DR7_GD) != 0) {
            d.dr6 |= DebugRegisters.DR6_BD;
            d.dr7 &= ~DebugRegisters.DR7_GD;
            throw GuestFault.of(GuestFault.DB);
        }
        if (!write) {
            c.gpr[i.reg0] =
                    (number < 4 ? d.address[number] : number == 6 ? d.dr6 : d.dr7)
                            & Cpu.mask(i.operandSize);
            return;
        }
        long value = c.gpr[i.reg1] & Cpu.mask(i.operandSize);
        if (number >= 6 && value >>> 32 != 0) {
            throw GuestFault.gp0();
        }
        switch (number) {
            case 6 -> d.dr6 = value & 0xe00fL | DebugRegisters.DR6_FIXED;
            case 7 -> d.dr7 = value & 0xffff2bffL | DebugRegisters.DR7_FIXED;
            default -> d.address[number] = value;
        }
        c.vcpu.debugChanged();
    }

    // The rest

    private static void invlpg(Cpu c, Instruction i) {
        c.requireCpl0();
        long offset = c.effectiveAddress(i);
        long linear =
                c.code64
                        ? (i.segment >= Cpu.FS ? c.segments.base[i.segment] : 0) + offset
                        : c.segments.base[i.segment] + offset & 0xffffffffL;
        c.mmu.flushPage(linear);
        c.endBlock();
    }

    private static void cpuid(Cpu c, Instruction i) {
        CpuidTable.Leaf leaf = c.vcpu.cpuid((int) c.gpr[Cpu.RAX], (int) c.gpr[Cpu.RCX]);
        c.gpr[Cpu.RAX] = leaf.eax() & 0xffffffffL;
        c.gpr[Cpu.RBX] = leaf.ebx() & 0xffffffffL;
        c.gpr[Cpu.RCX] = leaf.ecx() & 0xffffffffL;
        c.gpr[Cpu.RDX] = leaf.edx() & 0xffffffffL;
    }

    private static void rdtsc(Cpu c, Instruction i) {
        if (c.cpl != 0 && c.control.has4(CR4_TSD)) {
            throw GuestFault.gp0();
        }
        long ticks = c.vcpu.readTimestamp();
        c.gpr[Cpu.RAX] = ticks & 0xffffffffL;
        c.gpr[Cpu.RDX] = ticks >>> 32;
    }

    private static void rdtscp(Cpu c, Instruction i) {
        rdtsc(c, i);
        c.gpr[Cpu.RCX] = c.msr.tscAux & 0xffffffffL;
    }

    private static void xgetbv(Cpu c, Instruction i) {
        if (!c.control.has4(CR4_OSXSAVE)) {
            throw GuestFault.ud();
        }
        int index = (int) c.gpr[Cpu.RCX];
        if (index != 0 && index != 1) {
            throw GuestFault.gp0();
        }
        // XCR1 does not exist: there the components in use are read.
        long inUse = index == 0 ? -1 : XsaveImage.inUse(c.fpu) | sseModes(c);
        long value = c.control.xcr0 & inUse;
        c.gpr[Cpu.RAX] = value & 0xffffffffL;
        c.gpr[Cpu.RDX] = value >>> 32;
    }

    /** MXCSR belongs to the SSE component. */
    private static long sseModes(Cpu c) {
        return c.fpu.mxcsr == 0x1f80 ? 0 : XsaveImage.SSE;
    }

    private static void xsetbv(Cpu c, Instruction i) {
        if (!c.control.has4(CR4_OSXSAVE)) {
            throw GuestFault.ud();
        }
        c.requireCpl0();
        long value = c.gpr[Cpu.RDX] << 32 | c.gpr[Cpu.RAX] & 0xffffffffL;
        boolean legal =
                (value & XsaveImage.X87) != 0
                        && (value & ~c.extensions.xcr0()) == 0
                        && ((value & XsaveImage.AVX) == 0 || (value & XsaveImage.SSE) != 0);
        if ((int) c.gpr[Cpu.RCX] != 0 || !legal) {
            throw GuestFault.gp0();
        }
        c.control.xcr0 = value;
        c.vcpu.unitsChanged();
    }
}
