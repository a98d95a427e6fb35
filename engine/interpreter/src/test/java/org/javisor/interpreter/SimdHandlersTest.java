package org.javisor.interpreter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.HexFormat;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Decoder;
import org.javisor.x86.Instruction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What MMX and SSE instructions do besides arithmetic: faults, alignment, memory, the x87 state.
 */
class SimdHandlersTest {
    private static final long OPERANDS = 0x2000;

    private final Decoder decoder = new Decoder();
    private BareProcessor guest;
    private Cpu cpu;

    @BeforeEach
    void start() {
        guest = new BareProcessor();
        cpu = guest.cpu;
        cpu.sseReady = true;
        cpu.control.cr4 = ControlRegisters.CR4_OSFXSR;
        cpu.gpr[Cpu.RDI] = OPERANDS;
    }

    @AfterEach
    void stop() {
        guest.close();
    }

    private Instruction decode(String hex) {
        byte[] code = new byte[Decoder.MAX_LENGTH];
        byte[] given = HexFormat.of().parseHex(hex.replace(" ", ""));
        System.arraycopy(given, 0, code, 0, given.length);
        return decoder.decode(code, 0, code.length, CodeSize.BITS64);
    }

    private void execute(String hex) {
        Instruction i = decode(hex);
        SimdHandlers.select(i).execute(cpu, i);
    }

    private int faultOf(String hex) {
        GuestFault fault = catchThrowableOfType(GuestFault.class, () -> execute(hex));
        assertThat(fault).as("fault of " + hex).isNotNull();
        return fault.vector;
    }

    // Alignment

    @Test
    void alignedMove_isGeneralProtection_whenMisaligned() {
        cpu.gpr[Cpu.RDI] = OPERANDS + 8;
        assertThat(faultOf("0f 28 07")).isEqualTo(GuestFault.GP); // movaps xmm0, [rdi]
        assertThat(faultOf("66 0f 7f 07")).isEqualTo(GuestFault.GP); // movdqa [rdi], xmm0
        assertThat(faultOf("0f 2b 07")).isEqualTo(GuestFault.GP); // movntps [rdi], xmm0
        assertThat(faultOf("66 0f 38 2a 07")).isEqualTo(GuestFault.GP); // movntdqa xmm0, [rdi]
        assertThat(faultOf("66 0f fe 07")).isEqualTo(GuestFault.GP); // paddd xmm0, [rdi]
        assertThat(faultOf("0f 58 07")).isEqualTo(GuestFault.GP); // addps xmm0, [rdi]
        assertThat(faultOf("66 0f 3a 44 07 00"))
                .isEqualTo(GuestFault.GP); // pclmulqdq xmm0, [rdi], 0
    }

    @Test
    void unalignedMoveAndScalar_load_whenMisaligned() {
        cpu.gpr[Cpu.RDI] = OPERANDS + 3;
        guest.memory.write64(OPERANDS + 3, 0x1122334455667788L);
        guest.memory.write64(OPERANDS + 11, 0x99aabbccddeeff00L);
        execute("f3 0f 6f 07"); // movdqu xmm0, [rdi]
        assertThat(cpu.fpu.xmm[0]).isEqualTo(0x1122334455667788L);
        assertThat(cpu.fpu.xmm[1]).isEqualTo(0x99aabbccddeeff00L);
        execute("f2 0f f0 0f"); // lddqu xmm1, [rdi]
        assertThat(cpu.fpu.xmm[3]).isEqualTo(0x99aabbccddeeff00L);
        execute("66 0f 3a 63 07 08"); // pcmpistri xmm0, [rdi], 8
        execute("f2 0f 58 07"); // addsd xmm0, [rdi]
        execute("66 0f 38 30 07"); // pmovzxbw xmm0, [rdi]
        assertThat(cpu.fpu.xmm[0]).isEqualTo(0x0055006600770088L);
    }

    // Upper parts of registers

