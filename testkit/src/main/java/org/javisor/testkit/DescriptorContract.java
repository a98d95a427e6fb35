package org.javisor.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.testkit.GuestCode.RAX;
import static org.javisor.testkit.GuestCode.RBX;
import static org.javisor.testkit.GuestCode.RSP;
import static org.javisor.testkit.SmallGuest.CODE;
import static org.javisor.testkit.SmallGuest.DATA;
import static org.javisor.testkit.SmallGuest.FREE_SELECTOR;
import static org.javisor.testkit.SmallGuest.TASK;
import static org.javisor.testkit.SmallGuest.USER;

import org.javisor.hypervisor.VcpuState;
import org.javisor.hypervisor.VcpuState.Segment;
import org.javisor.testkit.SmallGuest.Ending;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * System descriptors and what inspects descriptors, in long mode (Intel SDM vol. 2 and 3A, 5.8).
 */
public abstract class DescriptorContract extends GuestContract {
    private static final long BUSY = 1L << 41;

    private static GuestCode kernel() {
        return GuestCode.at(CODE);
    }

    private static GuestCode loadTask(int selector) {
        return kernel().ltr(selector);
    }

    @Test
    public void loadTaskRegister_marksTheDescriptorBusy_onceOnly() {
        Ending ending = guest.run(loadTask(TASK).hex("0f00cb").end());
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX] & 0xffff).isEqualTo(TASK);
        Segment task = ending.state().segments[VcpuState.TR];
        assertThat(task.selector()).isEqualTo(TASK);
        assertThat(task.base()).isEqualTo(SmallGuest.TSS);
        assertThat(task.attributes() & 0xff).isEqualTo(0x8b);
        assertThat(guest.memory().read64(SmallGuest.GDT + TASK) & BUSY).isEqualTo(BUSY);
        assertException(guest.run(loadTask(TASK)), 13, TASK);
    }

    @Test
    public void loadTaskRegister_takesABaseOfSixtyFourBits() {
        guest.descriptor(FREE_SELECTOR, 0x5600_8934_5678_0067L);
        guest.descriptor(FREE_SELECTOR + 8, 0xffff8000L);
        Ending ending = guest.run(loadTask(FREE_SELECTOR).end());
        assertEnd(ending);
        assertThat(ending.state().segments[VcpuState.TR].base()).isEqualTo(0xffff8000_56345678L);
    }

    @Test
    public void loadTaskRegister_checksItsDescriptor() {
        assertException(guest.run(loadTask(0)), 13, 0);
        assertException(guest.run(loadTask(SmallGuest.DATA32)), 13, SmallGuest.DATA32);
        assertException(guest.run(loadTask(0x1000)), 13, 0x1000);
        assertException(guest.run(loadTask(FREE_SELECTOR | 4)), 13, FREE_SELECTOR | 4);
        guest.descriptor(FREE_SELECTOR, 0x0000090000000067L);
        assertException(guest.run(loadTask(FREE_SELECTOR)), 11, FREE_SELECTOR);
        // The upper half must not look like a descriptor of its own.
        guest.descriptor(FREE_SELECTOR, 0x0000890000000067L);
        guest.descriptor(FREE_SELECTOR + 8, 0x0000120000000000L);
        assertException(guest.run(loadTask(FREE_SELECTOR)), 13, FREE_SELECTOR);
    }

    @Test
    public void localDescriptorTable_canBeLoaded_andTakenAway() {
        guest.descriptor(FREE_SELECTOR, 0x000082050000000fL);
        guest.memory().write64(0x50008, 0x00cf93000000ffffL);
        GuestCode code = kernel().mov32(RAX, FREE_SELECTOR).hex("0f00d0");
        code.segment(VcpuState.ES, 0xc).mov32(RAX, 0).hex("0f00d0").label("fault");
        Ending ending = guest.run(code.segment(VcpuState.ES, 0xc).end());
        assertException(ending, 13, 0xc);
        assertThat(ending.rip()).isGreaterThan(code.addressOf("fault"));
        assertThat(ending.state().segments[VcpuState.ES].selector()).isEqualTo(0xc);
        GuestCode wrong = kernel().mov32(RAX, TASK).hex("0f00d0");
        assertException(guest.run(wrong), 13, TASK);
    }

    /** LAR and LSL of descriptors of every type at CPL 0: ZF, and what is loaded. */
    @ParameterizedTest
    @CsvSource({
        // type and S, LAR valid, LSL valid
        "0x13, true, true", "0x1b, true, true", "0x02, true, true", "0x09, true, true",
        "0x0b, true, true", "0x0c, true, false", "0x05, false, false", "0x04, false, false",
        "0x01, false, false", "0x03, false, false", "0x0e, false, false", "0x0f, false, false",
        "0x00, false, false",
    })
    public void descriptorsOfEveryType_canBeInspectedOrNot(
            int type, boolean rights, boolean limit) {
        guest.descriptor(FREE_SELECTOR, 0x00c0_8000_0000_1234L | (long) type << 40);
        GuestCode code = kernel().mov(RAX, FREE_SELECTOR).mov(RBX, -1).mov(1, -1);
        code.hex("0f02d8").hex("410f94c0").hex("0f03c8").hex("410f94c1");
        Ending ending = guest.run(code.end());
        assertEnd(ending);
        VcpuState s = ending.state();
        assertThat((s.gpr[8] & 1) != 0).isEqualTo(rights);
        assertThat((s.gpr[9] & 1) != 0).isEqualTo(limit);
        long expectedRights = rights ? 0xc08000L | (long) type << 8 : -1;
        assertThat(s.gpr[RBX] & (rights ? 0xf0ff00 : -1)).isEqualTo(expectedRights);
        assertThat(s.gpr[1]).isEqualTo(limit ? 0x1234fffL : -1);
    }

    @Test
    public void verification_tellsWhatCouldBeReadAndWritten() {
        // Data read-only, data writable, code execute-only, code readable; then two of ring 0.
        long[] descriptors = {
            0x00cff1000000ffffL,
            0x00cff3000000ffffL,
            0x00cff9000000ffffL,
            0x00cffb000000ffffL,
            0x00cf93000000ffffL,
            0x00cf9f000000ffffL
        };
        GuestCode code = GuestCode.at(USER).hex("31db");
        for (int n = 0; n < descriptors.length; n++) {
            guest.descriptor(FREE_SELECTOR + 8 * n, descriptors[n]);
            code.mov32(RAX, FREE_SELECTOR + 8 * n | 3).hex("0f00e0 0f94c1 01db 80e101 08cb");
            code.hex("0f00e8 0f94c1 01db 80e101 08cb");
        }
        Ending ending = guest.runUser(code.end());
        assertEnd(ending);
        // VERR and VERW in turn; conforming code can be read from every ring.
        assertThat(ending.state().gpr[RBX]).isEqualTo(0b10_11_00_10_00_10);
    }

    @Test
    public void conformingCode_isExecutedInTheCallersRing() {
        guest.descriptor(FREE_SELECTOR, 0x00af9f000000ffffL);
        GuestCode code = GuestCode.at(USER).pushImmediate(FREE_SELECTOR | 3).pushLabel("there");
        code.hex("48cb").label("there").hex("8cc8 0f0b");
        Ending ending = guest.runUser(code);
        assertException(ending, 6, 0);
        assertThat(ending.cs()).isEqualTo(FREE_SELECTOR | 3);
        assertThat(ending.state().gpr[RAX] & 0xffff).isEqualTo(FREE_SELECTOR | 3);
    }

    @Test
    public void loadingSegments_outsideLongMode_takesTheirBases() {
        guest.descriptor(FREE_SELECTOR, 0x1200_9334_5678_ffffL | 0xcf_0000_0000_0000L);
        Ending ending = guest.run(kernel().segment(VcpuState.FS, FREE_SELECTOR).end());
        assertThat(ending.state().segments[VcpuState.FS].base()).isEqualTo(0x12345678);
        // Of DS the base is kept but does not count in 64-bit code.
        guest.memory().write64(DATA, 0x77);
        GuestCode code = kernel().segment(VcpuState.DS, FREE_SELECTOR).load(RBX, DATA).end();
        assertThat(guest.run(code).state().gpr[RBX]).isEqualTo(0x77);
    }

    @Test
    public void stackOperations_inSixtyFourBitCode_areEightOrTwoBytes() {
        GuestCode code = kernel().hex("4889e3 50 6650 665b 58 6a01 66 6a 02").hex("4829e3");
        Ending ending = guest.run(code.end());
        assertEnd(ending);
        long top = SmallGuest.STACK - 0x800;
        assertThat(ending.state().gpr[RSP]).isEqualTo(top - 8 - 2);
    }

    @Test
    public void loadFarPointers_loadBoth_orNothing() {
        guest.memory().write64(DATA, 0x11223344L | (long) SmallGuest.DATA32 << 32);
        Ending ending = guest.run(kernel().operand(RBX, DATA, 0x0f, 0xb4).end());
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX]).isEqualTo(0x11223344);
        assertThat(ending.state().segments[VcpuState.FS].selector()).isEqualTo(SmallGuest.DATA32);
        guest.memory().write64(DATA, 0x11223344L | 0x1000L << 32);
        GuestCode wrong = kernel().mov(RBX, 5).operand(RBX, DATA, 0x0f, 0xb5);
        Ending fault = guest.run(wrong.end());
        assertException(fault, 13, 0x1000);
        assertThat(fault.state().gpr[RBX]).isEqualTo(5);
    }
}
