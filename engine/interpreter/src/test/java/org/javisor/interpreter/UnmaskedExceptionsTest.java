package org.javisor.interpreter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Decoder;
import org.javisor.x86.Instruction;
import org.junit.jupiter.api.Test;

/** Unmasked SSE floating-point exceptions, against what a processor did. */
class UnmaskedExceptionsTest {
    private final Decoder decoder = new Decoder();

    @Test
    void recordedTraps_raiseXmWithTheSameFlagsAndKeepTheDestination() throws IOException {
        List<String> lines;
        try (InputStream in = getClass().getResourceAsStream("unmasked-exceptions.txt")) {
            lines = new String(in.readAllBytes(), StandardCharsets.US_ASCII).lines().toList();
        }
        try (BareProcessor guest = new BareProcessor()) {
            guest.cpu.sseReady = true;
            guest.cpu.control.cr4 = ControlRegisters.CR4_OSFXSR | ControlRegisters.CR4_OSXMMEXCPT;
            int traps = 0;
            for (String line : lines) {
                if (!line.startsWith("#")) {
                    replay(guest.cpu, line);
                    traps++;
                }
            }
            assertThat(traps).isGreaterThan(300);
        }
    }

    private void replay(Cpu cpu, String line) {
        String[] fields = line.split(" ");
        long[] x = cpu.fpu.xmm;
        for (int n = 0; n < 4; n++) {
            x[n] = Long.parseUnsignedLong(fields[1 + n], 16);
        }
        long[] before = x.clone();
        cpu.fpu.mxcsr = Integer.parseInt(fields[5], 16);
        GuestFault fault = execute(cpu, fields[0]);
        assertThat(fault).as(line).isNotNull();
        assertThat(fault.vector).as(line).isEqualTo(GuestFault.XM);
        assertThat(Integer.toHexString(cpu.fpu.mxcsr)).as(line).isEqualTo(fields[6]);
        assertThat(x).as(line).isEqualTo(before);
        assertThat(cpu.fpu.raised).isZero();
    }

    private GuestFault execute(Cpu cpu, String hex) {
        byte[] code = new byte[Decoder.MAX_LENGTH];
        byte[] given = HexFormat.of().parseHex(hex);
        System.arraycopy(given, 0, code, 0, given.length);
        Instruction i = decoder.decode(code, 0, code.length, CodeSize.BITS64);
        return catchThrowableOfType(GuestFault.class, () -> SimdHandlers.select(i).execute(cpu, i));
    }

    @Test
    void unmaskedException_isUndefinedOpcode_whenTheSystemDoesNotHandleIt() {
        try (BareProcessor guest = new BareProcessor()) {
            Cpu cpu = guest.cpu;
            cpu.sseReady = true;
            cpu.control.cr4 = ControlRegisters.CR4_OSFXSR;
            cpu.fpu.mxcsr = 0x1f80 & ~(4 << 7);
            cpu.fpu.xmm[0] = Double.doubleToRawLongBits(1);
            cpu.fpu.xmm[2] = 0;
            assertThat(execute(cpu, "f20f5ec1").vector).isEqualTo(GuestFault.UD);
            assertThat(cpu.fpu.mxcsr & 4).isEqualTo(4);
        }
    }

    @Test
    void stickyFlag_raisesNothingByItself() {
        try (BareProcessor guest = new BareProcessor()) {
            Cpu cpu = guest.cpu;
            cpu.sseReady = true;
            cpu.fpu.mxcsr = 0x3f;
            cpu.fpu.xmm[0] = Double.doubleToRawLongBits(1);
            cpu.fpu.xmm[2] = Double.doubleToRawLongBits(2);
            assertThat(execute(cpu, "f20f58c1")).isNull();
            assertThat(cpu.fpu.xmm[0]).isEqualTo(Double.doubleToRawLongBits(3));
        }
    }
}