    @Test
    void scalarLoad_clearsTheRest_andRegisterMoveKeepsIt() {
        guest.memory.write64(OPERANDS, 0x0102030405060708L);
        cpu.fpu.xmm[0] = cpu.fpu.xmm[1] = cpu.fpu.xmm[2] = cpu.fpu.xmm[3] = -1;
        execute("f3 0f 10 07"); // movss xmm0, [rdi]
        assertThat(cpu.fpu.xmm[0]).isEqualTo(0x05060708L);
        assertThat(cpu.fpu.xmm[1]).isZero();
        execute("f3 0f 10 c8"); // movss xmm1, xmm0
        assertThat(cpu.fpu.xmm[2]).isEqualTo(0xffffffff05060708L);
        assertThat(cpu.fpu.xmm[3]).isEqualTo(-1);
        execute("66 0f 12 0f"); // movlpd xmm1, [rdi]
        assertThat(cpu.fpu.xmm[2]).isEqualTo(0x0102030405060708L);
        assertThat(cpu.fpu.xmm[3]).isEqualTo(-1);
    }

    @Test
    void generalDestination_isZeroExtended() {
        cpu.gpr[Cpu.RAX] = -1;
        cpu.fpu.xmm[2] = 0x8000000080000000L;
        execute("66 0f d7 c1"); // pmovmskb eax, xmm1
        assertThat(cpu.gpr[Cpu.RAX]).isEqualTo(0x88);
        cpu.gpr[Cpu.RAX] = -1;
        cpu.fpu.xmm[2] = Double.doubleToRawLongBits(-1);
        execute("f2 0f 2c c1"); // cvttsd2si eax, xmm1
        assertThat(cpu.gpr[Cpu.RAX]).isEqualTo(0xffffffffL);
    }

    // Masked stores

    @Test
    void maskmovdqu_writesOnlyChosenBytes() {
        for (int n = 0; n < 16; n++) {
            guest.memory.write8(OPERANDS + 5 + n, 0xee);
        }
        cpu.gpr[Cpu.RDI] = OPERANDS + 5;
        cpu.fpu.xmm[0] = 0x0706050403020100L;
        cpu.fpu.xmm[1] = 0x0f0e0d0c0b0a0908L;
        cpu.fpu.xmm[2] = 0x8000_0000_0000_0080L;
        cpu.fpu.xmm[3] = 0x0000_0000_0000_ff7fL;
        execute("66 0f f7 c1"); // maskmovdqu xmm0, xmm1
        assertThat(guest.memory.read64(OPERANDS + 5)).isEqualTo(0x07eeeeeeeeeeee00L);
        assertThat(guest.memory.read64(OPERANDS + 13)).isEqualTo(0xeeeeeeeeeeee09eeL);
    }

    @Test
    void maskmovq_writesOnlyChosenBytes_andEntersMmx() {
        guest.memory.write64(OPERANDS, -1);
        cpu.fpu.significand[0] = 0x0706050403020100L;
        cpu.fpu.significand[1] = 0x0000_8000_0000_0080L;
        execute("0f f7 c1"); // maskmovq mm0, mm1
        assertThat(guest.memory.read64(OPERANDS)).isEqualTo(0xffff05ffffffff00L);
        assertThat(cpu.fpu.valid).isEqualTo(0xff);
    }

    // The x87 state

    @Test
    void mmxInstruction_makesRegistersValid_andMarksTheWritten() {
        cpu.fpu.top = 3;
        cpu.fpu.valid = 0;
        cpu.fpu.signExponent[0] = 0x3fff;
        cpu.fpu.signExponent[1] = 0x3fff;
        execute("0f fc c1"); // paddb mm0, mm1
        assertThat(cpu.fpu.top).isZero();
        assertThat(cpu.fpu.valid).isEqualTo(0xff);
        assertThat(cpu.fpu.signExponent[0]).isEqualTo(0xffff);
        assertThat(cpu.fpu.signExponent[1]).isEqualTo(0x3fff);
        execute("0f 77"); // emms
        assertThat(cpu.fpu.valid).isZero();
    }

