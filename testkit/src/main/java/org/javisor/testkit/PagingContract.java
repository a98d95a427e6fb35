package org.javisor.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.testkit.GuestCode.RAX;
import static org.javisor.testkit.GuestCode.RBX;
import static org.javisor.testkit.PageTables.ACCESSED;
import static org.javisor.testkit.PageTables.DIRTY;
import static org.javisor.testkit.PageTables.GLOBAL;
import static org.javisor.testkit.PageTables.LARGE;
import static org.javisor.testkit.PageTables.NO_EXECUTE;
import static org.javisor.testkit.PageTables.PRESENT;
import static org.javisor.testkit.PageTables.USER;
import static org.javisor.testkit.PageTables.WRITABLE;
import static org.javisor.testkit.SmallGuest.CODE;
import static org.javisor.testkit.SmallGuest.FREE;

import org.javisor.hypervisor.VcpuState;
import org.javisor.testkit.SmallGuest.Ending;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Four-level paging (Intel SDM vol. 3A, 4.5 to 4.10). */
public abstract class PagingContract extends GuestContract {
    /** Linear address of the pages under test. */
    private static final long TARGET = 0x40000000L;

    /** Where they lie. */
    private static final long PAGE = FREE, OTHER_PAGE = FREE + 0x1000;

    private static final long ALL = PRESENT | WRITABLE | USER;

    // Bits of the error code
    private static final int P = 1, W = 2, U = 4, RSVD = 8, I = 16;
    private static final long SMEP = 1L << 20, SMAP = 1L << 21, PGE = 1L << 7, PCIDE = 1L << 17;

    private static GuestCode kernel() {
        return GuestCode.at(CODE);
    }

    private static GuestCode user() {
        return GuestCode.at(SmallGuest.USER);
    }

    private void map(long flags) {
        guest.tables().map(TARGET, PAGE, flags);
    }

    private static GuestCode read(GuestCode code) {
        return code.load(RAX, TARGET + 0x123).end();
    }

    private static GuestCode write(GuestCode code) {
        return code.store(TARGET + 0x123, RAX).end();
    }

    private static GuestCode fetch(GuestCode code) {
        return code.mov(RAX, TARGET + 0x123).raw(0xff, 0xe0);
    }

    private void assertFault(Ending ending, int errorCode) {
        assertPageFault(ending, errorCode, TARGET + 0x123);
        // Of a fetch it is the address that was jumped to.
        long rip = (errorCode & I) != 0 ? TARGET + 0x123 : ending.rip() & ~0xfffL;
        assertThat((errorCode & I) != 0 ? ending.rip() : rip).isEqualTo(rip);
    }

    @Test
    public void access_faultsWithTheRightErrorCode_whenNothingIsMapped() {
        assertFault(guest.run(read(kernel())), 0);
        assertFault(guest.run(write(kernel())), W);
        assertFault(guest.runUser(read(user())), U);
        assertFault(guest.runUser(write(user())), U | W);
    }

    @Test
    public void fetch_faultsWithTheRightErrorCode_whenNotAllowed() {
        assertFault(guest.run(fetch(kernel())), I);
        assertFault(guest.runUser(fetch(user())), U | I);
        map(ALL | NO_EXECUTE);
        assertFault(guest.run(fetch(kernel())), P | I);
        assertFault(guest.runUser(fetch(user())), P | U | I);
        map(PRESENT);
        assertFault(guest.runUser(fetch(user())), P | U | I);
    }

    @Test
    public void fetch_tellsNoInstructionBit_withoutNxAndSmep() {
        guest.load(fetch(kernel()));
        VcpuState state = guest.kernelState(CODE);
        state.efer &= ~0x800L;
        assertFault(guest.run(state), 0);
    }

    @Test
    public void write_faults_whenThePageIsReadOnly() {
        map(PRESENT | USER);
        assertFault(guest.runUser(write(user())), P | U | W);
        assertFault(guest.run(write(kernel())), P | W);
        assertEnd(guest.run(read(kernel())));
    }

