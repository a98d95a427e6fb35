package org.javisor.interpreter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.SplittableRandom;
import org.javisor.testkit.HostProcessor;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Decoder;
import org.javisor.x86.FpuState;
import org.javisor.x86.FxsaveImage;
import org.javisor.x86.Instruction;
import org.javisor.x86.LittleEndian;
import org.javisor.x86.XsaveImage;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Saves and restores random FPU states on the host's processor and in the interpreter, and compares
 * the areas and the registers. Left out are the pointers to the last instruction, which AMD's
 * processors save only while an exception is pending, and MXCSR_MASK, in which processors differ.
 * Replay with {@code -Djavisor.seed=}.
 */
class FpuAreaOracleTest {
    private static final long SEED = Long.getLong("javisor.seed", 20260101L);
    private static final int ROUNDS = Integer.getInteger("javisor.rounds", 1500);

    private static final int INPUT = 0, AREA = 0x400, OUTPUT = 0x800, DEFAULT_MXCSR = 0xc00;
    private static final int XSTATE_BV = 512, XCOMP_BV = 520;

    private static final HexFormat HEX = HexFormat.of();

    /** xrstor64 [rdi]; mov rax, rbx. */
    private static final String BEFORE = "480fae2f" + "4889d8";

    /** mov eax, 7; xsave64 [r8]; fninit; ldmxcsr [r9]. */
    private static final String AFTER = "b807000000" + "490fae20" + "dbe3" + "410fae11";

    private final byte[] input = new byte[XsaveImage.FULL_SIZE];
    private final byte[] area = new byte[XsaveImage.FULL_SIZE];
    private final byte[] expected = new byte[XsaveImage.FULL_SIZE];
    private final byte[] expectedArea = new byte[XsaveImage.FULL_SIZE];
    private final byte[] actualArea = new byte[XsaveImage.FULL_SIZE];

    @ParameterizedTest
    @CsvSource({
        "FXSAVE, 0fae06", "FXSAVE64, 480fae06", "FXRSTOR, 0fae0e", "FXRSTOR64, 480fae0e",
        "XSAVE, 0fae26", "XSAVE64, 480fae26", "XSAVEOPT, 0fae36", "XSAVEOPT64, 480fae36",
        "XSAVEC, 0fc726", "XSAVEC64, 480fc726", "XRSTOR, 0fae2e", "XRSTOR64, 480fae2e",
        "LDMXCSR, 0fae16", "STMXCSR, 0fae1e"
    })
    void saveArea_agreesWithTheHostsProcessor(String name, String code) {
        Optional<HostProcessor> opened = HostProcessor.open();
        assumeTrue(opened.isPresent(), "needs Linux on an x86-64 host");
        Instruction i =
                new Decoder().decode(Arrays.copyOf(HEX.parseHex(code), 15), 0, 15, CodeSize.BITS64);
        Handler handler = FpuAreaHandlers.select(i);
        try (HostProcessor host = opened.orElseThrow();
                BareProcessor guest = new BareProcessor(host.dataAddress())) {
            Cpu cpu = guest.cpu;
            guest.enter(CodeSize.BITS64);
            cpu.sseReady = true;
            cpu.control.cr4 |= ControlRegisters.CR4_OSFXSR | ControlRegisters.CR4_OSXSAVE;
            cpu.control.xcr0 = 7;
            for (int round = 0; round < ROUNDS; round++) {
                long seed = SEED * 31 + name.hashCode() * 1_000_003L + round;
                SplittableRandom random = new SplittableRandom(seed);
                long features = random.nextInt(8);
                prepare(random, cpu.fpu, name);
                cpu.gpr[Cpu.RAX] = features;
                cpu.gpr[Cpu.RDX] = 0;
                cpu.gpr[Cpu.RSI] = host.dataAddress() + AREA;
                guest.memory.write(host.dataAddress() + AREA, area, 0, area.length);
                handler.execute(cpu, i);
                guest.memory.read(host.dataAddress() + AREA, actualArea, 0, actualArea.length);
                byte[] actual = XsaveImage.toXsave(cpu.fpu);
                mask(actual);
                byte[] sequence = HEX.parseHex(BEFORE + code + AFTER);
                // A task switch in between may change which components count as in use.
                int attempts = 0;
                do {
                    runOnHost(host, sequence, features);
                    mask(expected);
                    maskArea(expectedArea, actualArea);
                } while (!Arrays.equals(expectedArea, actualArea) && ++attempts < 3);
                assertThat(HEX.formatHex(actual, 0, 416))
                        .as("%s state, features %d, seed %d", name, features, seed)
                        .isEqualTo(HEX.formatHex(expected, 0, 416));
                assertThat(HEX.formatHex(actual, XsaveImage.AVX_OFFSET, XsaveImage.FULL_SIZE))
                        .as("%s YMM, features %d, seed %d", name, features, seed)
                        .isEqualTo(
                                HEX.formatHex(
                                        expected, XsaveImage.AVX_OFFSET, XsaveImage.FULL_SIZE));
                assertThat(HEX.formatHex(actualArea))
                        .as("%s area, features %d, seed %d", name, features, seed)
                        .isEqualTo(HEX.formatHex(expectedArea));
            }
        }
    }

