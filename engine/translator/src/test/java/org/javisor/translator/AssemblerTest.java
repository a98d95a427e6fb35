package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.translator.Assembler.*;

import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Decoder;
import org.javisor.x86.Instruction;
import org.javisor.x86.InstructionFormatter;
import org.javisor.x86.Op;
import org.junit.jupiter.api.Test;

/** What the assembler writes, read back by the decoder, which is held to other disassemblers. */
class AssemblerTest {
    private static Instruction decoded(Consumer<Assembler> write) {
        return decoded(0x10000, write);
    }

    private static Instruction decoded(long address, Consumer<Assembler> write) {
        Assembler assembler = new Assembler();
        assembler.begin(address);
        write.accept(assembler);
        byte[] code = Arrays.copyOf(assembler.buffer(), assembler.size() + 15);
        Instruction read = new Decoder().decode(code, 0, 15, CodeSize.BITS64);
        assertThat((int) read.length).isEqualTo(assembler.size());
        return read;
    }

    private static String text(Consumer<Assembler> write) {
        return InstructionFormatter.format(decoded(write), 0x10000);
    }

    @Test
    public void moves_nameEveryRegister() {
        for (int to = 0; to < 16; to++) {
            for (int from = 0; from < 16; from++) {
                int target = to;
                int source = from;
                Instruction i = decoded(a -> a.mov(target, source));
                assertThat((int) i.reg0).isEqualTo(to);
                assertThat((int) i.reg1).isEqualTo(from);
                assertThat((int) i.operandSize).isEqualTo(8);
            }
        }
    }

    @Test
    public void nop_isOneInstruction() {
        for (int bytes = 1; bytes <= 3; bytes++) {
            int length = bytes;
            Instruction i = decoded(a -> a.nop(length));
            assertThat(i.op).isEqualTo(Op.NOP);
            assertThat((int) i.length).isEqualTo(bytes);
        }
    }

    /** What is not taken executes a NOP; what is taken lands in its midst, on a jump. */
    @Test
    public void farJumpsOnRcx_goThroughAJumpThatIsTheEndOfANop() {
        farJumpOnRcx(Op.JCXZ, Assembler::jrcxzFarAhead);
        farJumpOnRcx(Op.LOOP, Assembler::loopFarAhead);
    }

    private static void farJumpOnRcx(Op op, ToIntFunction<Assembler> jump) {
        Assembler a = new Assembler();
        a.begin(0x10000);
        int displacement = jump.applyAsInt(a);
        int end = a.size();
        for (int n = 0; n < 1000; n++) {
            a.emit(0x90);
        }
        a.bind32(displacement);
        int target = a.size();
        byte[] code = Arrays.copyOf(a.buffer(), target + 15);
        Instruction first = new Decoder().decode(code, 0, 15, CodeSize.BITS64);
        assertThat(first.op).isEqualTo(op);
        Instruction nop = new Decoder().decode(code, first.length, 15, CodeSize.BITS64);
        assertThat(nop.op).isEqualTo(Op.NOP);
        assertThat(first.length + nop.length).isEqualTo(end);
        int landing = first.length + (int) first.imm;
        Instruction on = new Decoder().decode(code, landing, 15, CodeSize.BITS64);
        assertThat(on.op).isEqualTo(Op.JMP);
        assertThat(landing + on.length).isEqualTo(end);
        assertThat(end + on.imm).isEqualTo(target);
    }

    @Test
    public void memoryOperands_haveEveryBaseIndexAndDisplacement() {
        int[] displacements = {
            0, 1, -1, 127, -128, 128, -129, Integer.MAX_VALUE, Integer.MIN_VALUE
        };
        for (int base = 0; base < 16; base++) {
            for (int index = NONE; index < 16; index++) {
                if (index == RSP) {
                    continue;
                }
                for (int displacement : displacements) {
                    int b = base;
                    int x = index;
                    int scale = index == NONE ? 0 : base & 3;
                    Instruction i =
                            decoded(
                                    a -> {
                                        a.mem(b, x, scale, displacement);
                                        a.loadMem(R9);
                                    });
                    assertThat((int) i.base).isEqualTo(base);
                    assertThat((int) i.index).isEqualTo(index);
                    assertThat(i.disp).isEqualTo(displacement);
                    if (index != NONE) {
                        assertThat((int) i.scale).isEqualTo(scale);
                    }
                }
            }
        }
    }

