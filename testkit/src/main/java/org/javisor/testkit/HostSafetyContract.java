package org.javisor.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.testkit.GuestCode.RAX;
import static org.javisor.testkit.GuestCode.RBP;
import static org.javisor.testkit.GuestCode.RBX;
import static org.javisor.testkit.GuestCode.RCX;
import static org.javisor.testkit.GuestCode.RDX;
import static org.javisor.testkit.GuestCode.RSI;
import static org.javisor.testkit.GuestCode.RSP;
import static org.javisor.testkit.SmallGuest.CODE;
import static org.javisor.testkit.SmallGuest.DATA;
import static org.javisor.testkit.SmallGuest.USER;

import java.util.Random;
import org.javisor.hypervisor.VcpuState;
import org.javisor.testkit.SmallGuest.Ending;
import org.javisor.testkit.SmallGuest.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What would end or corrupt a host process that executed it as it stands: divisions that trap,
 * unmasked exceptions, alignment, stray stacks, calls without returns. The guest gets its
 * exception; the host notices nothing.
 */
public abstract class HostSafetyContract extends GuestContract {
    private static final long SEED = Long.getLong("javisor.contract.seed", 20260101);

    /** So many nested calls, or returns nobody called for, overrun any stack they might use. */
    private static final int DEEP = 3_000_000;

    private static final long IO_PRIVILEGE = 0x3000;

    private static final int HOT = 20_000;

    private static GuestCode kernel() {
        return GuestCode.at(CODE);
    }

    // Addresses

    /**
     * Tables may mark what is empty with addresses that nobody can use; accesses may begin before.
     */
    @ParameterizedTest
    @ValueSource(
            longs = {
                0x3fffffffffffffffL,
                0x4000000000000fffL,
                0x4000000000001fffL,
                0x4000000000004fffL,
                0x4000000000005fffL,
                0x40000000_02000fffL,
                0x7fffffffffffffffL,
                0x8000000000000000L,
                0xbfffffffffffffffL,
                0xc000000000000fffL,
            })
    public void accessThatBeginsInFrontOfAPageNobodyCanHave_isAProtectionFault(long address) {
        for (String access : new String[] {"668b03", "668903", "488b03", "488903", "0f1003"}) {
            // clc; access; jc: the flags are needed afterwards
            for (String code : new String[] {"f8" + access + "7200", access + "39c0"}) {
                try (SmallGuest fresh = new SmallGuest(hypervisor())) {
                    GuestCode program = kernel().mov(RBX, address).label("at").hex(code).end();
                    assertException(fresh.run(program), 13, 0);
                }
                try (SmallGuest fresh = new SmallGuest(hypervisor())) {
                    GuestCode program = GuestCode.at(USER).mov(RBX, address).hex(code).end();
                    assertException(fresh.runUser(program), 13, 0);
                }
            }
        }
    }

    /** The sum of a displacement and the instruction's place in its page needs 33 bits. */
    @ParameterizedTest
    @ValueSource(ints = {Integer.MAX_VALUE, Integer.MAX_VALUE - 0xfff, Integer.MIN_VALUE})
    public void displacementFromRip_asFarAsCanBe_leadsThere(int displacement) {
        long at = USER + 0xff0;
        // mov rax, [rip + displacement]
        Ending ending = guest.runUser(GuestCode.at(at).hex("488b05").raw32(displacement).end());
        assertPageFault(ending, 4, at + 7 + displacement);
        // lea rax, [rip + displacement]; ud2
        ending = guest.runUser(GuestCode.at(at).hex("488d05").raw32(displacement).hex("0f0b"));
        assertException(ending, 6, 0);
        assertThat(ending.state().gpr[RAX]).isEqualTo(at + 7 + displacement);
    }

    @ParameterizedTest
    @ValueSource(strings = {"e9", "e8", "0f83"}) // jmp, call, jnc
    public void jump_asFarAsCanBe_leadsThere(String opcode) {
        long at = USER + 0xff0;
        for (int displacement : new int[] {Integer.MAX_VALUE, Integer.MAX_VALUE - 0xfff}) {
            Ending ending = guest.runUser(GuestCode.at(at).hex(opcode).raw32(displacement).end());
            long target = at + opcode.length() / 2 + 4 + displacement;
            assertPageFault(ending, 0x14, target);
            assertThat(ending.rip()).isEqualTo(target);
        }
    }

    // Division

