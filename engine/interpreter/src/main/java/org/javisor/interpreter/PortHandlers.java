package org.javisor.interpreter;

import org.javisor.x86.Instruction;

/** IN and OUT. */
final class PortHandlers {
    private PortHandlers() {}

    static Handler select(Instruction i) {
        return switch (i.op) {
            case IN -> PortHandlers::in;
            case OUT -> PortHandlers::out;
            default -> null;
        };
    }

    private static void in(Cpu c, Instruction i) {
        int size = i.operandSize;
        int port = i.kind1 == Instruction.IMM ? (int) i.imm & 0xff : (int) c.gpr[Cpu.RDX] & 0xffff;
        c.vcpu.ports().check(port, size);
        c.setRegister(Instruction.GPR, Cpu.RAX, size, c.vcpu.ports().read(port, size));
    }

    private static void out(Cpu c, Instruction i) {
        int size = i.operandSize;
        int port = i.kind0 == Instruction.IMM ? (int) i.imm & 0xff : (int) c.gpr[Cpu.RDX] & 0xffff;
        c.vcpu.ports().check(port, size);
        c.vcpu.ports().write(port, size, (int) (c.gpr[Cpu.RAX] & Cpu.mask(size)));
    }
}
