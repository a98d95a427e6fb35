package org.javisor.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.testkit.GuestCode.RAX;
import static org.javisor.testkit.GuestCode.RBX;
import static org.javisor.testkit.GuestCode.RCX;
import static org.javisor.testkit.GuestCode.RDX;
import static org.javisor.testkit.GuestCode.RSP;
import static org.javisor.testkit.SmallGuest.CODE;
import static org.javisor.testkit.SmallGuest.CODE32;
import static org.javisor.testkit.SmallGuest.CODE64;
import static org.javisor.testkit.SmallGuest.DATA;
import static org.javisor.testkit.SmallGuest.DATA32;
import static org.javisor.testkit.SmallGuest.FREE_SELECTOR;
import static org.javisor.testkit.SmallGuest.USER;
import static org.javisor.testkit.SmallGuest.USER_CODE32;
import static org.javisor.testkit.SmallGuest.USER_CODE64;
import static org.javisor.testkit.SmallGuest.USER_DATA;
import static org.javisor.testkit.SmallGuest.USER_STACK;

import org.javisor.hypervisor.VcpuState;
import org.javisor.testkit.SmallGuest.Ending;
import org.javisor.x86.CodeSize;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Changes of privilege in long mode, and what each level may do (Intel SDM vol. 3A, chapter 5). */
public abstract class PrivilegeContract extends GuestContract {
    private static final int STAR = 0xc0000081, LSTAR = 0xc0000082, FMASK = 0xc0000084;
    private static final int EFER = 0xc0000080;
    private static final int FS_BASE = 0xc0000100, KERNEL_GS_BASE = 0xc0000102;
    private static final int SYSENTER_CS = 0x174, SYSENTER_ESP = 0x175, SYSENTER_EIP = 0x176;

    private static GuestCode kernel() {
        return GuestCode.at(CODE);
    }

    private static GuestCode user() {
        return GuestCode.at(USER);
    }

    /** IRET to ring 3 with a frame of choice. */
    private static GuestCode iretTo(int cs, long rip, int flags, int ss) {
        GuestCode code = kernel().pushImmediate(ss).pushImmediate((int) USER_STACK - 0x40);
        return code.pushImmediate(flags).pushImmediate(cs).pushImmediate((int) rip).iret();
    }

    @Test
    public void interruptReturn_entersRing3_andInterruptsComeBack() {
        guest.gate(0x80, SmallGuest.handler(0x80), 0xee, 0);
        guest.load(user().interrupt(0x80));
        Ending ending = guest.run(iretTo(USER_CODE64, USER, 0x202, USER_DATA));
        assertException(ending, 0x80, 0);
        assertThat(ending.cs()).isEqualTo(USER_CODE64);
        assertThat(ending.ss()).isEqualTo(USER_DATA);
        assertThat(ending.rsp()).isEqualTo(USER_STACK - 0x40);
        assertThat(ending.flags()).isEqualTo(0x202);
    }

    @Test
    public void interruptReturn_entersCompatibilityMode() {
        guest.gate(0x80, SmallGuest.handler(0x80), 0xee, 0);
        // INC EAX in 32-bit code, a REX prefix in 64-bit code.
        guest.load(user().hex("b8ffffffff 40 40").interrupt(0x80));
        Ending ending = guest.run(iretTo(USER_CODE32, USER, 0x202, USER_DATA));
        assertException(ending, 0x80, 0);
        assertThat(ending.state().gpr[RAX]).isEqualTo(1);
        assertThat(ending.cs()).isEqualTo(USER_CODE32);
    }

    @Test
    public void interruptReturn_checksItsFrame() {
        assertException(guest.run(iretTo(USER_CODE64, USER, 0x202, 0)), 13, 0);
        assertException(guest.run(iretTo(USER_CODE64, USER, 0x202, DATA32)), 13, DATA32);
        assertException(guest.run(iretTo(0, USER, 0x202, USER_DATA)), 13, 0);
        assertException(guest.run(iretTo(USER_DATA, USER, 0x202, USER_DATA)), 13, USER_DATA & ~3);
        assertException(guest.run(iretTo(CODE64 | 3, USER, 2, USER_DATA)), 13, CODE64);
        Ending nested = guest.run(kernel().pushImmediate(0x4002).hex("9d").iret());
        assertException(nested, 13, 0);
    }

