package org.javisor.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.testkit.GuestCode.RAX;
import static org.javisor.testkit.GuestCode.RBX;
import static org.javisor.testkit.GuestCode.RCX;
import static org.javisor.testkit.GuestCode.RDI;
import static org.javisor.testkit.SmallGuest.CODE;
import static org.javisor.testkit.SmallGuest.DATA;
import static org.javisor.testkit.SmallGuest.FREE;

import org.javisor.hypervisor.VcpuState;
import org.javisor.testkit.SmallGuest.Ending;
import org.junit.jupiter.api.Test;

/** Code that changes while it is executed (Intel SDM vol. 3A, 8.1.3). */
public abstract class CodeContract extends GuestContract {
    private static final long PRESENT_WRITABLE = PageTables.PRESENT | PageTables.WRITABLE;

    private static GuestCode kernel() {
        return GuestCode.at(CODE);
    }

    /** MOV AL, 1; its immediate is what gets changed. */
    private static GuestCode moveOne(GuestCode code) {
        return code.hex("b001");
    }

    private void assertResult(Ending ending, int al) {
        assertEnd(ending);
        assertThat(ending.state().gpr[RAX] & 0xff).isEqualTo(al);
    }

    @Test
    public void storeIntoTheNextInstruction_isSeen() {
        GuestCode code = kernel().lea(RDI, "target").hex("c6470102").label("target");
        assertResult(guest.run(moveOne(code).end()), 2);
    }

    @Test
    public void storeIntoALoopThatRuns_isSeenInTheNextRound() {
        GuestCode code = kernel().mov(RCX, 5).lea(RDI, "target").hex("31db").label("loop");
        code.label("target").hex("83c301").hex("804702 01").loop("loop");
        Ending ending = guest.run(code.end());
        assertEnd(ending);
        // 1 + 2 + 3 + 4 + 5.
        assertThat(ending.state().gpr[RBX]).isEqualTo(15);
    }

    @Test
    public void storeIntoAnotherPage_isSeenWhenItIsCalledAgain() {
        guest.load(GuestCode.at(FREE).hex("b001 c3"));
        GuestCode code = kernel().mov(RDI, FREE).hex("ffd7").hex("4889c3").hex("c6470107 ffd7");
        Ending ending = guest.run(code.end());
        assertResult(ending, 7);
        assertThat(ending.state().gpr[RBX] & 0xff).isEqualTo(1);
    }

    @Test
    public void storeThroughAnotherMapping_isSeen() {
        long alias = 0x40000000L;
        guest.tables().map(alias, CODE, PRESENT_WRITABLE);
        GuestCode code = kernel().hex("eb00").lea(RDI, "target");
        code.mov(RBX, alias - CODE).hex("4801df").hex("c6470109 eb00").label("target");
        assertResult(guest.run(moveOne(code).end()), 9);
    }

    @Test
    public void stringStore_isSeen() {
        guest.load(GuestCode.at(FREE).hex("b001").nop(64).hex("c3"));
        GuestCode code = kernel().mov(RBX, FREE).hex("ffd3").mov(RAX, 0x90).mov(RDI, FREE);
        // REP STOSB of NOPs over the MOV: AL keeps what is moved into it before.
        code.mov(RCX, 16).hex("f3aa b055 ffd3");
        assertResult(guest.run(code.end()), 0x55);
    }

    @Test
    public void lockedAndVectorStores_areSeen() {
        guest.load(GuestCode.at(FREE).hex("b001 c3"));
        GuestCode code = kernel().mov(RDI, FREE).hex("ffd7 f0804701 20 ffd7");
        assertResult(guest.run(code.end()), 0x21);
        guest.load(GuestCode.at(FREE).hex("b001 c3"));
        guest.load(GuestCode.at(DATA).hex("b044 c3"));
        GuestCode vector = kernel().mov(RDI, FREE).hex("ffd7").mov(RBX, DATA);
        assertResult(guest.run(vector.hex("f30f6f03 f30f7f07 ffd7").end()), 0x44);
    }

