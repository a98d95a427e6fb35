package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;

import org.javisor.hypervisor.VcpuState;
import org.javisor.testkit.GuestCode;
import org.javisor.testkit.PageTables;
import org.javisor.testkit.SmallGuest;
import org.junit.jupiter.api.Test;

class JumpTableTest {
    private static final long FUNCTION = SmallGuest.FREE;
    private static final long ALIASES = 0x40000000;

    /** More places of the table than are noted for a block, some of them for several. */
    private static final int COUNT = 100;

    @Test
    void codeAtManyAddresses_isLeftByAll_whenItIsOverwritten() {
        try (SmallGuest guest = new SmallGuest(new TranslatorHypervisor())) {
            for (int n = 0; n < COUNT; n++) {
                guest.tables()
                        .map(
                                ALIASES + n * 0x1000L,
                                FUNCTION,
                                PageTables.PRESENT | PageTables.WRITABLE);
            }
            guest.load(GuestCode.at(FUNCTION).hex("83c301 c3")); // add ebx, 1; ret
            GuestCode code = GuestCode.at(SmallGuest.CODE).mov32(GuestCode.RBX, 0);
            callAll(code);
            callAll(code);
            code.hex("c60425").raw32(FUNCTION + 2).raw(5); // add ebx, 5
            callAll(code);
            code.end();
            VcpuState state = guest.run(code).state();
            assertThat(state.gpr[GuestCode.RBX] & 0xffffffffL).isEqualTo(COUNT * (1 + 1 + 5));
        }
    }

    private static void callAll(GuestCode code) {
        code.mov(GuestCode.RDI, ALIASES).mov32(GuestCode.RCX, COUNT);
        code.hex("ffd7 4881c700100000 ffc9 75f3"); // call rdi; add rdi, 1000h; dec ecx; jnz
    }

    /** Between two address spaces of the same pages, changed in each round: the code, sometimes. */
    @Test
    void entries_areBackWithTheirAddressSpace_butForCodeThatIsGone() {
        int rounds = 500;
        try (SmallGuest guest = new SmallGuest(new TranslatorHypervisor())) {
            long noFlush = 1L << 63;
            long root = guest.tables().root();
            guest.load(GuestCode.at(FUNCTION).hex("83c301 c3")); // add ebx, 1; ret
            GuestCode code = GuestCode.at(SmallGuest.CODE).mov32(GuestCode.RBX, 0);
            code.mov(GuestCode.RDI, FUNCTION).mov32(GuestCode.RCX, rounds);
            code.mov(GuestCode.RSI, root | 1 | noFlush).mov(GuestCode.RDX, root | 2 | noFlush);
            code.hex("0f22de ffd7"); // top: mov cr3, rsi; call rdi
            code.hex("0f22da ffd7"); // mov cr3, rdx; call rdi
            code.hex("81f9").raw32(rounds / 2).hex("7508"); // cmp ecx, rounds / 2; jnz over
            code.hex("c60425").raw32(FUNCTION + 2).raw(5); // add ebx, 5 from now on
            code.hex("ffc9 75e2"); // over: dec ecx; jnz top
            guest.load(code.end());
            VcpuState state = guest.kernelState(SmallGuest.CODE);
            state.cr4 |= 1L << 17; // PCIDE
            VcpuState end = guest.run(state).state();
            assertThat(end.gpr[GuestCode.RCX]).isZero();
            int before = rounds / 2 + 1;
            assertThat(end.gpr[GuestCode.RBX]).isEqualTo(2 * (before + 5 * (rounds - before)));
            assertThat(guest.vm().statistics().counters().get("translator.exits.indirect"))
                    .isLessThan(50);
        }
    }

    @Test
    void emptyEntry_isForNoAddressThatIsLookedForThere() {
        ProcessorBlock state = new ProcessorBlock();
        state.prepare(Context.USER);
        for (int index = 0; index < ProcessorBlock.JUMP_ENTRIES; index++) {
            long address = state.jumpLinear(Context.USER, index);
            assertThat(ProcessorBlock.jumpIndex(address)).isNotEqualTo(index);
        }
    }
}
