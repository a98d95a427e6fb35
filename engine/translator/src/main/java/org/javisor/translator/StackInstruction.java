package org.javisor.translator;

import org.javisor.x86.Instruction;

/** PUSH, POP and LEAVE of 64 bits. */
final class StackInstruction {
    private final BlockTranslator block;

    StackInstruction(BlockTranslator block) {
        this.block = block;
    }

    void push(Instruction i) {
        Assembler a = block.asm;
        switch (i.kind0) {
            case Instruction.IMM -> {
                block.probe().stack(-8, true, true).set(a);
                a.opMem(true, 0xc7, 0);
                a.emit32((int) i.imm);
            }
            case Instruction.MEM -> {
                int displacement = block.probe().operand(i, 8, false, 1);
                a.mem(Gpr.ADDRESS, displacement);
                a.loadMem(Gpr.ADDRESS);
                a.storeState(ProcessorBlock.TEMPORARY, Gpr.ADDRESS);
                block.groups().end();
                displacement = block.probe().stack(-8, true);
                a.loadState(Gpr.SCRATCH, ProcessorBlock.TEMPORARY);
                a.mem(Gpr.ADDRESS, displacement);
                a.storeMem(Gpr.SCRATCH);
            }
            default -> {
                boolean spilled = Gpr.host(i.reg0) == Gpr.SPILLED;
                HostAddress place = block.probe().stack(-8, true, !spilled);
                int value = block.read(i.reg0, Gpr.SCRATCH);
                place.set(a);
                a.storeMem(value);
            }
        }
        a.lea(Gpr.RSP, Gpr.RSP, -8);
    }

    void pop(Instruction i) {
        Assembler a = block.asm;
        int host = Gpr.host(i.reg0);
        block.probe().stack(0, false, true).set(a);
        a.loadMem(host == Gpr.SPILLED ? Gpr.SCRATCH : host);
        if (host == Gpr.SPILLED) {
            a.storeState(ProcessorBlock.register(i.reg0), Gpr.SCRATCH);
        }
        if (host != Gpr.RSP) {
            a.lea(Gpr.RSP, Gpr.RSP, 8);
        }
    }

    void leave() {
        Assembler a = block.asm;
        block.probe().emit(() -> a.mov(Gpr.ADDRESS, Assembler.RBP), 8, false, 1);
        a.mem(Gpr.ADDRESS, 0);
        a.loadMem(Gpr.ADDRESS);
        a.lea(Gpr.RSP, Assembler.RBP, 8);
        a.mov(Assembler.RBP, Gpr.ADDRESS);
    }
}