    @Test
    public void interruptReturn_inRing3_leavesTheInterruptFlagAndIoPrivilegeAlone() {
        GuestCode code = user().mov(RBX, USER_STACK - 0x80).pushImmediate(USER_DATA).push(RBX);
        code.pushImmediate(0x3002 | 0x8d5).pushImmediate(USER_CODE64).pushLabel("after").iret();
        Ending ending = guest.runUser(code.label("after").hex("9c 58").hex("0f0b"));
        assertException(ending, 6, 0);
        assertThat(ending.state().gpr[RAX]).isEqualTo(0x202 | 0x8d5);
    }

    @Test
    public void popFlags_inRing3_leavesTheInterruptFlagAndIoPrivilegeAlone() {
        Ending ending = guest.runUser(user().pushImmediate(0x3002).hex("9d 9c 58").hex("0f0b"));
        assertThat(ending.state().gpr[RAX]).isEqualTo(0x202);
    }

    @Test
    public void farReturn_entersRing3() {
        guest.load(user().hex("0f0b"));
        GuestCode code = kernel().pushImmediate(USER_DATA).pushImmediate((int) USER_STACK - 0x40);
        // The immediate counts on both stacks.
        code.pushImmediate(0x1234).pushImmediate(USER_CODE64).pushImmediate((int) USER);
        code.hex("48ca0800");
        Ending ending = guest.run(code);
        assertException(ending, 6, 0);
        assertThat(ending.cs()).isEqualTo(USER_CODE64);
        assertThat(ending.rsp()).isEqualTo(USER_STACK - 0x40 + 8);
    }

    // System calls

    private GuestCode systemCallSetup() {
        long star = (long) CODE64 << 32 | (long) (USER_CODE32) << 48;
        return kernel().wrmsr(STAR, star).wrmsr(LSTAR, DATA).wrmsr(FMASK, 0x600);
    }

    @Test
    public void systemCall_savesAndMasks_andReturns() {
        GuestCode enter = systemCallSetup().mov(RSP, USER_STACK - 0x40).mov(RCX, USER);
        enter.hex("49bb 021a000000000000").hex("480f07");
        guest.load(GuestCode.at(DATA).hex("9c 5b").hex("480f07"));
        GuestCode call = user().label("call").hex("fd 0f05").label("back").hex("9c 5e").hex("0f0b");
        guest.load(call);
        Ending ending = guest.run(enter);
        assertException(ending, 6, 0);
        // RCX keeps the return address, R11 the flags; in the kernel IF and DF are masked.
        assertThat(ending.state().gpr[RCX]).isEqualTo(call.addressOf("back"));
        assertThat(ending.state().gpr[11]).isEqualTo(0x1e02);
        assertThat(ending.state().gpr[RBX]).isEqualTo(0x1802);
        assertThat(ending.state().gpr[GuestCode.RSI]).isEqualTo(0x1e02);
        assertThat(ending.cs()).isEqualTo(USER_CODE64);
        assertThat(ending.ss()).isEqualTo(USER_DATA);
    }

    @Test
    public void systemReturn_to32BitCode() {
        guest.load(user().hex("b8ffffffff 40 0f0b"));
        GuestCode enter = systemCallSetup().mov(RCX, 0xffff_ffff_0000_0000L | USER);
        Ending ending = guest.run(enter.hex("49bb 0202000000000000").hex("0f07"));
        assertException(ending, 6, 0);
        assertThat(ending.cs()).isEqualTo(USER_CODE32);
        assertThat(ending.state().gpr[RAX]).isZero();
    }

    @Test
    public void systemCall_isUndefined_unlessEnabled() {
        guest.load(user().hex("0f05"));
        VcpuState state = guest.userState(USER);
        state.efer &= ~1L;
        assertException(guest.run(state), 6, 0);
        assertException(guest.runUser(user().hex("480f07")), 13, 0);
    }

