package org.javisor.interpreter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNoException;

import java.util.HexFormat;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Decoder;
import org.javisor.x86.Instruction;
import org.javisor.x86.LittleEndian;
import org.javisor.x86.XsaveImage;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When x87 and save-area instructions fault, and that they then leave everything as it was. */
class X87HandlersTest {
    private static final String FLD1 = "d9e8",
            FADD = "d8c1",
            FDIV_ZERO = "d8f1",
            FLDZ = "d9ee",
            WAIT = "9b";
    private static final String FLD_M64 = "dd06",
            FSTP_M64 = "dd1e",
            FSTP_M80 = "db3e",
            FNSAVE = "dd36";
    private static final String FXSAVE = "0fae06",
            FXRSTOR = "0fae0e",
            XSAVE = "0fae26",
            XRSTOR = "0fae2e";
    private static final String LDMXCSR = "0fae16";

    private static final long DATA = 0x2000;

    private final BareProcessor guest = new BareProcessor();
    private final Cpu cpu = guest.cpu;
    private CodeSize size = CodeSize.BITS64;

    @BeforeEach
    void enableUnits() {
        guest.enablePaging();
        cpu.control.cr0 |= ControlRegisters.CR0_NE | ControlRegisters.CR0_MP;
        cpu.control.cr4 |= ControlRegisters.CR4_OSFXSR | ControlRegisters.CR4_OSXSAVE;
        cpu.control.xcr0 = 3;
        cpu.sseReady = true;
        cpu.gpr[Cpu.RSI] = DATA;
        cpu.gpr[Cpu.RAX] = 3;
    }

    @AfterEach
    void close() {
        guest.close();
    }

    private void run(String... code) {
        for (String one : code) {
            byte[] bytes = HexFormat.of().parseHex(one);
            byte[] padded = java.util.Arrays.copyOf(bytes, 15);
            Instruction i = new Decoder().decode(padded, 0, 15, size);
            Handler handler = X87Handlers.select(i);
            cpu.rip = 0x1000 + i.length;
            (handler == null ? FpuAreaHandlers.select(i) : handler).execute(cpu, i);
        }
    }

    private void assertFaults(int vector, String code) {
        byte[] before = XsaveImage.toXsave(cpu.fpu);
        assertThatExceptionOfType(GuestFault.class)
                .isThrownBy(() -> run(code))
                .satisfies(fault -> assertThat(fault.vector).isEqualTo(vector));
        assertThat(XsaveImage.toXsave(cpu.fpu)).isEqualTo(before);
    }

    private void leaveDivisionByZeroPending() {
        run("dbe3"); // FNINIT
        cpu.fpu.control &= ~4;
        run(FLDZ, FLD1, FDIV_ZERO);
        assertThat(cpu.fpu.status & 0x8084).isEqualTo(0x8084);
    }

    @ParameterizedTest
    @ValueSource(strings = {FLD1, FADD, WAIT, FLD_M64, FSTP_M64, "d92e", "d926", "dd26", "d9d0"})
    void waitingInstruction_reportsTheErrorOfAnEarlierOne(String code) {
        leaveDivisionByZeroPending();

        assertFaults(GuestFault.MF, code);
    }

    @ParameterizedTest
    @ValueSource(strings = {"dbe3", "dbe2", "d93e", "dfe0", "d936", FNSAVE, FXSAVE, FXRSTOR, XSAVE})
    void nonWaitingInstruction_ignoresAPendingError(String code) {
        leaveDivisionByZeroPending();

        assertThatNoException().isThrownBy(() -> run(code));
    }

    @Test
    void pendingError_isNotReportedAsAnException_whenNumericErrorIsClear() {
        leaveDivisionByZeroPending();
        cpu.control.cr0 &= ~ControlRegisters.CR0_NE;

        assertThatNoException().isThrownBy(() -> run(WAIT, FLD1));
    }

    @Test
    void unmaskingAnException_makesItPending_andMaskingItAgainNot() {
        run("dbe3", FLDZ, FLD1, FDIV_ZERO);
        assertThat(cpu.fpu.status & 0x8080).isZero();
        guest.memory.write64(DATA, 0x37b);
        run("d92e"); // FLDCW
        assertFaults(GuestFault.MF, WAIT);
        run("d936"); // FNSTENV masks all
        assertThatNoException().isThrownBy(() -> run(WAIT));
    }

    @ParameterizedTest
    @ValueSource(strings = {FLD1, FLD_M64, "dbe3", "d93e", FXSAVE, FXRSTOR})
    void everyInstruction_findsNoDevice_whenTaskSwitchedOrEmulated(String code) {
        cpu.control.cr0 |= ControlRegisters.CR0_TS;
        assertFaults(GuestFault.NM, code);
        cpu.control.cr0 ^= ControlRegisters.CR0_TS | ControlRegisters.CR0_EM;
        assertFaults(GuestFault.NM, code);
    }