    @Test
    public void fieldsOfTheProcessorBlock_areNamedByTheirPlaceInGs_whereTheInstructionsAreFar() {
        for (long far : new long[] {0x8000_0000L + 0x2000, 0x7fff_0000_0000L}) {
            Instruction plain = decoded(far, a -> a.storeState(0x1234, R15));
            assertThat((int) plain.segment).isEqualTo(5);
            assertThat(plain.disp).isEqualTo(0x1234);
            assertThat((int) plain.base).isEqualTo(Instruction.NO_REGISTER);
        }
    }

    @Test
    public void fieldsOfTheProcessorBlock_areNamedFromTheInstruction_whereThatIsNear() {
        List<Consumer<Assembler>> forms =
                List.of(
                        a -> a.storeState(0x1234, R15),
                        a -> a.storeStateImm32(0x1234, -1),
                        a -> a.pextState(RCX, R14, 0x1234),
                        a -> {
                            a.memState(0x1234, 1);
                            a.aluMemImm8(7, 0);
                        });
        for (long near : new long[] {0, 0x10000, 0x7fff_ff00L}) {
            for (Consumer<Assembler> form : forms) {
                Instruction i = decoded(near, form);
                assertThat((int) i.segment).isEqualTo(5);
                assertThat((int) i.base).isEqualTo(Instruction.RIP);
                assertThat(near + i.length + i.disp).isEqualTo(0x1234);
            }
        }
    }

    @Test
    public void elementsOfTablesInTheProcessorBlock_areRelativeToGs() {
        Instruction element =
                decoded(
                        a -> {
                            a.memState(RCX, 3, 0x2000);
                            a.loadMem(RCX);
                        });
        assertThat((int) element.index).isEqualTo(RCX);
        assertThat((int) element.scale).isEqualTo(3);
        assertThat((int) element.segment).isEqualTo(5);
    }

    @Test
    public void immediates_takeTheShortestForm() {
        assertThat(text(a -> a.movImm64(R8, 5))).contains("r8d").contains("5");
        assertThat(decoded(a -> a.movImm64(RAX, -5)).imm).isEqualTo(-5);
        assertThat(decoded(a -> a.movImm64(R14, 0x123456789abcdefL)).imm)
                .isEqualTo(0x123456789abcdefL);
        assertThat(decoded(a -> a.aluImm(true, 7, R14, 4095)).imm).isEqualTo(4095);
        assertThat((int) decoded(a -> a.aluImm(true, 7, R14, 5)).length).isEqualTo(4);
    }

    @Test
    public void vexInstructions_nameThreeOperands() {
        Instruction rorx = decoded(a -> a.rorx32(RCX, R14, 7));
        assertThat(rorx.op.name()).isEqualTo("RORX");
        assertThat((int) rorx.reg0).isEqualTo(RCX);
        assertThat((int) rorx.reg1).isEqualTo(R14);
        assertThat(rorx.imm).isEqualTo(7);
        Instruction movzx = decoded(a -> a.movzx16(R14, RCX));
        assertThat(movzx.op.name()).isEqualTo("MOVZX");
        assertThat((int) movzx.reg0).isEqualTo(R14);
        assertThat((int) movzx.reg1).isEqualTo(RCX);
        Instruction pext = decoded(a -> a.pextState(R9, R14, 0x100));
        assertThat(pext.op.name()).isEqualTo("PEXT");
        assertThat((int) pext.reg0).isEqualTo(R9);
        assertThat((int) pext.reg1).isEqualTo(R14);
        assertThat(0x10000 + pext.length + pext.disp).isEqualTo(0x100);
    }

    @Test
    public void jumps_leadWhereTheyAreBound() {
        Assembler a = new Assembler();
        a.begin(0x4000);
        int ahead = a.jccAhead(4);
        int near = a.jrcxzAhead();
        a.mov(RAX, RDX);
        a.bind8(near);
        a.bind32(ahead);
        a.jmp(0x4000);
        Instruction first = new Decoder().decode(a.buffer(), 0, 15, CodeSize.BITS64);
        assertThat(first.length + first.imm).isEqualTo(11);
        Instruction last = new Decoder().decode(a.buffer(), 11, 15, CodeSize.BITS64);
        assertThat(11 + last.length + last.imm).isZero();
    }
}