    @ParameterizedTest
    @CsvSource({
        "48f7f9, 0x8000000000000000, -1, -1", // idiv rcx: the quotient is 2^63
        "f7f9, 0x80000000, 0xffffffff, 0xffffffff",
        "66f7f9, 0x8000, 0xffff, 0xffff",
        "f6f9, 0x8000, 0, 0xff",
        "48f7f1, 0, 5, 5", // div rcx: the quotient is 2^64
        "48f7f1, 1, 1, 1",
        "f7f1, 0, 7, 7",
        "66f7f1, 0, 3, 3",
        "f6f1, 0xffff, 0, 1",
        "48f7f9, 0, 0x4000000000000000, 1",
        "48f7f1, 5, 0, 0",
        "f6f9, 5, 0, 0",
    })
    public void divisionsThatOverflow_areDivideErrors_alsoWhereTheyWereHarmlessBefore(
            String division, String rax, String rdx, String rcx) {
        GuestCode code = kernel().mov32(RBX, HOT).label("l").mov(RAX, 100).mov(RDX, 0);
        code.mov(RCX, 7).call("divide").hex("ffcb").jcc(5, "l");
        code.mov(RAX, number(rax)).mov(RDX, number(rdx)).mov(RCX, number(rcx)).call("divide");
        code.end().label("divide").hex(division).hex("c3");
        Ending ending = guest.run(code);
        assertException(ending, 0, 0);
        assertThat(ending.rip()).isEqualTo(code.addressOf("divide"));
        assertThat(ending.state().gpr[RBX]).isZero();
    }

    private static long number(String text) {
        return text.startsWith("0x")
                ? Long.parseUnsignedLong(text.substring(2), 16)
                : Long.parseLong(text);
    }

    // Exceptions of the units, in code that has run with them masked

    @Test
    public void simdErrors_faultOnceTheyAreUnmasked_inCodeThatIsHot() {
        guest.memory().write32(DATA, 0x1f80);
        guest.memory().write32(DATA + 4, 0x1d80); // division by zero and overflow unmasked
        GuestCode code = kernel().mov32(RBX, HOT).mov32(RAX, 1).hex("f30f2ac8 0f57d2");
        code.label("l").call("divide").hex("ffcb").jcc(5, "l");
        code.mov(RSI, DATA + 4).hex("0fae16").call("divide").end();
        code.label("divide").hex("0f28d9 f30f5eda c3");
        Ending ending = guest.run(code);
        // CR4.OSXMMEXCPT is set.
        assertException(ending, 19, 0);
        assertThat(ending.rip()).isEqualTo(code.addressOf("divide") + 3);
    }

    @Test
    public void x87Errors_faultOnceTheyAreUnmasked_inCodeThatIsHot() {
        guest.memory().write32(DATA, 0x37f);
        guest.memory().write32(DATA + 4, 0x37b); // division by zero unmasked
        GuestCode code = kernel().mov32(RBX, HOT).hex("dbe3").label("l").call("divide");
        code.hex("ffcb").jcc(5, "l").mov(RSI, DATA + 4).hex("dbe2 d92e").call("divide").end();
        code.label("divide").hex("d9e8 d9ee def9 ddd8 9b c3");
        Ending ending = guest.run(code);
        assertException(ending, 16, 0);
    }

