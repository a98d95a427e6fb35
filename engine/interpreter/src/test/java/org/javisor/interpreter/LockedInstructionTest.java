package org.javisor.interpreter;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicReference;
import org.javisor.memory.GuestMemory;
import org.javisor.testkit.FakeClock;
import org.javisor.testkit.SilentDevices;
import org.javisor.x86.CodeSize;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Two processors that count in the same operand: a lost update shows in the sum. */
class LockedInstructionTest {
    private static final long CODE = 0x3000;
    private static final int EACH = 5_000;

    @ParameterizedTest(name = "{0} at {2}")
    @CsvSource({
        "inc qword [rbx], f048ff03, 4000",
        "inc dword [rbx] in the middle of a word, f0ff03, 4002",
        "inc byte [rbx], f0fe03, 4007",
        "inc word [rbx] across two words, f066ff03, 4007",
        "inc qword [rbx] across two pages, f048ff03, 4ffc",
        "xadd [rbx] rdx, f0480fc113, 4010",
        "adc qword [rbx] 0 with carry, f9f048831300, 4020",
    })
    void lockedIncrement_losesNothing(String name, String code, String address) throws Exception {
        long operand = Long.parseLong(address, 16);
        try (GuestMemory memory = GuestMemory.allocate(1 << 20)) {
            byte[] bytes = java.util.HexFormat.of().parseHex(code);
            memory.write(CODE, bytes, 0, bytes.length);
            memory.write(CODE + bytes.length, new byte[] {(byte) 0xeb, 0}, 0, 2);
            InterpreterVm vm = new InterpreterVm(memory, new FakeClock());
            Cpu[] cpus = {processor(vm, 0), processor(vm, 1)};
            Block block = new BlockDecoder(memory).decode(new CodePage(CODE, CodeSize.BITS64), 0);
            CyclicBarrier start = new CyclicBarrier(2);
            AtomicReference<Throwable> failure = new AtomicReference<>();
            Thread[] threads = new Thread[2];
            for (int n = 0; n < 2; n++) {
                Cpu cpu = cpus[n];
                threads[n] =
                        Thread.ofPlatform()
                                .uncaughtExceptionHandler((t, e) -> failure.set(e))
                                .start(() -> count(cpu, block, operand, start));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(failure.get()).isNull();
            long mask = name.contains("byte") ? 0xff : name.contains(" word") ? 0xffff : -1;
            assertThat(memory.read64(operand)).isEqualTo(2L * EACH & mask);
        }
    }

    private static void count(Cpu cpu, Block block, long operand, CyclicBarrier start) {
        try {
            start.await();
        } catch (Exception e) {
            throw new AssertionError(e);
        }
        for (int round = 0; round < EACH; round++) {
            cpu.gpr[Cpu.RBX] = operand;
            cpu.gpr[Cpu.RDX] = 1;
            cpu.rip = CODE;
            for (int n = 0; n < block.instructions.length; n++) {
                cpu.rip += block.instructions[n].length;
                block.operations[n].execute(cpu, block.instructions[n]);
            }
        }
    }

    private static Cpu processor(InterpreterVm vm, int index) {
        Cpu cpu =
                ((InterpreterVcpu)
                                vm.createVcpu(index, Identification.table(), new SilentDevices()))
                        .cpu();
        cpu.code64 = true;
        cpu.control.cr0 = ControlRegisters.CR0_PE;
        cpu.mmu.updateContext();
        return cpu;
    }
}