    @Test
    public void supervisorWrite_ignoresReadOnly_withoutWriteProtect() {
        map(PRESENT | USER);
        guest.load(write(kernel().mov(RAX, 0x1122334455667788L)));
        VcpuState state = guest.kernelState(CODE);
        state.cr0 &= ~0x10000L;
        assertEnd(guest.run(state));
        assertThat(guest.memory().read64(PAGE + 0x123)).isEqualTo(0x1122334455667788L);
        guest.load(write(user()));
        VcpuState user = guest.userState(SmallGuest.USER);
        user.cr0 &= ~0x10000L;
        assertFault(guest.run(user), P | U | W);
    }

    @Test
    public void userAccess_faults_whenThePageIsTheSupervisors() {
        map(PRESENT | WRITABLE);
        assertFault(guest.runUser(read(user())), P | U);
        assertFault(guest.runUser(write(user())), P | U | W);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    public void permissions_areThoseOfAllLevelsTogether(int level) {
        map(ALL);
        long entry = guest.tables().entry(TARGET, level);
        long value = guest.memory().read64(entry);
        guest.memory().write64(entry, value & ~WRITABLE);
        // A flush comes with every new state.
        assertFault(guest.runUser(write(user())), P | U | W);
        assertEnd(guest.runUser(read(user())));
        guest.memory().write64(entry, value & ~USER | NO_EXECUTE);
        assertFault(guest.runUser(read(user())), P | U);
        assertFault(guest.run(fetch(kernel())), P | I);
        guest.memory().write64(entry, 0);
        assertFault(guest.run(read(kernel())), 0);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    public void reservedBits_faultAtEveryLevel(int level) {
        map(ALL);
        long entry = guest.tables().entry(TARGET, level);
        guest.memory().write64(entry, guest.memory().read64(entry) | 1L << 51);
        assertFault(guest.run(read(kernel())), P | RSVD);
        assertFault(guest.runUser(write(user())), P | U | W | RSVD);
    }

    @Test
    public void reservedBits_faultInLargePages() {
        guest.tables().mapLarge(TARGET, 0, 2, ALL | 1 << 13);
        assertFault(guest.run(read(kernel())), P | RSVD);
        guest.tables().mapLarge(TARGET, 0, 3, ALL | 1 << 20);
        assertFault(guest.run(read(kernel())), P | RSVD);
    }

    @Test
    public void noExecuteBit_isReserved_withoutItsFeature() {
        map(ALL | NO_EXECUTE);
        guest.load(read(kernel()));
        VcpuState state = guest.kernelState(CODE);
        state.efer &= ~0x800L;
        assertFault(guest.run(state), P | RSVD);
    }

    @Test
    public void smep_forbidsTheSupervisorToExecuteUserPages() {
        map(ALL);
        guest.memory().write8(PAGE + 0x123, 0xf4);
        guest.load(fetch(kernel()));
        VcpuState state = guest.kernelState(CODE);
        state.cr4 |= SMEP;
        assertFault(guest.run(state), P | I);
    }

    @Test
    public void smap_forbidsTheSupervisorToTouchUserPages_untilStac() {
        map(ALL);
        guest.load(read(kernel()));
        VcpuState state = guest.kernelState(CODE);
        state.cr4 |= SMAP;
        assertFault(guest.run(state), P);
        guest.load(write(kernel()));
        assertFault(guest.run(state), P | W);
        guest.load(read(kernel().hex("0f01cb")));
        assertEnd(guest.run(state));
        guest.load(read(kernel().hex("0f01cb").load(RBX, TARGET).hex("0f01ca")));
        assertFault(guest.run(state), P);
    }

    @Test
    public void smap_leavesTheProcessorsOwnAccessesNoEscape() {
        // The second page of a descriptor table belongs to the user: AC does not help.
        map(ALL);
        guest.tables().map(TARGET - 0x1000, SmallGuest.GDT, PRESENT | WRITABLE);
        GuestCode code = kernel().hex("0f01cb").lgdt(SmallGuest.DATA).segment(VcpuState.FS, 0x1010);
        guest.memory().write16(SmallGuest.DATA, 0x1fff);
        guest.memory().write64(SmallGuest.DATA + 2, TARGET - 0x1000);
        guest.memory().write64(PAGE + 0x10, 0x00cf93000000ffffL);
        guest.load(code.end());
        VcpuState state = guest.kernelState(CODE);
        state.cr4 |= SMAP;
        assertPageFault(guest.run(state), P, TARGET + 0x10);
    }

    @Test
    public void read_setsAccessedBitsOnly() {
        map(ALL);
        assertEnd(guest.run(read(kernel())));
        for (int level = 1; level <= 4; level++) {
            long value = guest.memory().read64(guest.tables().entry(TARGET, level));
            assertThat(value & ACCESSED).as("level %d", level).isEqualTo(ACCESSED);
            assertThat(value & DIRTY).as("level %d", level).isZero();
        }
    }

    @Test
    public void write_setsTheDirtyBitOfTheLastLevel_alsoAfterARead() {
        map(ALL);
        assertEnd(guest.run(write(kernel().load(RAX, TARGET))));
        long leaf = guest.memory().read64(guest.tables().entry(TARGET, 1));
        assertThat(leaf & (ACCESSED | DIRTY)).isEqualTo(ACCESSED | DIRTY);
        long table = guest.memory().read64(guest.tables().entry(TARGET, 2));
        assertThat(table & DIRTY).isZero();
    }

    @Test
    public void write_setsNoDirtyBit_whenItFaults() {
        map(PRESENT | USER);
        assertFault(guest.run(write(kernel())), P | W);
        assertThat(guest.memory().read64(guest.tables().entry(TARGET, 1)) & DIRTY).isZero();
    }

    @Test
    public void dirtyBit_isSetAgain_afterItWasClearedAndThePageInvalidated() {
        map(ALL);
        long entry = guest.tables().entry(TARGET, 1);
        GuestCode code = kernel().store(TARGET, RAX).mov(RBX, PAGE | ALL);
        assertEnd(guest.run(write(code.store(entry, RBX).invlpg(TARGET))));
        assertThat(guest.memory().read64(entry) & DIRTY).isEqualTo(DIRTY);
    }

    @Test
    public void largePages_translateAtTheirOwnGranularity() {
        guest.tables().mapLarge(TARGET, 0x200000, 2, ALL);
        guest.tables().mapLarge(2 * TARGET, 0, 3, ALL);
        guest.memory().write64(0x234568, 0x1111);
        guest.memory().write64(0x456780, 0x2222);
        GuestCode code = kernel().load(RAX, TARGET + 0x34568);
        code.mov(RBX, 2 * TARGET + 0x456780).hex("488b1b");
        Ending ending = guest.run(code.end());
        assertEnd(ending);
        assertThat(ending.state().gpr[RAX]).isEqualTo(0x1111);
        assertThat(ending.state().gpr[RBX]).isEqualTo(0x2222);
        assertThat(guest.memory().read64(guest.tables().entry(TARGET, 2)) & (LARGE | ACCESSED))
                .isEqualTo(LARGE | ACCESSED);
    }

    @Test
    public void invlpg_makesANewTranslationSeen_globalOrNot() {
        guest.memory().write64(PAGE, 1);
        guest.memory().write64(OTHER_PAGE, 2);
        for (long global : new long[] {0, GLOBAL}) {
            map(ALL | global);
            long entry = guest.tables().entry(TARGET, 1);
            GuestCode code = kernel().load(RAX, TARGET).mov(RBX, OTHER_PAGE | ALL | global);
            guest.load(code.store(entry, RBX).invlpg(TARGET).load(RBX, TARGET).end());
            VcpuState state = guest.kernelState(CODE);
            state.cr4 |= PGE;
            Ending ending = guest.run(state);
            assertEnd(ending);
            assertThat(ending.state().gpr[RAX]).isEqualTo(1);
            assertThat(ending.state().gpr[RBX]).isEqualTo(2);
        }
    }

    @Test
    public void invlpg_insideALargePage_invalidatesAllOfIt() {
        guest.memory().write64(0x200000, 1);
        guest.memory().write64(0x400000, 2);
        guest.tables().mapLarge(TARGET, 0x200000, 2, ALL);
        long entry = guest.tables().entry(TARGET, 2);
        GuestCode code = kernel().load(RAX, TARGET).load(RAX, TARGET + 0x100000);
        code.mov(RBX, 0x400000 | ALL | LARGE).store(entry, RBX).invlpg(TARGET + 0x123456);
        Ending ending = guest.run(code.load(RBX, TARGET).end());
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX]).isEqualTo(2);
    }

