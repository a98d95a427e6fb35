package org.javisor.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.testkit.GuestCode.RAX;
import static org.javisor.testkit.GuestCode.RBX;
import static org.javisor.testkit.GuestCode.RCX;
import static org.javisor.testkit.GuestCode.RSP;
import static org.javisor.testkit.SmallGuest.CODE32;
import static org.javisor.testkit.SmallGuest.CODE64;
import static org.javisor.testkit.SmallGuest.DATA;
import static org.javisor.testkit.SmallGuest.DATA32;
import static org.javisor.testkit.SmallGuest.FREE_SELECTOR;
import static org.javisor.testkit.SmallGuest.USER;

import org.javisor.hypervisor.VcpuState;
import org.javisor.hypervisor.VcpuState.Segment;
import org.javisor.testkit.SmallGuest.Ending;
import org.javisor.testkit.SmallGuest.Kind;
import org.javisor.x86.CodeSize;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real and 32-bit protected mode, and the ways between the modes (Intel SDM vol. 3A, 9.8, 9.9). */
public abstract class ModeContract extends GuestContract {
    /** Below 64 KiB, so that all modes reach it. */
    private static final long LOW_CODE = 0xc000;

    private static final int EFER = 0xc0000080;

    private static GuestCode real() {
        return new GuestCode(LOW_CODE, CodeSize.BITS16);
    }

    private static GuestCode code32() {
        return new GuestCode(LOW_CODE, CodeSize.BITS32);
    }

    private Ending runReal(GuestCode code) {
        guest.load(code);
        return guest.run(guest.realState(LOW_CODE));
    }

    private Ending runProtected(GuestCode code) {
        guest.load(code);
        return guest.run(guest.protectedState(LOW_CODE));
    }

    // All modes in one go

    @Test
    public void processor_goesFromRealModeToLongModeAndBack() {
        GuestCode code = real().trace(1);
        code.mov32(RAX, 0x11).hex("0f22c0").jumpFar(CODE32, "protected", 4);
        code.label("protected").bits(CodeSize.BITS32).trace(2).segment(VcpuState.DS, DATA32);
        code.segment(VcpuState.SS, DATA32).segment(VcpuState.ES, DATA32).control(4, 0x20);
        code.control(3, guest.tables().root()).wrmsr(EFER, 0x100).control(0, 0x80000011L);
        code.trace(3).jumpFar(CODE64, "long", 4);
        code.label("long").bits(CodeSize.BITS64).trace(4).mov(RBX, 1L << 40);
        code.fromControl(RCX, 0).returnFar(CODE32, "compatible");
        code.label("compatible").bits(CodeSize.BITS32).trace(5).control(0, 0x11);
        code.wrmsr(EFER, 0).trace(6).jumpFar(SmallGuest.CODE16, "narrow", 4);
        code.label("narrow").bits(CodeSize.BITS16).segment(VcpuState.DS, SmallGuest.DATA16);
        code.segment(VcpuState.ES, SmallGuest.DATA16).segment(VcpuState.SS, SmallGuest.DATA16);
        code.mov32(RAX, 0x10).hex("0f22c0").jumpFar(0, "real", 2).label("real");
        code.segment(VcpuState.DS, 0).segment(VcpuState.SS, 0).trace(7).end();
        Ending ending = runReal(code);
        assertEnd(ending);
        assertThat(guest.trace()).containsExactly(1, 2, 3, 4, 5, 6, 7);
        assertThat(ending.state().efer).isZero();
        assertThat(ending.state().cr0).isEqualTo(0x10);
        assertThat(ending.state().segments[VcpuState.CS].selector()).isZero();
    }

