package org.javisor.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Decoder;
import org.javisor.x86.Instruction;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;

/**
 * Decoding of compiled code: one operation is one instruction of the JVM's own library, which every
 * x86-64 host with Linux has at hand.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class DecodeBenchmark {
    private static final int INSTRUCTIONS = 10_000;

    private final Decoder decoder = new Decoder();
    private byte[] code;

    @Setup(Level.Trial)
    public void read() throws IOException {
        Path library = Path.of(System.getProperty("java.home"), "lib", "server", "libjvm.so");
        code = CodeSection.of(library, INSTRUCTIONS * Decoder.MAX_LENGTH);
    }

    @Benchmark
    @OperationsPerInvocation(INSTRUCTIONS)
    public void instruction(Blackhole sink) {
        int at = 0;
        for (int n = 0; n < INSTRUCTIONS; n++) {
            Instruction decoded = decoder.decode(code, at, code.length - at, CodeSize.BITS64);
            sink.consume(decoded);
            at += decoded.length;
        }
    }
}
