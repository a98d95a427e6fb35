package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.hypervisor.VcpuState;
import org.javisor.testkit.GuestCode;
import org.javisor.testkit.PageTables;
import org.javisor.testkit.SmallGuest;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What stands between accesses that one probe could serve, or behind one. */
class ProbeSharingTest {
    /** So that the end can be told. */
    private static final int IO_PRIVILEGE = 0x3000;

    private static final long DATA = SmallGuest.USER_STACK - 64;

    private static final int PAGE = 4096;
    private static final long ROUTINE = SmallGuest.USER + 4 * PAGE;
    private static final long ALIAS = 0x7000_0000;

    private static VcpuState run(boolean busy, GuestCode code, long... data) {
        Hypervisor hypervisor = busy ? TranslatorHypervisor.busy() : new TranslatorHypervisor();
        try (SmallGuest guest = new SmallGuest(hypervisor)) {
            guest.load(code);
            for (int n = 0; n < data.length; n++) {
                guest.memory().write64(DATA + 8 * n, data[n]);
            }
            VcpuState state = guest.userState(SmallGuest.USER);
            state.rflags |= IO_PRIVILEGE;
            SmallGuest.Ending ending = guest.run(state);
            assertThat(ending.kind()).isEqualTo(SmallGuest.Kind.END);
            return ending.state();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void accessThroughRcx_behindAComparisonOfStrings_startsFromItsResult(boolean busy) {
        GuestCode code = GuestCode.at(SmallGuest.USER).mov(GuestCode.RCX, 0);
        // movdqu xmm0, [rcx + DATA]; pcmpistri xmm0, [rcx + DATA + 16], equal each, inverted
        code.hex("f30f6f81").raw32((int) DATA);
        code.hex("660f3a6381").raw32((int) DATA + 16).hex("18");
        // mov rbx, [rcx + DATA]
        code.hex("488b99").raw32((int) DATA).end();
        VcpuState state = run(busy, code, 0x0807060504030201L, 0, 0x08070605ff030201L, 0);
        assertThat(state.gpr[GuestCode.RCX]).isEqualTo(3);
        assertThat(state.gpr[GuestCode.RBX]).isEqualTo(0x0000000807060504L);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void branchBehindAnInstructionWithAVexPrefix_leavesTheProbeWhole(boolean busy) {
        GuestCode code = GuestCode.at(SmallGuest.USER).mov(GuestCode.RBX, DATA);
        code.mov(GuestCode.RDX, 0).mov(8, 0);
        for (int n = 0; n < 4; n++) {
            // As many times CWDE, a byte on the host, too; andn eax, edx, [rbx]; je; inc r8
            code.hex("98".repeat(n)).hex("c4e268f203").jcc(4, "failed").hex("49ffc0");
        }
        VcpuState state = run(busy, code.label("failed").end(), 5);
        assertThat(state.gpr[8]).isEqualTo(4);
        assertThat(state.gpr[GuestCode.RAX]).isEqualTo(5);
    }

    /** A write and reads of a vector, with something else in between. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void alignedAndOtherAccesses_mayShareAProbe_withOthersInBetween(boolean busy) {
        GuestCode code = GuestCode.at(SmallGuest.USER).mov(GuestCode.RBX, DATA);
        code.mov(GuestCode.RSI, DATA + 0x10).mov(GuestCode.RDX, 7).mov(GuestCode.RCX, 0);
        // movaps xmm0, [rbx]; mov rax, [rsi]; movaps [rbx + 32], xmm0; mov [rbx + 41], rdx
        code.hex("0f2803 488b06 0f294320 48895329");
        // add rbx, 8; mov rdx, [rsi]; mov rdi, [rbx + rcx + 24]; mov r8, [rbx + 25]
        code.hex("4883c308 488b16 488b7c0b18 4c8b4319").end();
        VcpuState state = run(busy, code, 0x11, 0x22, 0x33);
        assertThat(state.gpr[GuestCode.RAX]).isEqualTo(0x33);
        assertThat(state.gpr[GuestCode.RDX]).isEqualTo(0x33);
        assertThat(state.gpr[GuestCode.RDI]).isEqualTo(0x11);
        assertThat(state.gpr[8]).isEqualTo(0x2200000000000000L);
    }

    /** Code at two addresses, with other data next to it at each; the last bytes of a page, too. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void accessThroughRip_isOfThePageBesideTheCode_whereverThatRuns(boolean busy) {
        Hypervisor hypervisor = busy ? TranslatorHypervisor.busy() : new TranslatorHypervisor();
        try (SmallGuest guest = new SmallGuest(hypervisor)) {
            long flags = PageTables.PRESENT | PageTables.WRITABLE | PageTables.USER;
            for (int page = 0; page < 3; page++) {
                long behind = page == 0 ? ROUTINE : SmallGuest.FREE + page * PAGE;
                guest.tables().map(ALIAS + page * PAGE, behind, flags);
            }
            guest.memory().write64(ROUTINE + 0x1100, 0x11);
            guest.memory().write64(SmallGuest.FREE + 0x1100, 0x22);
            guest.memory().write64(ROUTINE + 0x1ffc, 0x3333333344444444L);
            guest.memory().write64(SmallGuest.FREE + 0x1ffc, 0x5555555566666666L);
            // add rax, [rip + 0x10f9]; add rbx, [rip + 0x1fee]; inc qword [rip + 0x10eb]; ret
            guest.load(
                    GuestCode.at(ROUTINE)
                            .hex("480305f9100000")
                            .hex("48031dee1f0000")
                            .hex("48ff05eb100000 c3"));
            GuestCode code = GuestCode.at(SmallGuest.USER);
            code.mov(GuestCode.RAX, 0).mov(GuestCode.RBX, 0);
            for (long target : new long[] {ROUTINE, ALIAS, ALIAS, ROUTINE}) {
                code.mov(GuestCode.RSI, target).hex("ffd6"); // call rsi
            }
            guest.load(code.end());
            VcpuState state = guest.userState(SmallGuest.USER);
            state.rflags |= IO_PRIVILEGE;
            SmallGuest.Ending ending = guest.run(state);
            assertThat(ending.kind()).isEqualTo(SmallGuest.Kind.END);
            assertThat(ending.state().gpr[GuestCode.RAX]).isEqualTo(2 * 0x11 + 2 * 0x22 + 2);
            assertThat(ending.state().gpr[GuestCode.RBX])
                    .isEqualTo(2 * 0x3333333344444444L + 2 * 0x5555555566666666L);
            assertThat(guest.memory().read64(ROUTINE + 0x1100)).isEqualTo(0x13);
            assertThat(guest.memory().read64(SmallGuest.FREE + 0x1100)).isEqualTo(0x24);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void accessThroughASegmentAlone_startsFromItsBase(boolean busy) {
        Hypervisor hypervisor = busy ? TranslatorHypervisor.busy() : new TranslatorHypervisor();
        try (SmallGuest guest = new SmallGuest(hypervisor)) {
            guest.memory().write64(DATA, 0x77);
            // mov rax, fs:[-3]; mov fs:[5], rax; mov rbx, fs:[5]
            GuestCode code = GuestCode.at(SmallGuest.USER).hex("64488b0425fdffffff");
            code.hex("644889042505000000 64488b1c2505000000").end();
            guest.load(code);
            VcpuState state = guest.userState(SmallGuest.USER);
            state.rflags |= IO_PRIVILEGE;
            state.segments[VcpuState.FS] =
                    new VcpuState.Segment(SmallGuest.USER_DATA, DATA + 3, -1, 0xc0f3);
            SmallGuest.Ending ending = guest.run(state);
            assertThat(ending.kind()).isEqualTo(SmallGuest.Kind.END);
            assertThat(ending.state().gpr[GuestCode.RBX]).isEqualTo(0x77);
            assertThat(guest.memory().read64(DATA + 8)).isEqualTo(0x77);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void accessThroughASegmentAlone_withTheLeastDisplacement_isNotCanonical(boolean busy) {
        Hypervisor hypervisor = busy ? TranslatorHypervisor.busy() : new TranslatorHypervisor();
        try (SmallGuest guest = new SmallGuest(hypervisor)) {
            // mov rax, fs:[0x8000000000000000]
            guest.load(GuestCode.at(SmallGuest.USER).hex("6448a10000000000000080").end());
            VcpuState state = guest.userState(SmallGuest.USER);
            state.segments[VcpuState.FS] =
                    new VcpuState.Segment(SmallGuest.USER_DATA, DATA, -1, 0xc0f3);
            assertThat(guest.run(state).vector()).isEqualTo(13);
        }
    }
}