    @Test
    public void systemReturn_toANonCanonicalAddress_faultsInTheKernel() {
        Ending ending = guest.run(systemCallSetup().mov(RCX, 1L << 47).hex("480f07"));
        assertException(ending, 13, 0);
        assertThat(ending.cs()).isEqualTo(CODE64);
    }

    @Test
    public void fastSystemCall_entersAndLeaves() {
        GuestCode enter = kernel().wrmsr(SYSENTER_CS, CODE64).wrmsr(SYSENTER_EIP, DATA);
        enter.wrmsr(SYSENTER_ESP, SmallGuest.STACK - 0x100);
        enter.mov(RDX, USER).mov(RCX, USER_STACK - 0x80).hex("480f35");
        guest.load(GuestCode.at(DATA).hex("4889e3").mov(RDX, USER + 0x100).hex("480f35"));
        guest.load(user().hex("0f34"));
        guest.load(GuestCode.at(USER + 0x100).hex("0f0b"));
        Ending ending = guest.run(enter);
        assertException(ending, 6, 0);
        assertThat(ending.rip()).isEqualTo(USER + 0x100);
        assertThat(ending.state().gpr[RBX]).isEqualTo(SmallGuest.STACK - 0x100);
        assertThat(ending.cs()).isEqualTo(CODE64 + 32 | 3);
        assertThat(ending.ss()).isEqualTo(CODE64 + 40 | 3);
        assertThat(ending.rsp()).isEqualTo(USER_STACK - 0x80);
    }

    @Test
    public void fastSystemCall_isGeneralProtection_withoutASegment() {
        assertException(guest.runUser(user().hex("0f34")), 13, 0);
        assertException(guest.run(kernel().hex("0f35")), 13, 0);
    }

    // Call gates

    private void callGate(long target, int access) {
        long low = target & 0xffff | CODE64 << 16 | (long) access << 40;
        guest.descriptor(FREE_SELECTOR, low | (target >>> 16 & 0xffff) << 48);
        guest.descriptor(FREE_SELECTOR + 8, target >>> 32);
        guest.memory().write64(USER + 0x800, 0x12345678L | (long) FREE_SELECTOR << 32);
    }

    private static GuestCode callThroughGate() {
        return user().operand(3, USER + 0x800, 0xff).label("back").hex("0f0b");
    }

    @Test
    public void callGate_entersRing0_andFarReturnLeavesIt() {
        callGate(DATA, 0xec);
        guest.load(GuestCode.at(DATA).hex("4889e3 488b0424 488b4c2408 488b542410").hex("48cb"));
        GuestCode call = callThroughGate();
        Ending ending = guest.runUser(call);
        assertException(ending, 6, 0);
        assertThat(ending.cs()).isEqualTo(USER_CODE64);
        assertThat(ending.rsp()).isEqualTo(USER_STACK - 0x100);
        assertThat(ending.state().gpr[RBX]).isEqualTo(SmallGuest.STACK - 32);
        assertThat(ending.state().gpr[RAX]).isEqualTo(call.addressOf("back"));
        assertThat(ending.state().gpr[RCX]).isEqualTo(USER_CODE64);
        assertThat(ending.state().gpr[RDX]).isEqualTo(USER_STACK - 0x100);
    }

    @Test
    public void callGate_isChecked() {
        callGate(DATA, 0x8c);
        assertException(guest.runUser(callThroughGate()), 13, FREE_SELECTOR);
        callGate(DATA, 0x6c);
        assertException(guest.runUser(callThroughGate()), 11, FREE_SELECTOR);
        // A 16-bit gate does not exist in long mode, nor does a task gate.
        callGate(DATA, 0xe4);
        assertException(guest.runUser(callThroughGate()), 13, FREE_SELECTOR);
        callGate(DATA, 0xe5);
        assertException(guest.runUser(callThroughGate()), 13, FREE_SELECTOR);
        // The upper half of its descriptor must not look like one.
        callGate(DATA, 0xec);
        guest.descriptor(FREE_SELECTOR + 8, 0x0000120000000000L);
        assertException(guest.runUser(callThroughGate()), 13, FREE_SELECTOR);
    }