    @Test
    public void invlpg_insideALargePageOfCode_invalidatesAllOfIt() {
        guest.load(GuestCode.at(0x200000).mov(RAX, 1).hex("c3")); // ret
        guest.load(GuestCode.at(0x400000).mov(RAX, 2).hex("c3"));
        guest.tables().mapLarge(TARGET, 0x200000, 2, ALL);
        long entry = guest.tables().entry(TARGET, 2);
        GuestCode code = kernel().mov(RBX, TARGET).hex("ffd3"); // call rbx
        code.mov(RBX, 0x400000 | ALL | LARGE).store(entry, RBX).invlpg(TARGET + 0x123456);
        Ending ending = guest.run(code.mov(RBX, TARGET).hex("ffd3").end());
        assertEnd(ending);
        assertThat(ending.state().gpr[RAX]).isEqualTo(2);
    }

    @Test
    public void loadingCr3_makesNewTranslationsSeen_andTogglingPgeTheGlobalOnes() {
        guest.memory().write64(PAGE, 1);
        guest.memory().write64(OTHER_PAGE, 2);
        map(ALL);
        guest.tables().map(TARGET + 0x1000, PAGE, ALL | GLOBAL);
        long entry = guest.tables().entry(TARGET, 1);
        GuestCode code = kernel().load(RAX, TARGET).load(RAX, TARGET + 0x1000);
        code.mov(RBX, OTHER_PAGE | ALL).store(entry, RBX).hex("4881cb00010000"); // or rbx, 100h
        code.store(entry + 8, RBX).fromControl(RAX, 3).toControl(3, RAX).load(RBX, TARGET);
        code.fromControl(RAX, 4).hex("4835 80000000").toControl(4, RAX); // xor rax, 80h
        guest.load(code.load(GuestCode.RCX, TARGET + 0x1000).end());
        VcpuState state = guest.kernelState(CODE);
        state.cr4 |= PGE;
        Ending ending = guest.run(state);
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX]).isEqualTo(2);
        assertThat(ending.state().gpr[GuestCode.RCX]).isEqualTo(2);
    }

    @Test
    public void mapping_needsNoInvalidation_whenNothingWasMapped() {
        long entry = guest.tables().entry(TARGET, 1);
        guest.memory().write64(PAGE + 0x123, 0x55);
        GuestCode handler = GuestCode.at(SmallGuest.DATA).push(RAX).mov(RAX, PAGE | ALL);
        handler.store(entry, RAX).pop(RAX).hex("4883c408").iret(); // add rsp, 8: the error code
        guest.load(handler);
        guest.gate(14, SmallGuest.DATA, 0x8e, 0);
        Ending ending = guest.run(read(kernel()));
        assertEnd(ending);
        assertThat(ending.state().gpr[RAX]).isEqualTo(0x55);
    }

    @Test
    public void moreRights_needNoInvalidation_afterTheFault() {
        map(PRESENT | USER);
        long entry = guest.tables().entry(TARGET, 1);
        GuestCode handler = GuestCode.at(SmallGuest.DATA).push(RAX).mov(RAX, PAGE | ALL);
        handler.store(entry, RAX).pop(RAX).hex("4883c408").iret();
        guest.load(handler);
        guest.gate(14, SmallGuest.DATA, 0x8e, 0);
        GuestCode code = kernel().load(RBX, TARGET + 0x123).mov(RAX, 0x77);
        assertEnd(guest.run(write(code)));
        assertThat(guest.memory().read64(PAGE + 0x123)).isEqualTo(0x77);
    }

    @Test
    public void addressesOutsideTheCanonicalRange_areGeneralProtection_onTheStackStackFaults() {
        assertException(guest.run(kernel().mov(RAX, 1L << 47).hex("488b00").end()), 13, 0);
        assertException(guest.run(kernel().mov(RAX, 1L << 47).hex("ffe0").end()), 13, 0);
        GuestCode stack = kernel().hex("4889e3").mov(GuestCode.RBP, 1L << 47).hex("488b4500");
        assertException(guest.run(stack.end()), 12, 0);
    }

    @Test
    public void writeOverAPageBorder_changesNothing_whenTheSecondPageFaults() {
        map(ALL);
        guest.tables().map(TARGET + 0x1000, OTHER_PAGE, PRESENT | USER);
        GuestCode code = kernel().mov(RAX, -1).store(TARGET + 0xffc, RAX);
        assertPageFault(guest.run(code.end()), P | W, TARGET + 0x1000);
        assertThat(guest.memory().read32(PAGE + 0xffc)).isZero();
    }

    @Test
    public void readModifyWrite_reportsAWrite_alsoWhenNothingWouldChange() {
        map(PRESENT | USER);
        guest.memory().write64(PAGE + 0x123, 1);
        GuestCode compare = kernel().mov(RAX, 0).hex("f0480fb10c25").raw32(TARGET + 0x123);
        assertFault(guest.run(compare.end()), P | W);
        GuestCode or = kernel().hex("48830c25").raw32(TARGET + 0x123).raw(0);
        assertFault(guest.run(or.end()), P | W);
        guest.memory().write64(guest.tables().entry(TARGET, 1), 0);
        GuestCode add = kernel().hex("48830425").raw32(TARGET + 0x123).raw(0);
        assertFault(guest.run(add.end()), W);
    }

    @Test
    public void processContextIdentifiers_needPagingAndAZeroIdentifierToBeTurnedOn() {
        GuestCode code = kernel().fromControl(RAX, 4).hex("480d00000200").toControl(4, RAX).end();
        assertEnd(guest.run(code));
        VcpuState state = guest.kernelState(CODE);
        state.cr3 |= 5;
        assertException(guest.run(state), 13, 0);
    }

    @Test
    public void translations_belongToTheirIdentifier_andSurviveALoadWithoutFlush() {
        guest.memory().write64(PAGE, 1);
        map(ALL);
        long root = guest.tables().root();
        GuestCode code = kernel().load(RBX, TARGET);
        code.mov(RAX, root | 1 | 1L << 63).toControl(3, RAX).load(RBX, TARGET);
        code.mov(RAX, root | 2).toControl(3, RAX).load(RBX, TARGET);
        code.mov(RAX, root | 1L << 63).toControl(3, RAX).load(RBX, TARGET).fromControl(RAX, 3);
        guest.load(code.end());
        VcpuState state = guest.kernelState(CODE);
        state.cr4 |= PCIDE;
        Ending ending = guest.run(state);
        assertEnd(ending);
        // Bit 63 is a command and not kept.
        assertThat(ending.state().gpr[RAX]).isEqualTo(root);
        assertThat(ending.state().gpr[RBX]).isEqualTo(1);
    }

    @Test
    public void translate_walksWithoutLeavingTraces() {
        map(ALL);
        guest.vcpu().setState(guest.kernelState(CODE));
        assertThat(guest.vcpu().translate(TARGET + 0x123)).isEqualTo(PAGE + 0x123);
        assertThat(guest.vcpu().translate(TARGET + 0x1000)).isEqualTo(-1);
        assertThat(guest.memory().read64(guest.tables().entry(TARGET, 1)) & ACCESSED).isZero();
    }
}