    @Test
    public void storeIntoTheSecondPageOfAStraddlingInstruction_isSeen() {
        // MOV EAX, imm32 with three bytes of the immediate on the next page.
        long at = FREE + 0x1000 - 2;
        guest.load(GuestCode.at(at).hex("b801020304 c3"));
        GuestCode code = kernel().mov(RDI, at).hex("ffd7 89c3").hex("c6470455 ffd7");
        Ending ending = guest.run(code.end());
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX]).isEqualTo(0x04030201);
        assertThat(ending.state().gpr[RAX]).isEqualTo(0x55030201);
    }

    @Test
    public void storeIntoTheSecondPageOfOverlappingInstructions_isSeenByEach() {
        // From its second byte on, 66h MOV AX, imm16 is MOV EAX, imm32.
        long at = FREE + 0x1000 - 2;
        guest.load(GuestCode.at(at).hex("66b80102 9090c3"));
        GuestCode code = kernel().mov(RDI, at + 1).hex("ffd7 89c3 31c0 ffcf ffd7");
        code.hex("c6470255 31c0 ffd7").trace(0);
        // The other way in, whose decoded form is older than the change.
        code.hex("31c0 ffc7 ffd7");
        Ending ending = guest.run(code.end());
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX]).isEqualTo(0x90900201L);
        assertThat(ending.state().gpr[RAX]).isEqualTo(0x90900255L);
    }

    @Test
    public void remappedCodePage_isSeenAfterInvalidation() {
        long target = 0x40000000L;
        guest.load(GuestCode.at(FREE).hex("b001 c3"));
        guest.load(GuestCode.at(FREE + 0x1000).hex("b002 c3"));
        guest.tables().map(target, FREE, PRESENT_WRITABLE);
        long entry = guest.tables().entry(target, 1);
        GuestCode code = kernel().mov(RDI, target).hex("ffd7 4889c3");
        code.mov(RCX, FREE + 0x1000 | PRESENT_WRITABLE)
                .store(entry, RCX)
                .invlpg(target)
                .hex("ffd7");
        Ending ending = guest.run(code.end());
        assertResult(ending, 2);
        assertThat(ending.state().gpr[RBX] & 0xff).isEqualTo(1);
    }

    @Test
    public void remappedSecondPageOfAStraddlingInstruction_isSeenAfterInvalidation() {
        long target = 0x40000000L;
        guest.load(GuestCode.at(FREE + 0xffe).hex("b801"));
        guest.load(GuestCode.at(FREE + 0x1000).hex("020304 c3"));
        guest.load(GuestCode.at(FREE + 0x2000).hex("0a0b0c c3"));
        guest.tables().map(target, FREE, PRESENT_WRITABLE);
        guest.tables().map(target + 0x1000, FREE + 0x1000, PRESENT_WRITABLE);
        long entry = guest.tables().entry(target + 0x1000, 1);
        GuestCode code = kernel().mov(RDI, target + 0xffe).hex("ffd7 4889c3");
        code.mov(RCX, FREE + 0x2000 | PRESENT_WRITABLE).store(entry, RCX);
        Ending ending = guest.run(code.invlpg(target + 0x1000).hex("ffd7").end());
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX]).isEqualTo(0x04030201);
        assertThat(ending.state().gpr[RAX]).isEqualTo(0x0c0b0a01);
    }

    @Test
    public void sameCodeInAnotherMode_isDecodedAnew() {
        // 40h is INC EAX in 32-bit code and a prefix in 64-bit code.
        guest.load(GuestCode.at(FREE).hex("40 90").end());
        VcpuState state = guest.kernelState(FREE);
        assertThat(guest.run(state).state().gpr[RAX]).isZero();
        VcpuState narrow = guest.kernelState(FREE);
        narrow.segments[VcpuState.CS] = new VcpuState.Segment(SmallGuest.CODE32, 0, -1, 0xc09b);
        assertThat(guest.run(narrow).state().gpr[RAX]).isEqualTo(1);
        assertThat(guest.run(state).state().gpr[RAX]).isZero();
    }

    @Test
    public void writeByADevice_isSeen() {
        guest.devices(
                new SilentDevices() {
                    @Override
                    public void writePort(int port, int size, int value) {
                        guest.memory().write8(FREE + 1, value);
                    }
                });
        guest.load(GuestCode.at(FREE).hex("b001 c3"));
        GuestCode code = kernel().mov(RDI, FREE).hex("ffd7").hex("b066").out8(0x80).hex("ffd7");
        assertResult(guest.run(code.end()), 0x66);
    }

    @Test
    public void codeOutsideRam_executesWhatTheBusReads_orFaults() {
        // Nothing answers there: all ones, an undefined opcode.
        GuestCode code = kernel().mov(RDI, SmallGuest.MMIO).hex("ffe7");
        Ending ending = guest.run(code.end());
        assertThat(ending.kind()).isEqualTo(SmallGuest.Kind.EXCEPTION);
    }

    @Test
    public void instructionThatEndsWithThePage_needsNoNextPage() {
        long target = 0x40000000L;
        guest.tables().map(target, FREE, PRESENT_WRITABLE);
        guest.load(GuestCode.at(FREE + 0xff0).nop(15).hex("c3"));
        assertEnd(guest.run(kernel().mov(RDI, target + 0xff0).hex("ffd7").end()));
        // One that goes on faults at the border, with RIP where it begins.
        guest.load(GuestCode.at(FREE + 0xff0).nop(14).hex("b801"));
        Ending ending = guest.run(kernel().mov(RDI, target + 0xff0).hex("ffd7").end());
        assertPageFault(ending, 0x10, target + 0x1000);
        assertThat(ending.rip()).isEqualTo(target + 0xffe);
    }

    /**
     * The instruction's own bytes are changed by the processor, which marks a page as accessed;
     * what came before it in the same run is not done again.
     */
    @Test
    public void codeThatIsAPageTableEntryToo_goesOnWhenTheEntryIsMarked() {
        long page = 0x60000;
        long table = SmallGuest.PAGE_TABLES;
        for (int level = 0; level < 3; level++) {
            table = guest.memory().read64(table) & 0x000ffffffffff000L;
        }
        long entry = table + (page >>> 12) * 8;
        guest.memory().write64(entry, page | PRESENT_WRITABLE);
        // mov rcx, imm64: the entry is its immediate
        GuestCode code = GuestCode.at(entry - 8).hex("90 ffc3 ffc3 90 48b9");
        code.raw32(page | PRESENT_WRITABLE).raw32(0).hex("8b06 ffc3");
        guest.load(code.end());
        VcpuState state = guest.kernelState(entry - 8);
        state.gpr[GuestCode.RSI] = page;
        state.gpr[RBX] = 0;
        Ending ending = guest.run(state);
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX]).isEqualTo(3);
        assertThat(guest.memory().read64(entry) & 0x20).as("accessed").isEqualTo(0x20);
    }
}
