package org.javisor.translator;

import static org.javisor.translator.Assembler.*;

import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * Writes an instruction anew as it was, with its registers renamed and its memory operand at the
 * host address that a {@link MemoryProbe} found.
 */
final class CopiedInstruction {
    private final BlockTranslator block;

    /** Of the memory operand. */
    private HostAddress address;

    // Where the last instruction lies in the buffer
    private int start;
    private int end;

    CopiedInstruction(BlockTranslator block) {
        this.block = block;
    }

    /** A block begins. */
    void begin() {
        end = 0;
    }

    /** Whether there are scratch registers enough, and an encoding. */
    static boolean possible(Instruction i) {
        if (high(i)) {
            return highPossible(i);
        }
        int spilled = 0;
        int seen = 0;
        int[] registers = {i.reg0, i.reg1, i.reg2};
        int[] kinds = {i.kind0, i.kind1, i.kind2};
        for (int n = 0; n < 3; n++) {
            if (kinds[n] == Instruction.GPR
                    && Gpr.host(registers[n]) == Gpr.SPILLED
                    && (seen & 1 << registers[n]) == 0) {
                seen |= 1 << registers[n];
                spilled++;
            }
        }
        int available = (i.hasMemory() ? 1 : 2) - (countsByCl(i) ? 1 : 0);
        return spilled <= available && (i.kind3 == Instruction.NONE || i.vex());
    }

    private static boolean high(Instruction i) {
        return i.kind0 == Instruction.GPR_HIGH || i.kind1 == Instruction.GPR_HIGH;
    }

    private static boolean countsByCl(Instruction i) {
        return switch (i.op) {
            case ROL, ROR, RCL, RCR, SHL, SHR, SAR -> i.kind1 == Instruction.GPR;
            case SHLD, SHRD -> i.kind2 == Instruction.GPR;
            default -> false;
        };
    }

    /** Whether the scratch register is free until memory has been addressed. */
    private static boolean leavesScratch(Instruction i) {
        if (high(i) || countsByCl(i)) {
            return false;
        }
        boolean firstIsRead = i.vex() || !Operands.overwritesFirst(i);
        return !(spilled(i.kind0, i.reg0) && firstIsRead)
                && !spilled(i.kind1, i.reg1)
                && !spilled(i.kind2, i.reg2);
    }

    private static boolean spilled(int kind, int register) {
        return kind == Instruction.GPR && Gpr.host(register) == Gpr.SPILLED;
    }

    /**
     * @param at where its bytes begin in the page
     */
    void emit(Instruction i, int at) {
        byte[] bytes = block.bytes;
        Assembler a = block.asm;
        if (i.hasMemory()) {
            address =
                    block.probe()
                            .operand(
                                    i,
                                    i.memorySize,
                                    Operands.writesMemory(i),
                                    Operands.alignment(i),
                                    leavesScratch(i));
        }
        if (high(i)) {
            emitHigh(a, i, at);
        } else if (i.vex()) {
            emitVex(a, i, at);
        } else if (i.modrmOffset < 0) {
            emitWithoutModrm(a, i, at);
        } else {
            emitWithModrm(a, i, at, bytes[at + i.modrmOffset] & 0xff);
        }
    }

    private void prefixes(Assembler a, Instruction i, int at) {
        start = a.size();
        for (int n = 0; n < i.prefixLength; n++) {
            int b = block.bytes[at + n] & 0xff;
            boolean counts = b == 0x66 || b == 0xf0 || b == 0xf2 || b == 0xf3;
            // Without BMI1 and LZCNT these are BSF and BSR with a prefix that says nothing.
            boolean bitScan = (i.op == Op.TZCNT || i.op == Op.LZCNT) && !block.offers(i);
            if (counts && !(bitScan && b == 0xf3)) {
                a.emit(b);
            }
        }
    }

    private void opcode(Assembler a, Instruction i, int code) {
        if (i.map != MAP_1) {
            a.emit(0x0f);
            if (i.map == MAP_0F38) {
                a.emit(0x38);
            } else if (i.map == MAP_0F3A) {
                a.emit(0x3a);
            }
        }
        a.emit(code);
    }

    private void immediates(Assembler a, Instruction i, int at) {
        for (int n = i.length - i.immSize; n < i.length; n++) {
            a.emit(block.bytes[at + n]);
        }
        end = a.size();
    }

