package org.javisor.bench;

import java.util.concurrent.TimeUnit;
import org.javisor.machine.EngineChoice;
import org.javisor.machine.EngineSelection;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Tight guest loops: what dispatch, the TLB, and accesses to devices cost. One operation is one
 * pass through a loop of the body named and two more instructions that count and jump; {@code
 * empty} is those two alone.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(value = 2, jvmArgsAppend = "--enable-native-access=ALL-UNNAMED")
public class GuestLoopBenchmark {
    /** What the loop holds. */
    public enum Body {
        EMPTY(false),
        /** Eight dependent operations on registers: add, xor, rotate, lea, … */
        ALU(
                false,
                // add rax, rdx; xor rdi, rax; rol rdi, 7; lea rax, [rax+rdi*2+1]
                new int[] {0x48, 0x01, 0xd0, 0x48, 0x31, 0xc7, 0x48, 0xc1, 0xc7, 0x07},
                new int[] {0x48, 0x8d, 0x44, 0x78, 0x01},
                // sub rdi, rax; and eax, edi; shr rax, 3; mov rdi, rax
                new int[] {0x48, 0x29, 0xc7, 0x21, 0xf8, 0x48, 0xc1, 0xe8, 0x03},
                new int[] {0x48, 0x89, 0xc7}),
        /** A call and its return. */
        CALL(
                false,
                // call +2; jmp +1; ret
                new int[] {0xe8, 0x02, 0, 0, 0, 0xeb, 0x01, 0xc3}),
        /** A load that hits the TLB: mov rax, [rbx]. */
        LOAD(false, new int[] {0x48, 0x8b, 0x03}),
        /** A store that hits the TLB: mov [rbx], rax. */
        STORE(false, new int[] {0x48, 0x89, 0x03}),
        /** A load over the border of two pages: mov rax, [rbx+0xffc]. */
        LOAD_ACROSS(true, new int[] {0x48, 0x8b, 0x83, 0xfc, 0x0f, 0, 0}),
        /**
         * A load from another page each time, 65,536 pages in turn, so that it misses any TLB: add
         * esi, 0x1000; and esi, 0xfffffff; mov rax, [rbx+rsi+0x2000000]; page tables and code lie
         * below.
         */
        LOAD_MISS(
                true,
                new int[] {0x81, 0xc6, 0, 0x10, 0, 0, 0x81, 0xe6, 0xff, 0xff, 0xff, 0x0f},
                new int[] {0x48, 0x8b, 0x84, 0x33, 0, 0, 0, 0x02}),
        /** A load from a device's register: mov eax, [rbp]. */
        MMIO(false, new int[] {0x8b, 0x45, 0}),
        /** A byte from a device's port: in al, dx. */
        PORT(false, new int[] {0xec});

        private final boolean smallPages;
        private final int[][] code;

        Body(boolean smallPages, int[]... code) {
            this.smallPages = smallPages;
            this.code = code;
        }

        private int[] bytes() {
            return java.util.Arrays.stream(code).flatMapToInt(java.util.Arrays::stream).toArray();
        }
    }

    @Param("INTERPRETER")
    public EngineChoice engine;

    @Param public Body body;

    private GuestLoop loop;

    @Setup(Level.Trial)
    public void boot() {
        loop =
                new GuestLoop(
                        EngineSelection.select(engine).hypervisor(), body.smallPages, body.bytes());
    }

    @TearDown(Level.Trial)
    public void end() {
        loop.close();
    }

    @Benchmark
    @OperationsPerInvocation(GuestLoop.ITERATIONS)
    public void pass() {
        loop.run();
    }
}
