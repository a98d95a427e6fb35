package org.javisor.interpreter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.Random;
import org.javisor.x86.CodeSize;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RunTest {
    private static final long CODE = 0x3000;
    private static final int LOOP = 0xe2;

    private final BareProcessor p = new BareProcessor();
    private final Cpu cpu = p.cpu;

    @AfterEach
    void close() {
        p.close();
    }

    private Block block(int... code) {
        for (int n = 0; n < code.length; n++) {
            p.memory.write8(CODE + n, code[n]);
        }
        return new BlockDecoder(p.memory).decode(new CodePage(CODE, CodeSize.BITS64), 0);
    }

    private int execute(Block block) {
        cpu.rip = CODE;
        cpu.blockEnd = block.instructions.length;
        int done = 0;
        for (Run run : RunWriter.write(block)) {
            done += run.execute(cpu);
            if (cpu.blockEnd == 0) {
                break;
            }
        }
        return done;
    }

    private void executeOneByOne(Block block) {
        cpu.rip = CODE;
        cpu.blockEnd = block.instructions.length;
        for (int n = 0; n < cpu.blockEnd; n++) {
            cpu.rip += block.instructions[n].length;
            block.operations[n].execute(cpu, block.instructions[n]);
        }
    }

    @Test
    void runs_doWhatTheirInstructionsDoOneByOne() {
        long seed = 11;
        Random random = new Random(seed);
        for (int round = 0; round < 50; round++) {
            // ADD to CMP and MOV between registers, 1 to 40 of them, and a jump.
            int length = 1 + random.nextInt(40);
            int[] code = new int[3 * length + 2];
            for (int n = 0; n < length; n++) {
                code[3 * n] = 0x48 | random.nextInt(2) << 2 | random.nextInt(2);
                code[3 * n + 1] = random.nextInt(5) == 0 ? 0x89 : random.nextInt(8) << 3 | 1;
                code[3 * n + 2] = 0xc0 | random.nextInt(64);
            }
            code[3 * length] = 0x70 + random.nextInt(16);
            code[3 * length + 1] = 0x10;
            Block block = block(code);
            long[] before = random.longs(16).toArray();
            System.arraycopy(before, 0, cpu.gpr, 0, 16);
            cpu.flags.setValue(2);
            executeOneByOne(block);
            long[] expected = cpu.gpr.clone();
            long expectedFlags = cpu.flags.value();
            long expectedRip = cpu.rip;
            System.arraycopy(before, 0, cpu.gpr, 0, 16);
            cpu.flags.setValue(2);
            int done = execute(block);
            assertThat(cpu.gpr).as("seed %d round %d", seed, round).isEqualTo(expected);
            assertThat(cpu.flags.value()).isEqualTo(expectedFlags);
            assertThat(cpu.rip).isEqualTo(expectedRip);
            assertThat(done).isEqualTo(length + 1);
        }
    }

    @Test
    void run_leavesRipAfterTheFaultingInstruction() {
        p.enablePaging();
        p.revoke(0x40000, 1);
        cpu.gpr[Cpu.RBX] = 0x40000;
        Block block = block(0x48, 0xff, 0xc0, 0x48, 0x8b, 0x0b, 0x48, 0xff, 0xc0, 0xeb, 0);
        GuestFault fault = catchThrowableOfType(GuestFault.class, () -> execute(block));
        assertThat(fault.vector).isEqualTo(GuestFault.PF);
        assertThat(cpu.gpr[Cpu.RAX]).isEqualTo(1);
        assertThat(cpu.rip).isEqualTo(CODE + 6);
        assertThat(block.indexEndingAt(6)).isEqualTo(1);
    }

    @Test
    void run_stops_whenAnInstructionEndsTheBlock() {
        p.memory.trackCode(0x40000);
        cpu.gpr[Cpu.RBX] = 0x40000;
        Block block = block(0x48, 0x89, 0x03, 0x48, 0xff, 0xc0, 0x48, 0xff, 0xc0, 0xeb, 0);
        assertThat(execute(block)).isEqualTo(1);
        assertThat(cpu.rip).isEqualTo(CODE + 3);
        assertThat(cpu.gpr[Cpu.RAX]).isZero();
    }

    @Test
    void hotLoop_goesOnWhereItWas_andCountsItsInstructions() throws Exception {
        p.enablePaging();
        int iterations = Block.HOT_INSTRUCTIONS;
        cpu.segments.set(Cpu.CS, 8, 0, 0xffffffffL, 0xa09b);
        cpu.vcpu.codeSegmentChanged(0);
        cpu.gpr[Cpu.RCX] = iterations;
        // inc rax; inc rax; loop -8; out 80h, al; jmp -2
        int[] code = {0x48, 0xff, 0xc0, 0x48, 0xff, 0xc0, LOOP, -8, 0xe6, 0x80, 0xeb, -2};
        for (int n = 0; n < code.length; n++) {
            p.memory.write8(CODE + n, code[n]);
        }
        cpu.rip = CODE;
        p.exitOnPortWrite = true;
        cpu.vcpu.run();
        assertThat(cpu.gpr[Cpu.RAX]).isEqualTo(2L * iterations);
        assertThat(p.instructions() - 3L * iterations).isBetween(1L, 2L);
    }
}