    private void prepare(SplittableRandom random, FpuState state, String name) {
        X87Operands operands = new X87Operands(random);
        if (name.contains("RSTOR")) {
            operands.fill(state);
            fillHigh(random, state);
            byte[] image = XsaveImage.toXsave(state);
            random.nextBytes(area);
            System.arraycopy(image, 0, area, 0, 416);
            System.arraycopy(
                    image, XsaveImage.AVX_OFFSET, area, XsaveImage.AVX_OFFSET, XsaveImage.AVX_SIZE);
            header(random);
        } else if (name.equals("LDMXCSR")) {
            LittleEndian.put32(area, 0, random.nextInt(0x10000));
        } else {
            random.nextBytes(area);
        }
        operands.fill(state);
        fillHigh(random, state);
        state.mxcsr = random.nextInt(2) == 0 ? 0x1f80 : random.nextInt(0x10000);
        if (random.nextInt(4) == 0) {
            XsaveImage.fromXsave(state, new byte[XsaveImage.SIZE]);
        }
        if (random.nextInt(4) == 0) {
            Arrays.fill(state.xmm, 0);
        }
        if (random.nextInt(4) == 0) {
            Arrays.fill(state.ymmHigh, 0);
        }
        System.arraycopy(XsaveImage.toXsave(state), 0, input, 0, input.length);
        // So that the host, too, knows which components are in their initial configuration.
        LittleEndian.put64(input, XSTATE_BV, XsaveImage.inUse(state));
    }

    private static void fillHigh(SplittableRandom random, FpuState state) {
        for (int n = 0; n < state.ymmHigh.length; n++) {
            state.ymmHigh[n] = random.nextLong();
        }
    }

    /** A header that XRSTOR accepts, in either format. */
    private void header(SplittableRandom random) {
        Arrays.fill(area, XSTATE_BV, XsaveImage.SIZE, (byte) 0);
        LittleEndian.put32(area, 24, random.nextInt(0x10000));
        long saved = random.nextInt(8);
        LittleEndian.put64(area, XSTATE_BV, saved);
        if (random.nextBoolean()) {
            LittleEndian.put64(area, XCOMP_BV, 1L << 63 | saved | random.nextInt(8));
        }
    }

    private void runOnHost(HostProcessor host, byte[] code, long features) {
        MemorySegment data = host.data();
        MemorySegment.copy(input, 0, data, ValueLayout.JAVA_BYTE, INPUT, input.length);
        MemorySegment.copy(area, 0, data, ValueLayout.JAVA_BYTE, AREA, area.length);
        data.asSlice(OUTPUT, XsaveImage.FULL_SIZE).fill((byte) 0);
        long[] gpr = new long[16];
        gpr[0] = 7;
        gpr[3] = features;
        gpr[4] = host.dataAddress() + 0x2000;
        gpr[6] = host.dataAddress() + AREA;
        gpr[7] = host.dataAddress() + INPUT;
        gpr[8] = host.dataAddress() + OUTPUT;
        gpr[9] = host.dataAddress() + DEFAULT_MXCSR;
        data.set(ValueLayout.JAVA_INT, DEFAULT_MXCSR, 0x1f80);
        host.run(code, code.length, gpr, 0x202);
        MemorySegment.copy(data, ValueLayout.JAVA_BYTE, OUTPUT, expected, 0, expected.length);
        MemorySegment.copy(data, ValueLayout.JAVA_BYTE, AREA, expectedArea, 0, expectedArea.length);
        if ((LittleEndian.get64(expected, XSTATE_BV) & 1) == 0) {
            // Then the processor may have left the initial configuration unwritten.
            FpuState state = new FpuState();
            FxsaveImage.writeX87(state, expected, true);
        }
    }

    private static void mask(byte[] image) {
        Arrays.fill(image, 6, 24, (byte) 0);
        Arrays.fill(image, 28, 32, (byte) 0);
    }

    /** Takes over what may differ, if it was written at all. */
    private void maskArea(byte[] from, byte[] to) {
        if (!Arrays.equals(area, 6, 24, to, 6, 24)) {
            System.arraycopy(from, 6, to, 6, 18);
        }
        if (LittleEndian.get32(to, 28) == FxsaveImage.MXCSR_MASK) {
            System.arraycopy(from, 28, to, 28, 4);
        }
    }
}