    @Test
    public void jumpThroughACallGate_cannotChangeThePrivilege() {
        callGate(DATA, 0xec);
        GuestCode jump = user().operand(5, USER + 0x800, 0xff);
        assertException(guest.runUser(jump), 13, CODE64);
    }

    // Between 64-bit and compatibility mode

    @Test
    public void farReturn_entersCompatibilityMode_andAFarJumpLeavesIt() {
        GuestCode code = kernel().returnFar(CODE32, "narrow").label("narrow").bits(CodeSize.BITS32);
        code.hex("b8ffffffff 40 50 5b").hex("54 59").jumpFar(CODE64, "wide", 4);
        Ending ending = guest.run(code.label("wide").bits(CodeSize.BITS64).hex("48ffc8").end());
        assertEnd(ending);
        assertThat(ending.state().gpr[RAX]).isEqualTo(-1L);
        assertThat(ending.state().gpr[RBX]).isZero();
        assertThat(ending.state().gpr[RCX]).isEqualTo(SmallGuest.STACK - 0x800);
    }

    @Test
    public void interruptsInCompatibilityMode_useTheLongModeFrame() {
        GuestCode code = kernel().returnFar(CODE32, "narrow").label("narrow").bits(CodeSize.BITS32);
        Ending ending = guest.run(code.label("fault").hex("0f0b"));
        assertException(ending, 6, 0);
        assertThat(ending.cs()).isEqualTo(CODE32);
        assertThat(ending.rip()).isEqualTo(code.addressOf("fault"));
        assertThat(ending.rsp()).isEqualTo(SmallGuest.STACK - 0x800);
    }

    // What ring 3 may not do

    @ParameterizedTest
    @ValueSource(
            strings = {
                "f4",
                "fa",
                "fb",
                "e480",
                "ed",
                "e680",
                "ef",
                "6c",
                "6f",
                "0f0114 2500000300",
                "0f011c2500000300",
                "0f00d0",
                "0f00d8",
                "0f22c0",
                "0f20c0",
                "0f22d8",
                "0f20d8",
                "0f22e0",
                "440f22c0",
                "0f21c0",
                "0f23c0",
                "0f06",
                "0f01f0",
                "0f013c2500000300",
                "0f08",
                "0f09",
                "0f32",
                "0f30",
                "0f01f8",
                "0f35",
                "480f07"
            })
    public void privilegedInstructions_areGeneralProtection_inRing3(String code) {
        Ending ending = guest.runUser(user().hex(code));
        assertException(ending, 13, 0);
        assertThat(ending.rip()).isEqualTo(USER);
    }

    @Test
    public void userModeInstructionPrevention_refusesToTellOfSystemTables() {
        for (String code :
                new String[] {
                    "0f01042500080300", "0f010c2500080300", "0f00c0", "0f00c8", "0f01e0"
                }) {
            guest.load(user().hex(code).end());
            VcpuState state = guest.userState(USER);
            assertEnd(guest.run(state));
            state.cr4 |= 0x800;
            guest.load(user().hex(code).end());
            assertException(guest.run(state), 13, 0);
        }
    }

    @Test
    public void timeStampCounter_canBeWithheld() {
        assertEnd(guest.runUser(user().hex("0f31").end()));
        VcpuState state = guest.userState(USER);
        state.cr4 |= 4;
        assertException(guest.run(state), 13, 0);
    }

    @Test
    public void portPermissionBitmap_opensSinglePorts() {
        // Ports 0 to 255 but the harness's are closed, those above beyond the bitmap.
        assertException(guest.runUser(user().out8(0x80).end()), 13, 0);
        assertException(guest.runUser(user().mov(RDX, 0x3f8).hex("ee").end()), 13, 0);
        guest.memory().write8(SmallGuest.TSS + 0x68 + 0x10, 0xf0);
        assertEnd(guest.runUser(user().hex("e780").end()));
        assertException(guest.runUser(user().hex("e781").end()), 13, 0);
        assertEnd(guest.runUser(user().hex("e683").end()));
    }