    @Test
    void conversionFromMmx_entersMmx_onlyWithARegister() {
        for (String memoryForm : new String[] {"0f 2a 07", "66 0f 2a 07"}) {
            cpu.fpu.top = 5;
            execute(memoryForm); // cvtpi2ps / cvtpi2pd xmm0, [rdi]
            assertThat(cpu.fpu.top).isEqualTo(5);
        }
        for (String registerForm : new String[] {"0f 2a c1", "66 0f 2a c1"}) {
            cpu.fpu.top = 5;
            execute(registerForm);
            assertThat(cpu.fpu.top).isZero();
        }
    }

    @Test
    void mmxInstruction_reportsThePendingX87Error_first() {
        cpu.control.cr0 |= ControlRegisters.CR0_NE;
        cpu.fpu.control = 0x37f & ~4;
        cpu.fpu.status = 0x84;
        cpu.fpu.valid = 0;
        assertThat(faultOf("0f fc c1")).isEqualTo(GuestFault.MF); // paddb mm0, mm1
        assertThat(faultOf("f3 0f d6 c1")).isEqualTo(GuestFault.MF); // movq2dq xmm0, mm1
        assertThat(cpu.fpu.valid).isZero();
        execute("66 0f fc c1"); // paddb xmm0, xmm1
    }

    // Availability

    @Test
    void sse_isUndefined_withoutTheSystemsSupport() {
        cpu.sseReady = false;
        cpu.control.cr4 = 0;
        assertThat(faultOf("66 0f ef c1")).isEqualTo(GuestFault.UD); // pxor xmm0, xmm1
        assertThat(faultOf("f2 0f 58 07")).isEqualTo(GuestFault.UD); // addsd xmm0, [rdi]
        execute("0f ef c1"); // pxor mm0, mm1
    }

    @Test
    void simd_isNotAvailable_afterATaskSwitch() {
        cpu.sseReady = false;
        cpu.control.cr0 |= ControlRegisters.CR0_TS;
        assertThat(faultOf("66 0f ef c1")).isEqualTo(GuestFault.NM);
        assertThat(faultOf("0f ef c1")).isEqualTo(GuestFault.NM);
    }

    @Test
    void crc32_worksWithoutSse_andTakesHighBytes() {
        cpu.sseReady = false;
        cpu.control.cr4 = 0;
        cpu.gpr[Cpu.RAX] = 0xffffffffL;
        cpu.gpr[Cpu.RCX] = 0x3837363534333231L;
        execute("f2 48 0f 38 f1 c1"); // crc32 rax, rcx
        cpu.gpr[Cpu.RCX] = 0x39_00;
        execute("f2 0f 38 f0 c5"); // crc32 eax, ch
        assertThat(~(int) cpu.gpr[Cpu.RAX]).isEqualTo(0xe3069283);
    }

    @Test
    void vexEncoding_isUndefined_untilTheOperatingSystemEnablesAvx() {
        cpu.avxReady = false;
        assertThatThrownBy(() -> execute("c5 f8 57 c0")) // vxorps xmm0, xmm0, xmm0
                .isInstanceOfSatisfying(
                        GuestFault.class, f -> assertThat(f.vector).isEqualTo(GuestFault.UD));
    }

    @Test
    void vexEncoding_clearsTheUpperHalf_whenItHas128Bits() {
        cpu.avxReady = true;
        java.util.Arrays.fill(cpu.fpu.ymmHigh, -1);
        cpu.fpu.xmm[2] = 5;
        execute("c5 f9 6f c1"); // vmovdqa xmm0, xmm1
        assertThat(cpu.fpu.xmm[0]).isEqualTo(5);
        assertThat(cpu.fpu.ymmHigh[0]).isZero();
        assertThat(cpu.fpu.ymmHigh[2]).isEqualTo(-1);
        execute("66 0f 6f c8"); // movdqa xmm1, xmm0 leaves the upper half alone
        assertThat(cpu.fpu.ymmHigh[2]).isEqualTo(-1);
    }
}