    /**
     * Makes the code some bytes longer without coming between the last instruction and what
     * follows: processors carry out a comparison and a jump as one if they lie side by side.
     *
     * @param bytes 0 to 3
     */
    void pad(int bytes) {
        Assembler a = block.asm;
        if (a.size() == end) {
            a.insertNop(start, bytes);
        } else {
            a.nop(bytes);
        }
    }

    // AH to BH: no REX prefix may be there, so no host register from R8 on

    private static boolean highPossible(Instruction i) {
        boolean usesCh =
                i.kind0 == Instruction.GPR_HIGH && i.reg0 == 1
                        || i.kind1 == Instruction.GPR_HIGH && i.reg1 == 1;
        boolean usesRsp =
                i.kind0 == Instruction.GPR && i.reg0 == RSP
                        || i.kind1 == Instruction.GPR && i.reg1 == RSP;
        boolean usesRcx =
                i.kind0 == Instruction.GPR && i.reg0 == RCX
                        || i.kind1 == Instruction.GPR && i.reg1 == RCX;
        return i.modrmOffset >= 0
                && i.rex == 0
                && !usesRsp
                && !(i.hasMemory() && (usesCh || usesRcx));
    }

    private void emitHigh(Assembler a, Instruction i, int at) {
        int modrm = block.bytes[at + i.modrmOffset] & 0xff;
        if (i.hasMemory()) {
            address.set(a);
            a.leaMem(Gpr.SCRATCH);
            modrm = modrm & 0x38 | RCX;
        } else {
            a.mov(Gpr.SCRATCH, Gpr.RCX);
        }
        prefixes(a, i, at);
        opcode(a, i, i.opcode);
        a.emit(modrm);
        immediates(a, i, at);
        if (!i.hasMemory()) {
            if (i.operandSize == 4) {
                // A 32-bit destination other than RCX leaves the whole of it as it was.
                boolean toRcx = i.kind0 == Instruction.GPR && i.reg0 == RCX;
                if (toRcx) {
                    a.mov(Gpr.RCX, Gpr.SCRATCH);
                }
            } else {
                a.mov(Gpr.RCX, Gpr.SCRATCH);
            }
        }
    }

    // Registers in the opcode, accumulators, nothing at all

    private void emitWithoutModrm(Assembler a, Instruction i, int at) {
        if (i.op == Op.MOV && i.hasMemory()) {
            boolean load = i.kind0 != Instruction.MEM;
            int code = (load ? 0x8a : 0x88) | (i.operandSize == 1 ? 0 : 1);
            address.set(a);
            a.opMem(i.operandSize == 2 ? 0x66 : 0, i.operandSize == 8, MAP_1, code, RAX, false);
            return;
        }
        boolean inOpcode =
                i.op == Op.BSWAP
                        || i.op == Op.XCHG
                        || i.op == Op.MOV && i.opcode >= 0xb0 && i.opcode < 0xc0;
        if (!inOpcode) {
            prefixes(a, i, at);
            if (i.wide()) {
                a.emit(0x48);
            }
            opcode(a, i, i.opcode);
            immediates(a, i, at);
            return;
        }
        if (i.op == Op.XCHG) {
            exchangeWithAccumulator(a, i);
            return;
        }
        int host = Gpr.host(i.reg0);
        boolean spilled = host == Gpr.SPILLED;
        int register = spilled ? Gpr.SCRATCH : host;
        if (spilled) {
            a.loadState(register, ProcessorBlock.register(i.reg0));
        }
        prefixes(a, i, at);
        int rex = i.rex & 8 | (register & 8) >> 3;
        if (rex != 0 || i.rex != 0) {
            a.emit(0x40 | rex);
        }
        opcode(a, i, i.opcode & 0xf8 | register & 7);
        immediates(a, i, at);
        if (spilled) {
            a.storeState(ProcessorBlock.register(i.reg0), register);
        }
    }

    private void exchangeWithAccumulator(Assembler a, Instruction i) {
        int other = i.reg0 == RAX ? i.reg1 : i.reg0;
        int host = block.read(other, Gpr.SCRATCH);
        a.op(i.operandSize == 2 ? 0x66 : 0, i.operandSize == 8, MAP_1, 0x87, RAX, host, false);
        if (host == Gpr.SCRATCH) {
            a.storeState(ProcessorBlock.register(other), host);
        }
    }

    // The ordinary form