    // System registers

    @Test
    public void swapgs_exchangesTheBases() {
        GuestCode code = kernel().wrmsr(0xc0000101, 0x1111).wrmsr(KERNEL_GS_BASE, 0x2222);
        Ending ending = guest.run(code.hex("0f01f8").end());
        assertEnd(ending);
        assertThat(ending.state().segments[VcpuState.GS].base()).isEqualTo(0x2222);
        assertThat(ending.state().msrs.get(KERNEL_GS_BASE)).isEqualTo(0x1111);
    }

    @Test
    public void segmentBaseInstructions_areUndefined_unlessEnabled() {
        assertException(guest.runUser(user().hex("f3480faec0")), 6, 0);
        guest.load(user().hex("48c7c0 78563412 f3480faed0 f3480faec3").end());
        VcpuState state = guest.userState(USER);
        state.cr4 |= 0x10000;
        Ending ending = guest.run(state);
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX]).isEqualTo(0x12345678);
    }

    @Test
    public void modelSpecificRegisters_refuseWhatTheyCannotHold() {
        assertException(guest.run(kernel().mov(RCX, 0x12345678).hex("0f32")), 13, 0);
        assertException(guest.run(kernel().wrmsr(0x12345678, 0)), 13, 0);
        assertException(guest.run(kernel().wrmsr(LSTAR, 1L << 47)), 13, 0);
        assertException(guest.run(kernel().wrmsr(FS_BASE, 1L << 63)), 13, 0);
        assertException(guest.run(kernel().wrmsr(EFER, 0xd01 | 1 << 4)), 13, 0);
        // Long mode cannot be left while paging is on.
        assertException(guest.run(kernel().wrmsr(EFER, 0x801)), 13, 0);
        assertEnd(guest.run(kernel().wrmsr(EFER, 0xd01).end()));
    }

    @ParameterizedTest
    @ValueSource(longs = {0x80000032L, 0xa0050033L, 0x1_80050033L})
    public void controlRegister0_refusesImpossibleCombinations(long value) {
        assertException(guest.run(kernel().control(0, value)), 13, 0);
    }

    @ParameterizedTest
    @ValueSource(longs = {0x600, 0x80000620L, 0x1_00000620L, 0x1620, 0x2620})
    public void controlRegister4_refusesReservedBits_andLeavingPae(long value) {
        assertException(guest.run(kernel().control(4, value)), 13, 0);
    }

    @Test
    public void controlRegister3_refusesAddressesBeyondThePhysicalOnes() {
        GuestCode code = kernel().fromControl(RAX, 3).mov(RBX, 1L << 51).hex("4809d8");
        assertException(guest.run(code.toControl(3, RAX)), 13, 0);
    }

    @Test
    public void loadMachineStatusWord_cannotLeaveProtectedMode() {
        Ending ending = guest.run(kernel().hex("31c0 0f01f0").fromControl(RBX, 0).end());
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX] & 0xf).isEqualTo(1);
    }

    @Test
    public void extendedControlRegister_refusesWhatThereIsNot() {
        VcpuState state = guest.kernelState(CODE);
        assertException(guest.run(kernel().hex("31c9 0f01d0")), 6, 0);
        state.cr4 |= 0x40000;
        guest.load(kernel().hex("31c9 31d2").mov(RAX, 3).hex("0f01d1 0f01d0").end());
        assertThat(guest.run(state).state().gpr[RAX]).isEqualTo(3);
        for (long value : new long[] {0, 2, 0x400, 1L << 62}) {
            GuestCode code =
                    kernel().hex("31c9").mov(RAX, value & 0xffffffffL).mov(RDX, value >>> 32);
            guest.load(code.hex("0f01d1"));
            assertException(guest.run(state), 13, 0);
        }
        guest.load(kernel().mov(RCX, 1).mov(RAX, 3).hex("31d2 0f01d1"));
        assertException(guest.run(state), 13, 0);
    }
}