    // Alignment

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0f2806",
                "0f2906",
                "660f6f06",
                "660fe706",
                "0f5806",
                "660ffe06",
                "c5fc2806",
                "c5fc2906",
                "0fc20601"
            })
    public void misalignedVectorOperands_areGeneralProtection_inCodeThatIsHot(String access) {
        GuestCode code = kernel().mov32(RBX, HOT).mov(RSI, DATA).label("l").call("access");
        code.hex("ffcb").jcc(5, "l").mov(RSI, DATA + 1).call("access").end();
        code.label("access").hex(access).hex("c3");
        guest.load(code);
        VcpuState state = guest.kernelState(CODE);
        state.cr4 |= 0x40000; // OSXSAVE
        state.xcr0 = 7;
        Ending ending = guest.run(state);
        assertException(ending, 13, 0);
        assertThat(ending.rip()).isEqualTo(code.addressOf("access"));
    }

    /** With alignment checks on; an engine may do without them, as the host must. */
    @Test
    public void misalignedAccesses_underTheAlignmentFlag_harmTheGuestOnly() {
        GuestCode code = GuestCode.at(USER).pushImmediate(0x40202).hex("9d").mov32(RBX, HOT);
        code.label("l").mov(RSI, USER + 0x801).mov(GuestCode.RDI, USER + 0x903);
        code.hex("8b06 8906 0106 f00106 66a5").hex("ffcb").jcc(5, "l").hex("0f0b");
        guest.load(code);
        VcpuState state = guest.userState(USER);
        state.cr0 |= 0x40000; // AM
        Ending ending = guest.run(state);
        assertThat(ending.kind()).isEqualTo(Kind.EXCEPTION);
        assertThat(ending.vector()).isIn(6, 17);
    }

    // Stacks

    @ParameterizedTest
    @ValueSource(
            longs = {
                0,
                1,
                4,
                7,
                8,
                -1,
                -7,
                -8,
                -16,
                1L << 47,
                (1L << 47) - 4,
                (1L << 47) + 8,
                -1L << 47,
                1L << 63,
                Long.MAX_VALUE,
                SmallGuest.MMIO + 0x100,
                0x7ffff003L,
                USER + 1
            })
    public void anyStackPointer_harmsTheGuestOnly(long rsp) {
        String[] uses = {
            "50",
            "58",
            "6a7f",
            "ff36",
            "8f06",
            "e800000000",
            "c3",
            "c20800",
            "9c",
            "9d",
            "c9",
            "c8100000",
            "c8100001",
            "ff16",
            "48cf",
            "ff7424f8",
            "8b0424",
            "890424",
            "f00f0b"
        };
        for (String use : uses) {
            guest.load(GuestCode.at(USER).hex(use).hex("90 0f0b"));
            VcpuState state = guest.userState(USER);
            state.gpr[RSP] = rsp;
            state.gpr[RBP] = rsp;
            state.gpr[RSI] = USER + 0x800;
            guest.memory().write64(USER + 0x800, USER + 0x10);
            guest.memory().write16(USER + 0x10, 0x0b0f);
            Ending ending = guest.run(state);
            assertThat(ending.kind()).as(use).isEqualTo(Kind.EXCEPTION);
            // 1: POPF may find TF where it looks.
            assertThat(ending.vector()).as(use).isIn(1, 6, 12, 13, 14);
        }
    }

    @Test
    public void millionsOfCallsWithoutAReturn_endAsTheyWould() {
        GuestCode code =
                GuestCode.at(USER).mov32(RCX, DEEP).lea(RSI, "second").label("l").call("first");
        code.label("first").hex("488d642408 ffd6").label("second").hex("488d642408");
        code.hex("ffc9").jcc(5, "l");
        Ending ending = runToEnd(code);
        assertEnd(ending);
        assertThat(ending.state().gpr[RSP]).isEqualTo(guest.userState(USER).gpr[RSP]);
    }

    @Test
    public void millionsOfReturnsWithoutACall_endAsTheyWould() {
        GuestCode code =
                GuestCode.at(USER).mov32(RCX, DEEP).mov32(RBX, 0).lea(RSI, "next").label("l");
        code.hex("56 c3").label("next").hex("ffc3 ffc9").jcc(5, "l");
        Ending ending = runToEnd(code);
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX]).isEqualTo(DEEP);
    }

    /** In ring 3, with the right to tell that this is the end. */
    private Ending runToEnd(GuestCode code) {
        guest.load(code.end());
        VcpuState state = guest.userState(USER);
        state.rflags |= IO_PRIVILEGE;
        return guest.run(state);
    }

    /** Deeper than anything that follows calls can remember, and back. */
    @Test
    public void recursion_findsBackToEachOfItsCallers() {
        int depth = 100_000;
        guest.tables().mapIdentity(0x200000, 0x200000, PageTables.PRESENT | PageTables.WRITABLE);
        GuestCode code = kernel().mov(RSP, 0x400000).mov32(RCX, depth).mov32(RAX, 0);
        code.call("f").end().label("f").hex("51 ffc9").jcc(4, "deepest").call("f");
        code.label("deepest").hex("59 4801c8 c3");
        Ending ending = guest.run(code);
        assertEnd(ending);
        assertThat(ending.state().gpr[RAX]).isEqualTo((long) depth * (depth + 1) / 2);
    }

    // Encodings

    @Test
    public void prefixesOfAllKinds_changeNothingThatMatters() {
        int[] prefixes = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3, 0x40, 0x41};
        Random random = new Random(SEED);
        for (int round = 0; round < 500; round++) {
            GuestCode code = kernel().mov32(RAX, 1).mov32(RBX, 2).mov32(RCX, 0);
            int count = random.nextInt(13);
            for (int n = 0; n < count; n++) {
                // REX counts only as the last; others before it are ignored.
                code.raw(prefixes[random.nextInt(prefixes.length - (n == count - 1 ? 2 : 0))]);
            }
            Ending ending = guest.run(code.hex("01d8 90").end());
            assertEnd(ending);
            assertThat(ending.state().gpr[RAX]).as("round %d, seed %d", round, SEED).isEqualTo(3);
        }
    }

    @Test
    public void jumpsIntoTheMiddleOfInstructions_executeWhatStandsThere() {
        // mov eax, 0xc3c3ff01: from its third byte on, inc ebx and ret
        GuestCode code = kernel().mov32(RCX, HOT).mov32(RBX, 0).lea(RSI, "f").hex("48ffc648ffc6");
        code.label("l").hex("ffd6").call("f").hex("ffc9").jcc(5, "l").end();
        code.label("f").hex("b8 01 ffc3 c3 c3");
        Ending ending = guest.run(code);
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX]).isEqualTo(HOT);
        assertThat(ending.state().gpr[RAX]).isEqualTo(0xc3c3ff01L);
    }

    /** A jump into itself: EB FF C0 is JMP to its second byte, which begins INC EAX. */
    @Test
    public void instructionsThatOverlapThemselves_areExecutedTwice() {
        GuestCode code = kernel().mov32(RCX, HOT).mov32(RAX, 0).label("l").hex("ebff c0");
        Ending ending = guest.run(code.hex("ffc9").jcc(5, "l").end());
        assertEnd(ending);
        assertThat(ending.state().gpr[RAX]).isEqualTo(HOT);
    }

    @Test
    public void loopThatChangesItselfInEachRound_countsRight() {
        GuestCode code = kernel().mov32(RCX, HOT / 10).lea(RSI, "target").hex("31db 31c0");
        code.label("l").label("target").hex("81c300000000 ff4602 03c3").hex("ffc9").jcc(5, "l");
        Ending ending = guest.run(code.end());
        assertEnd(ending);
        // RBX has grown by 0, 1, 2, ... in turn.
        long rounds = HOT / 10;
        assertThat(ending.state().gpr[RBX]).isEqualTo(rounds * (rounds - 1) / 2);
    }

    @Test
    public void directionFlag_staysTheGuests() {
        GuestCode code = kernel().mov32(RBX, HOT / 10).label("l").hex("fd").mov(RSI, DATA + 0x800);
        code.mov(GuestCode.RDI, DATA + 0x900).mov32(RCX, 16).hex("f348a5 fc").mov32(RCX, 4);
        code.hex("f348a5").hex("ffcb").jcc(5, "l").hex("fd").mov32(RCX, 3).hex("f3aa 0f0b");
        Ending ending = guest.run(code);
        assertException(ending, 6, 0);
        assertThat(ending.flags() & 0x400).isEqualTo(0x400);
    }

    // Addresses

    @ParameterizedTest
    @ValueSource(longs = {1L << 47, -1L << 48, 1L << 62, -1L << 62, Long.MIN_VALUE, (1L << 47) - 1})
    public void accessesOutsideTheAddressSpace_fault_inCodeThatIsHot(long address) {
        for (String access : new String[] {"8b06", "8906", "ff16", "ff26", "0106", "0f1006"}) {
            GuestCode code = kernel().mov32(RBX, HOT / 20).label("l").mov(RSI, DATA);
            code.hex("8b0e 890e ffcb").jcc(5, "l").mov(RSI, address).hex(access).hex("f4");
            Ending ending = guest.run(code);
            assertThat(ending.kind()).as(access).isEqualTo(Kind.EXCEPTION);
            assertThat(ending.vector()).as(access).isIn(13, 14);
        }
    }

    @Test
    public void jumpsOutsideTheAddressSpace_areGeneralProtection_fromRing3() {
        for (String jump : new String[] {"ffe6", "ffd6", "56c3", "56c20800"}) {
            GuestCode code = GuestCode.at(USER).mov(RSI, 0x123456789abcdefL).hex(jump);
            assertException(guest.runUser(code.hex("0f0b")), 13, 0);
        }
    }
}