    private void emitWithModrm(Assembler a, Instruction i, int at, int modrm) {
        boolean memory = i.hasMemory();
        int regField = modrm >> 3 & 7 | (i.rex & 4) << 1;
        int rmField = modrm & 7 | (i.rex & 1) << 3;
        boolean regIsGpr = !opcodeExtension(i) && fieldIsGpr(i, false);
        boolean rmIsGpr = !memory && fieldIsGpr(i, true);
        int free = countsByCl(i) ? Gpr.ADDRESS : Gpr.SCRATCH;
        int reg = regField;
        int rm = memory ? address.base() : rmField;
        boolean rmFirst = opcodeExtension(i) || rmIsFirst(i);
        boolean regSpilled = false;
        boolean rmSpilled = false;
        if (regIsGpr) {
            reg = Gpr.host(regField);
            regSpilled = reg == Gpr.SPILLED;
            if (regSpilled) {
                reg = free;
                free = Gpr.ADDRESS;
                if (rmFirst || !Operands.overwritesFirst(i) || rmIsGpr && rmField == regField) {
                    a.loadState(reg, ProcessorBlock.register(regField));
                }
            }
        }
        if (rmIsGpr) {
            rm = Gpr.host(rmField);
            if (rm == Gpr.SPILLED) {
                if (regSpilled && rmField == regField) {
                    rm = reg;
                } else {
                    rmSpilled = true;
                    rm = free;
                    if (!rmFirst || !Operands.overwritesFirst(i)) {
                        a.loadState(rm, ProcessorBlock.register(rmField));
                    }
                }
            }
        }
        if (countsByCl(i)) {
            a.mov32(Gpr.SCRATCH, Gpr.RCX);
        }
        int field = block.flags().memoryField();
        if (field >= 0) {
            address.set(a);
            loadScratch(a, i.operandSize);
            a.storeState(field, Gpr.SCRATCH);
            memory = false;
            rm = Gpr.SCRATCH;
        }
        prefixes(a, i, at);
        int rex = i.rex & 8 | (reg & 8) >> 1 | (rm & 8) >> 3;
        if (rex != 0 || i.rex != 0) {
            a.emit(0x40 | rex);
        }
        opcode(a, i, i.opcode);
        if (memory) {
            address.set(a);
            a.modrmMem(reg);
        } else {
            a.emit(0xc0 | (reg & 7) << 3 | rm & 7);
        }
        immediates(a, i, at);
        if (i.op == Op.PCMPESTRI || i.op == Op.PCMPISTRI) {
            a.mov32(Gpr.RCX, Gpr.SCRATCH);
        }
        boolean both = i.op == Op.XCHG || i.op == Op.XADD;
        boolean firstKept = Operands.keepsFirst(i);
        if (regSpilled && (both || !rmFirst && !firstKept)) {
            a.storeState(ProcessorBlock.register(regField), reg);
        }
        boolean rmHolds = rmSpilled || rmIsGpr && regSpilled && rmField == regField;
        if (rmHolds && (both || rmFirst && !firstKept)) {
            a.storeState(ProcessorBlock.register(rmField), rm);
        }
    }

    /** The memory operand, of 1 to 8 bytes, to the scratch register. */
    private static void loadScratch(Assembler a, int size) {
        if (size < 4) {
            a.opMem(0, false, MAP_0F, size == 1 ? 0xb6 : 0xb7, Gpr.SCRATCH, false); // movzx
        } else {
            a.opMem(size == 8, 0x8b, Gpr.SCRATCH);
        }
    }

    // VEX encodings

    private void emitVex(Assembler a, Instruction i, int at) {
        if (i.modrmOffset < 0) {
            for (int n = 0; n < i.length; n++) {
                a.emit(block.bytes[at + n]);
            }
            return;
        }
        int modrm = block.bytes[at + i.modrmOffset] & 0xff;
        boolean memory = i.hasMemory();
        int reg = modrm >> 3 & 7 | (i.rex & 4) << 1;
        int rm = modrm & 7 | (i.rex & 1) << 3;
        int vvvv = i.vexRegister;
        int first = -1;
        int second = -1;
        if (Operands.vector(i)) {
            if (i.kind0 == Instruction.GPR && !rmIsFirst(i)) {
                first = reg;
                reg = place(a, reg, Gpr.SCRATCH);
            } else if (!memory
                    && (i.kind0 == Instruction.GPR
                            || i.kind1 == Instruction.GPR
                            || i.kind2 == Instruction.GPR)) {
                first = i.kind0 == Instruction.GPR ? rm : -1;
                rm = place(a, rm, Gpr.SCRATCH);
            }
            write(a, i, at, reg, vvvv, memory, rm);
            if (i.op == Op.PCMPESTRI || i.op == Op.PCMPISTRI) {
                a.mov32(Gpr.RCX, Gpr.SCRATCH);
            }
            store(a, first, Gpr.SCRATCH);
            return;
        }
        // Of three general registers, two at most are not in the host's.
        int guestReg = reg;
        int guestVvvv = vvvv;
        int guestRm = rm;
        int free = Gpr.SCRATCH;
        boolean extension = i.op == Op.BLSI || i.op == Op.BLSR || i.op == Op.BLSMSK;
        if (!extension) {
            reg = place(a, guestReg, free);
            free = reg == free ? Gpr.ADDRESS : free;
        }
        if (i.op != Op.RORX) {
            vvvv = guestVvvv == guestReg && !extension ? reg : place(a, guestVvvv, free);
            free = vvvv == free ? Gpr.ADDRESS : free;
        }
        if (!memory) {
            rm =
                    guestRm == guestReg && !extension
                            ? reg
                            : guestRm == guestVvvv && i.op != Op.RORX
                                    ? vvvv
                                    : place(a, guestRm, free);
        }
        write(a, i, at, reg, vvvv, memory, rm);
        if (!extension) {
            store(a, guestReg, reg);
        }
        if (extension || i.op == Op.MULX) {
            store(a, guestVvvv, vvvv);
        }
    }