    @Test
    void wait_findsNoDevice_onlyWhenTaskSwitchedAndMonitored() {
        cpu.control.cr0 |= ControlRegisters.CR0_TS;
        assertFaults(GuestFault.NM, WAIT);
        cpu.control.cr0 &= ~ControlRegisters.CR0_MP;
        assertThatNoException().isThrownBy(() -> run(WAIT));
    }

    @ParameterizedTest
    @ValueSource(strings = {FSTP_M64, FSTP_M80, "df36", "df3e", FNSAVE, "d936", "dd0e"})
    void store_changesNothing_whenItsSecondPageCannotBeWritten(String code) {
        run("dbe3", FLD1);
        cpu.gpr[Cpu.RSI] = 0x2ffb;
        guest.memory.write64(0x2ffb, 0x1122334455667788L);
        guest.revoke(0x3000, 2);

        assertFaults(GuestFault.PF, code);
        assertThat(guest.memory.read64(0x2ffb)).isEqualTo(0x1122334455667788L);
    }

    @ParameterizedTest
    @ValueSource(strings = {"d906", FLD_M64, "db2e", "df2e", "df26", "dc06", "d926", "dd26"})
    void load_changesNothing_whenItsSecondPageIsAbsent(String code) {
        run("dbe3", FLD1);
        cpu.gpr[Cpu.RSI] = 0x2ffe;
        guest.revoke(0x3000, 1);

        assertFaults(GuestFault.PF, code);
    }

    @ParameterizedTest
    @ValueSource(strings = {FXSAVE, FXRSTOR, XSAVE, XRSTOR, "0fae36", "0fc726"})
    void saveArea_raisesGeneralProtection_whenMisaligned(String code) {
        cpu.gpr[Cpu.RSI] = DATA + 8;

        assertFaults(GuestFault.GP, code);
    }

    @ParameterizedTest
    @ValueSource(strings = {XSAVE, XRSTOR, "0fae36", "0fc726", "0fc72e", "0fc71e"})
    void xsaveFamily_isUndefined_unlessTheOperatingSystemEnabledIt(String code) {
        cpu.control.cr4 &= ~ControlRegisters.CR4_OSXSAVE;

        assertFaults(GuestFault.UD, code);
    }

    @ParameterizedTest
    @ValueSource(strings = {FXRSTOR, LDMXCSR, XRSTOR})
    void reservedBitsOfMxcsr_raiseGeneralProtection(String code) {
        for (long at = 0; at < 576; at += 8) {
            guest.memory.write64(DATA + at, 0);
        }
        guest.memory.write64(DATA + 24, 0x10000);
        guest.memory.write64(DATA, 0x10000);

        assertFaults(GuestFault.GP, code);
    }

    @ParameterizedTest
    @ValueSource(longs = {4, 8, 1L << 63})
    void xrstor_raisesGeneralProtection_whenTheHeaderNamesUnknownComponents(long components) {
        byte[] area = XsaveImage.toXsave(cpu.fpu);
        LittleEndian.put64(area, 512, components);
        guest.memory.write(DATA, area, 0, area.length);

        assertFaults(GuestFault.GP, XRSTOR);
    }

    @ParameterizedTest
    @ValueSource(ints = {528, 536, 544, 568})
    void xrstor_raisesGeneralProtection_whenReservedBytesOfACompactedHeaderAreSet(int offset) {
        byte[] area = XsaveImage.toXsave(cpu.fpu);
        LittleEndian.put64(area, 520, 1L << 63 | 3);
        area[offset] = 1;
        guest.memory.write(DATA, area, 0, area.length);

        assertFaults(GuestFault.GP, XRSTOR);
    }

    @Test
    void fxsave_leavesTheUpperXmmRegistersOut_outside64BitCode() {
        size = CodeSize.BITS32;
        cpu.code64 = false;
        cpu.fpu.xmm[15] = 7;
        cpu.fpu.xmm[16] = 9;
        guest.memory.write64(DATA + 160 + 128, 5);

        run(FXSAVE);

        assertThat(guest.memory.read64(DATA + 160 + 120)).isEqualTo(7);
        assertThat(guest.memory.read64(DATA + 160 + 128)).isEqualTo(5);
    }

    @Test
    void fnstsw_writesOnlyTheLowHalfOfEax() {
        cpu.gpr[Cpu.RAX] = 0x1122334455667788L;

        run("dbe3", FLD1, "dfe0");

        assertThat(cpu.gpr[Cpu.RAX]).isEqualTo(0x1122334455663800L);
    }
}