    @Test
    public void longMode_becomesActiveWithPagingOnly() {
        GuestCode code = code32().control(4, 0x20).control(3, guest.tables().root());
        code.wrmsr(EFER, 0x100).mov32(RCX, EFER).hex("0f32 89c3").control(0, 0x80000011L);
        Ending ending = runProtected(code.mov32(RCX, EFER).hex("0f32").end());
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX]).isEqualTo(0x100);
        assertThat(ending.state().gpr[RAX]).isEqualTo(0x500);
    }

    @Test
    public void longMode_cannotBeEntered_withoutPae() {
        GuestCode code = code32().control(3, guest.tables().root()).wrmsr(EFER, 0x100);
        assertException(runProtected(code.control(0, 0x80000011L)), 13, 0);
    }

    // Real mode

    @Test
    public void realMode_addressesBySegmentTimesSixteen() {
        guest.memory().write16(0x12345, 0xbeef);
        guest.memory().write16(0x100010, 0xcafe);
        GuestCode code = real().segment(VcpuState.DS, 0x1234).hex("a10500 89c3");
        Ending ending = runReal(code.segment(VcpuState.DS, 0xffff).hex("a12000 89c1").end());
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX]).isEqualTo(0xbeef);
        assertThat(ending.state().gpr[RCX]).isEqualTo(0xcafe);
    }

    @Test
    public void realMode_interruptsPushThreeWords_andReturn() {
        GuestCode code = real().sti().hex("cd20").label("back").hex("9c58").end();
        guest.load(new GuestCode(0xd000, CodeSize.BITS16).hex("89e3 9c59 cf"));
        guest.memory().write32(0x20 * 4, 0xd000);
        Ending ending = runReal(code);
        assertEnd(ending);
        long stack = SmallGuest.STACK - 0x800 - 6;
        assertThat(ending.state().gpr[RBX]).isEqualTo(stack);
        assertThat(ending.state().gpr[RCX] & 0x200).isZero();
        assertThat(ending.state().gpr[RAX]).isEqualTo(0x202);
        assertThat(guest.memory().read16(stack)).isEqualTo((int) code.addressOf("back"));
        assertThat(guest.memory().read16(stack + 2)).isZero();
    }

    @Test
    public void realMode_hasSegmentLimits() {
        guest.load(new GuestCode(0xd000, CodeSize.BITS16).trace(13).end());
        guest.memory().write32(13 * 4, 0xd000);
        guest.load(new GuestCode(0xd100, CodeSize.BITS16).trace(12).end());
        guest.memory().write32(12 * 4, 0xd100);
        assertEnd(runReal(real().hex("a1ffff").end()));
        assertEnd(runReal(real().hex("67668b0500000100").end()));
        // POP of a word at the segment's last byte.
        assertEnd(runReal(real().hex("bcffff 58").end()));
        assertThat(guest.trace()).containsExactly(13, 13, 12);
    }

    @Test
    public void realMode_keepsTheLimitsOfProtectedMode() {
        guest.memory().write32(0x200000, 0x12345678);
        GuestCode code = real().mov32(RAX, 0x11).hex("0f22c0").segment(VcpuState.DS, DATA32);
        code.mov32(RAX, 0x10).hex("0f22c0").segment(VcpuState.DS, 0);
        Ending ending = runReal(code.hex("67668b1d00002000").end());
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX]).isEqualTo(0x12345678);
    }

    @Test
    public void realMode_shutsDown_withoutAnInterruptTable() {
        guest.load(real().hex("cc"));
        VcpuState state = guest.realState(LOW_CODE);
        state.idtr = new VcpuState.TableRegister(0, 0);
        assertThat(guest.run(state).kind()).isEqualTo(Kind.SHUTDOWN);
    }

    @Test
    public void farCallsInRealMode_pushSegmentAndOffset() {
        GuestCode code = real().hex("9a 0000 000d").label("back").end();
        guest.load(new GuestCode(0xd000, CodeSize.BITS16).hex("8cc8 89c3 cb"));
        Ending ending = runReal(code);
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX]).isEqualTo(0xd00);
        assertThat(guest.memory().read16(SmallGuest.STACK - 0x800 - 4))
                .isEqualTo((int) code.addressOf("back"));
    }

    // Segmentation

    private VcpuState withData(Segment segment) {
        VcpuState state = guest.protectedState(LOW_CODE);
        state.segments[VcpuState.DS] = segment;
        return state;
    }

    @Test
    public void segmentLimits_areToTheByte() {
        VcpuState state = withData(new Segment(FREE_SELECTOR, DATA, 0xfff, 0x4093));
        guest.load(code32().hex("a1fc0f0000").end());
        assertEnd(guest.run(state));
        guest.load(code32().hex("a1fd0f0000").end());
        assertException(guest.run(state), 13, 0);
        guest.load(code32().hex("a1ffffffff").end());
        assertException(guest.run(state), 13, 0);
        guest.load(code32().hex("a0ff0f0000").end());
        assertEnd(guest.run(state));
        guest.load(code32().hex("0f100d f10f0000").end());
        assertException(guest.run(state), 13, 0);
    }

    @Test
    public void limitOfTheStack_isAStackFault() {
        VcpuState state = guest.protectedState(LOW_CODE);
        state.segments[VcpuState.SS] = new Segment(FREE_SELECTOR, 0, 0x7fff, 0x4093);
        state.gpr[RSP] = 0x8004;
        guest.load(code32().hex("58").end());
        // Neither the fault's frame nor that of the double fault fits.
        assertThat(guest.run(state).kind()).isEqualTo(Kind.SHUTDOWN);
        guest.load(code32().hex("36a1fe7f0000").end());
        state.gpr[RSP] = 0x7000;
        assertException(guest.run(state), 12, 0);
    }

    @Test
    public void expandDownSegments_reachFromTheirLimitUpwards() {
        VcpuState state = withData(new Segment(FREE_SELECTOR, 0, 0xffff, 0x4097));
        guest.load(code32().hex("a100000100").end());
        assertEnd(guest.run(state));
        guest.load(code32().hex("a1ffff0000").end());
        assertException(guest.run(state), 13, 0);
        // Without B the upper bound is 64 KiB.
        state = withData(new Segment(FREE_SELECTOR, 0, 0xfff, 0x97));
        guest.load(code32().hex("a100100000").end());
        assertEnd(guest.run(state));
        guest.load(code32().hex("a1fdff0000").end());
        assertException(guest.run(state), 13, 0);
    }

    @Test
    public void segmentTypes_restrictAccess() {
        guest.load(code32().hex("a300000200").end());
        assertException(guest.run(withData(new Segment(8, 0, -1, 0xc091))), 13, 0);
        assertException(guest.run(withData(new Segment(8, 0, -1, 0xc09b))), 13, 0);
        assertException(guest.run(withData(new Segment(0, 0, 0, 0))), 13, 0);
        guest.load(code32().hex("a100000200").end());
        assertEnd(guest.run(withData(new Segment(8, 0, -1, 0xc091))));
        assertEnd(guest.run(withData(new Segment(8, 0, -1, 0xc09b))));
        assertException(guest.run(withData(new Segment(8, 0, -1, 0xc099))), 13, 0);
    }

    @Test
    public void nullSelector_canBeLoaded_butNotUsed() {
        GuestCode code = code32().segment(VcpuState.DS, 0).label("use").hex("a100000200");
        Ending ending = runProtected(code.end());
        assertException(ending, 13, 0);
        assertThat(ending.rip()).isEqualTo(code.addressOf("use"));
    }

    @Test
    public void executionBehindTheLimit_isGeneralProtection() {
        guest.load(code32().nop(4).end());
        VcpuState state = guest.protectedState(LOW_CODE);
        state.segments[VcpuState.CS] = new Segment(FREE_SELECTOR, 0, (int) LOW_CODE + 3, 0x409b);
        Ending ending = guest.run(state);
        assertException(ending, 13, 0);
        assertThat(ending.rip()).isEqualTo(LOW_CODE + 4);
        guest.load(code32().hex("e9 00100000"));
        assertThat(guest.run(state).kind()).isEqualTo(Kind.EXCEPTION);
    }

    @Test
    public void descriptors_getTheirAccessedBit() {
        guest.descriptor(FREE_SELECTOR, 0x00cf92000000ffffL);
        assertEnd(runProtected(code32().segment(VcpuState.FS, FREE_SELECTOR).end()));
        assertThat(guest.memory().read64(SmallGuest.GDT + FREE_SELECTOR))
                .isEqualTo(0x00cf93000000ffffL);
    }

    @Test
    public void localDescriptorTable_isUsedForSelectorsWithItsBit() {
        guest.descriptor(FREE_SELECTOR, 0x0000820500000fffL);
        guest.memory().write64(0x50008, 0x00cf93000000ffffL | 0x2_0000L << 16);
        GuestCode code = code32().mov32(RAX, FREE_SELECTOR).hex("0f00d0");
        code.segment(VcpuState.FS, 0xc).hex("64a100000000 89c3 0f00c1");
        guest.memory().write32(DATA, 0x55aa);
        Ending ending = runProtected(code.end());
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX]).isEqualTo(0x55aa);
        assertThat(ending.state().gpr[RCX] & 0xffff).isEqualTo(FREE_SELECTOR);
    }

    @Test
    public void narrowCode_hasNarrowOperandsAndAddresses() {
        guest.descriptor(FREE_SELECTOR, 0x00009b000000ffffL);
        GuestCode code = code32().mov32(RAX, -1).mov32(RBX, 0x12345).jumpFar(FREE_SELECTOR, "n", 4);
        code.label("n").bits(CodeSize.BITS16).hex("40 8d07 89c3").hex("6640 6690");
        Ending ending = runProtected(code.end());
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX] >>> 16).isEqualTo(1);
        assertThat(ending.state().gpr[RAX] >>> 16).isEqualTo(0xffff);
    }

    @Test
    public void narrowStack_wrapsAtSixtyFourKibibytes() {
        VcpuState state = guest.protectedState(LOW_CODE);
        state.segments[VcpuState.SS] = new Segment(SmallGuest.DATA16, 0x50000, 0xffff, 0x93);
        state.gpr[RSP] = 0x12340002;
        guest.load(code32().mov32(RAX, 0x11223344).hex("6650 6650").end());
        Ending ending = guest.run(state);
        assertEnd(ending);
        assertThat(ending.state().gpr[RSP]).isEqualTo(0x1234fffeL);
        assertThat(guest.memory().read16(0x5fffe)).isEqualTo(0x3344);
    }

    // Privilege in 32-bit protected mode

    @Test
    public void interrupts_changeToTheStackOfTheTaskState() {
        guest.load(new GuestCode(USER, CodeSize.BITS32).hex("0f0b"));
        Ending ending = guest.run(guest.protectedUserState(USER));
        assertException(ending, 6, 0);
        assertThat(ending.cs()).isEqualTo(SmallGuest.USER_CODE32);
        assertThat(ending.ss()).isEqualTo(SmallGuest.USER_DATA);
        assertThat(ending.rsp()).isEqualTo(SmallGuest.USER_STACK - 0x100);
        assertThat(ending.state().gpr[RSP]).isEqualTo(SmallGuest.STACK - 5 * 4 - 2 * 4);
        assertThat(ending.state().segments[VcpuState.SS].selector()).isEqualTo(DATA32);
        assertThat(ending.state().segments[VcpuState.DS].selector())
                .isEqualTo(SmallGuest.USER_DATA);
    }

    @Test
    public void interruptReturn_toRing3_dropsTheKernelsDataSegments() {
        guest.load(new GuestCode(USER, CodeSize.BITS32).hex("0f0b"));
        GuestCode code = code32().segment(VcpuState.ES, SmallGuest.USER_DATA);
        code.pushImmediate(SmallGuest.USER_DATA).pushImmediate((int) SmallGuest.USER_STACK - 16);
        code.pushImmediate(0x3002).pushImmediate(SmallGuest.USER_CODE32).pushImmediate((int) USER);
        Ending ending = runProtected(code.iret());
        assertException(ending, 6, 0);
        assertThat(ending.flags() & 0x3000).isEqualTo(0x3000);
        assertThat(ending.state().segments[VcpuState.DS].selector()).isZero();
        assertThat(ending.state().segments[VcpuState.ES].selector())
                .isEqualTo(SmallGuest.USER_DATA);
    }

    @Test
    public void callGate_copiesParameters_andFarReturnReleasesThem() {
        long low = 0xd000 | CODE32 << 16 | 0xecL << 40 | 2L << 32;
        guest.descriptor(FREE_SELECTOR, low);
        guest.load(new GuestCode(0xd000, CodeSize.BITS32).hex("8b5c2408 8b4c240c ca0800"));
        GuestCode code =
                new GuestCode(USER, CodeSize.BITS32).pushImmediate(0x111).pushImmediate(0x222);
        guest.load(code.hex("9a 00000000").raw(FREE_SELECTOR, 0).hex("0f0b"));
        Ending ending = guest.run(guest.protectedUserState(USER));
        assertException(ending, 6, 0);
        assertThat(ending.state().gpr[RBX]).isEqualTo(0x222);
        assertThat(ending.state().gpr[RCX]).isEqualTo(0x111);
        assertThat(ending.rsp()).isEqualTo(SmallGuest.USER_STACK - 0x100);
    }

    @Test
    public void taskSwitches_areRefused() {
        guest.descriptor(FREE_SELECTOR, 0x0000890070000067L);
        GuestCode jump = code32().hex("ea 00000000").raw(FREE_SELECTOR, 0);
        assertException(runProtected(jump), 13, FREE_SELECTOR);
        guest.protectedState(LOW_CODE);
        guest.gate32(0x40, 0, FREE_SELECTOR, 0x85);
        assertException(runProtected(code32().interrupt(0x40)), 13, 0x40 << 3 | 2);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"27", "37", "3f", "2f", "d40a", "d50a", "60 61", "62 05 00000200", "ce"})
    public void legacyInstructions_existOutside64BitCodeOnly(String code) {
        guest.memory().write64(DATA, 0x7fffffff_00000000L);
        assertEnd(runProtected(code32().hex(code).end()));
        guest.load(new GuestCode(SmallGuest.CODE, CodeSize.BITS64).hex(code));
        assertException(guest.run(guest.kernelState(SmallGuest.CODE)), 6, 0);
    }

    @Test
    public void boundRangeAndOverflow_haveExceptionsOfTheirOwn() {
        guest.memory().write64(DATA, 5L << 32 | 2);
        assertException(runProtected(code32().mov32(RAX, 6).hex("6205 00000200")), 5, 0);
        assertEnd(runProtected(code32().mov32(RAX, 5).hex("6205 00000200").end()));
        Ending overflow = runProtected(code32().hex("b07f 0401 ce"));
        assertException(overflow, 4, 0);
    }

    // Paging of 32-bit code

    /** Tables of two levels that map the first 8 MiB to itself by pages of 4 MiB. */
    private VcpuState twoLevelState(long eip) {
        guest.memory().write32(0x300000, 0x83);
        guest.memory().write32(0x300004, 0x400083);
        VcpuState state = guest.protectedState(eip);
        state.cr3 = 0x300000;
        state.cr4 |= 0x10;
        state.cr0 |= 0x80010000L;
        return state;
    }

    @Test
    public void twoLevels_translateSmallAndLargePages() {
        guest.memory().write32(0x300400, 0x301007); // 40000000h
        guest.memory().write32(0x301008, 0x50007);
        guest.memory().write32(0x300404, 0x400087); // 40400000h
        guest.memory().write32(0x50123, 0x1111);
        guest.memory().write32(0x512344, 0x2222);
        guest.load(
                code32().load(RBX, 0x40002123).load(RCX, 0x40512344).store(0x40002000, RBX).end());
        Ending ending = guest.run(twoLevelState(LOW_CODE));
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX]).isEqualTo(0x1111);
        assertThat(ending.state().gpr[RCX]).isEqualTo(0x2222);
        assertThat(guest.memory().read32(0x301008)).isEqualTo(0x50067);
        assertThat(guest.memory().read32(0x300400)).isEqualTo(0x301027);
        assertThat(guest.memory().read32(0x300404)).isEqualTo(0x4000a7);
        guest.load(code32().load(RBX, 0x40003000));
        assertPageFault(guest.run(twoLevelState(LOW_CODE)), 0, 0x40003000);
        guest.load(code32().load(RBX, 0x50000000));
        assertPageFault(guest.run(twoLevelState(LOW_CODE)), 0, 0x50000000);
    }

    @Test
    public void largePagesOfTwoLevels_haveReservedBits() {
        guest.memory().write32(0x300400, 0x600087);
        guest.load(code32().load(RBX, 0x40000000));
        // Bit 21 is reserved, bits 13 to 20 extend the address.
        assertPageFault(guest.run(twoLevelState(LOW_CODE)), 9, 0x40000000);
    }

    /** Three levels, the first 8 MiB mapped to itself by pages of 2 MiB. */
    private VcpuState threeLevelState(long eip) {
        guest.memory().write64(0x310020, 0x311001);
        for (int n = 0; n < 4; n++) {
            guest.memory().write64(0x311000 + 8 * n, 0x83 | (long) n << 21);
        }
        VcpuState state = guest.protectedState(eip);
        state.cr3 = 0x310020;
        state.cr4 |= 0x20;
        state.efer = 0x800;
        state.cr0 |= 0x80010000L;
        return state;
    }

    @Test
    public void threeLevels_translate_andKnowNoExecute() {
        guest.memory().write64(0x310028, 0x312001); // 40000000h
        guest.memory().write64(0x312000, 0x313007);
        guest.memory().write64(0x313008, 0x50007 | 1L << 63);
        guest.memory().write32(0x50123, 0x1111);
        guest.load(code32().load(RBX, 0x40001123).store(0x40001000, RBX).end());
        Ending ending = guest.run(threeLevelState(LOW_CODE));
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX]).isEqualTo(0x1111);
        guest.load(code32().mov32(RAX, 0x40001000).hex("ffe0"));
        assertPageFault(guest.run(threeLevelState(LOW_CODE)), 0x11, 0x40001000);
        guest.memory().write64(0x313008, 0x50007 | 1L << 60);
        guest.load(code32().load(RBX, 0x40001123));
        assertPageFault(guest.run(threeLevelState(LOW_CODE)), 9, 0x40001123);
    }

    @Test
    public void pageDirectoryPointers_areLoadedWithCr3_andCheckedThen() {
        VcpuState state = threeLevelState(LOW_CODE);
        // What is in memory does not count until CR3 is loaded.
        GuestCode code = code32().mov32(RAX, 0).store(0x310020, RAX).load(RBX, 0x50000).end();
        guest.load(code);
        assertEnd(guest.run(state));
        state = threeLevelState(LOW_CODE);
        guest.load(code32().mov32(RAX, 0x311003).store(0x310020, RAX).control(3, 0x310020));
        assertException(guest.run(state), 13, 0);
    }

    @Test
    public void turningPagingOn_loadsThePageDirectoryPointers() {
        threeLevelState(LOW_CODE);
        GuestCode code = code32().control(3, 0x310020).control(4, 0x20).control(0, 0x80000011L);
        assertEnd(runProtected(code.trace(1).end()));
        guest.memory().write64(0x310020, 0x311007);
        assertException(runProtected(code), 13, 0);
    }

    @Test
    public void tableRegisters_holdThirtyTwoBits() {
        guest.memory().write16(DATA, 0x123);
        guest.memory().write64(DATA + 2, 0x76543210_89abcdefL);
        GuestCode code = code32().lidt(DATA).operand(1, DATA + 16, 0x0f, 0x01);
        assertEnd(runProtected(code.end()));
        assertThat(guest.memory().read16(DATA + 16)).isEqualTo(0x123);
        assertThat(guest.memory().read64(DATA + 18)).isEqualTo(0x89abcdefL);
    }
}