    /** The host register of a guest's, or a free one with its value. */
    private int place(Assembler a, int guest, int free) {
        int host = Gpr.host(guest);
        if (host != Gpr.SPILLED) {
            return host;
        }
        a.loadState(free, ProcessorBlock.register(guest));
        return free;
    }

    private static void store(Assembler a, int guest, int from) {
        if (guest >= 0 && Gpr.host(guest) == Gpr.SPILLED) {
            a.storeState(ProcessorBlock.register(guest), from);
        }
    }

    private void write(
            Assembler a, Instruction i, int at, int reg, int vvvv, boolean memory, int rm) {
        boolean is256 = (i.flags & Instruction.VEX_256) != 0;
        start = a.size();
        if (memory) {
            address.set(a);
            a.vexMem(i.mandatoryPrefix, i.map, i.wide(), is256, i.opcode, reg, vvvv);
        } else {
            a.vex(i.mandatoryPrefix, i.map, i.wide(), is256, i.opcode, reg, vvvv, rm);
        }
        immediates(a, i, at);
    }

    /** Whether ModRM.reg extends the opcode instead of naming a register. */
    static boolean opcodeExtension(Instruction i) {
        int code = i.opcode;
        if (i.map == MAP_1) {
            return code >= 0x80 && code <= 0x83
                    || code == 0x8f
                    || code == 0xc0
                    || code == 0xc1
                    || code == 0xc6
                    || code == 0xc7
                    || code >= 0xd0 && code <= 0xd3
                    || code >= 0xd8 && code <= 0xdf
                    || code == 0xf6
                    || code == 0xf7
                    || code == 0xfe
                    || code == 0xff;
        }
        if (i.map == MAP_0F) {
            return code >= 0x71 && code <= 0x73
                    || code >= 0x90 && code <= 0x9f
                    || code == 0xba
                    || code == 0xae
                    || code == 0xc7;
        }
        return false;
    }

    /** Whether ModRM.rm is the first operand although ModRM.reg is one too. */
    private static boolean rmIsFirst(Instruction i) {
        int code = i.opcode;
        return switch (i.map) {
            case MAP_1 -> code < 0x40 && (code & 7) < 2 || code >= 0x84 && code <= 0x89;
            case MAP_0F ->
                    switch (code) {
                        case 0x7e -> i.mandatoryPrefix != 2;
                        case 0x11, 0x13, 0x17, 0x29, 0x2b, 0x7f, 0xd6, 0xe7 -> true;
                        case 0xa3, 0xab, 0xb3, 0xbb, 0xa4, 0xa5, 0xac, 0xad -> true;
                        case 0xb0, 0xb1, 0xc0, 0xc1, 0xc3 -> true;
                        default -> false;
                    };
            case MAP_0F3A -> code >= 0x14 && code <= 0x17;
            default -> i.op == Op.MOVBE && code == 0xf1;
        };
    }

    /** Whether the register that a ModRM field names is a general one. */
    private static boolean fieldIsGpr(Instruction i, boolean rm) {
        if (opcodeExtension(i)) {
            return rm && i.kind0 == Instruction.GPR;
        }
        int kind = rm == rmIsFirst(i) ? i.kind0 : i.kind1;
        if (kind == Instruction.MEM) {
            kind = i.kind0 == Instruction.MEM ? i.kind1 : i.kind0;
        }
        return kind == Instruction.GPR;
    }
}
