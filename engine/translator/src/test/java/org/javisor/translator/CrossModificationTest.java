package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.javisor.hypervisor.VcpuState;
import org.javisor.testkit.GuestCode;
import org.javisor.testkit.PageTables;
import org.javisor.testkit.SmallGuest;
import org.junit.jupiter.api.Test;

/** One processor writes a function, others call it all the time, all in user mode. */
class CrossModificationTest {
    private static final int USER =
            (int) (PageTables.PRESENT | PageTables.WRITABLE | PageTables.USER);
    private static final long FUNCTION = 0x200000;

    /** Where the writer finds it: at the end of the TLB. */
    private static final long ALIAS = 0x7f0003ffe000L, OTHER_ALIAS = ALIAS + 0x1000;

    /** Two pages for which the TLB has one entry. */
    private static final long RIVAL = 0x5000000000L, OTHER_RIVAL = RIVAL + 0x2000000;

    private static final long WRITER = 0x210000, CALLER = 0x220000, VERSION = 0x230000;
    private static final long STACKS = 0x240000;
    private static final int CALLERS = 2;
    private static final int VERSIONS = 200_000;

    /** {@code mov eax, VERSION; ret; nop; nop}, without the version; and a NOP of 8 bytes. */
    private static final long RETURN_VERSION = 0x9090_c300_0000_00b8L, NOP = 0x0000_0084_1f0fL;

    private static final long IO_PRIVILEGE = 0x3000;

    /**
     * The writer fills 64 bytes in a row, so that the page counts as data again and again, and
     * through two addresses, so that taking back the right to write takes long.
     */
    @Test
    void functionThatIsCalled_isNeverOlderThanWhatWasToldOfIt() throws Exception {
        assertNeverOlder("");
    }

    /**
     * The writer's block is left in its middle each time, for a page that the TLB does not hold,
     * when it already knows where the function lies; it must not write there as if nothing had
     * happened meanwhile.
     */
    @Test
    void functionThatIsCalled_isNeverOlderThanWhatWasToldOfIt_byCodeThatLeavesInBetween()
            throws Exception {
        assertNeverOlder("488b06"); // mov rax, [rsi]
    }

    /**
     * @param between code between the first and the last write
     */
    private static void assertNeverOlder(String between) throws Exception {
        try (SmallGuest guest = new SmallGuest(TranslatorHypervisor.busy(), 1 + CALLERS);
                ExecutorService threads = Executors.newFixedThreadPool(1 + CALLERS)) {
            guest.tables().mapIdentity(FUNCTION, 0x100000, USER);
            guest.tables().map(ALIAS, FUNCTION, USER);
            guest.tables().map(OTHER_ALIAS, FUNCTION, USER);
            guest.tables().map(RIVAL, VERSION, USER);
            guest.tables().map(OTHER_RIVAL, VERSION, USER);
            GuestCode writer = GuestCode.at(WRITER).mov(3, 1).mov(8, NOP).mov(11, RETURN_VERSION);
            writer.mov(12, 0).mov(9, ALIAS).mov(10, OTHER_ALIAS);
            writer.mov(6, RIVAL).mov(7, OTHER_RIVAL).label("next");
            writer.hex("4d8901").hex(between); // mov [r9], r8
            for (int n = 1; n < 7; n++) {
                writer.hex("4d8941%02x".formatted(8 * n)); // mov [r9 + 8 * n], r8
            }
            // mov rax, rbx; shl rax, 8; or rax, r11; mov [r9 + 56], rax
            writer.hex("4889d8 48c1e008 4c09d8 49894138").store(VERSION, 3);
            // rdtsc; xchg r9, r10; xchg rsi, rdi; inc rbx; cmp ebx, VERSIONS
            writer.hex("0f31 4d87d1 4887f7 48ffc3 81fb").raw32(VERSIONS).jcc(5, "next").end();
            guest.load(writer);
            GuestCode caller = GuestCode.at(CALLER).mov(9, FUNCTION).mov(12, 0).label("next");
            // call r9; cmp rax, rbx; jae fresh; inc r12
            caller.load(3, VERSION).hex("41ffd1 4839d8").jcc(3, "fresh").hex("49ffc4");
            caller.label("fresh").hex("81fb").raw32(VERSIONS - 1).jcc(5, "next").end();
            guest.load(caller);
            for (int n = 0; n < 7; n++) {
                guest.memory().write64(FUNCTION + 8 * n, NOP);
            }
            guest.memory().write64(FUNCTION + 56, RETURN_VERSION);
            guest.vcpu(0).setState(state(guest, WRITER, STACKS));
            List<Future<SmallGuest.Ending>> endings = new ArrayList<>();
            endings.add(threads.submit(() -> guest.resume(0)));
            for (int n = 1; n <= CALLERS; n++) {
                int processor = n;
                guest.vcpu(n).setState(state(guest, CALLER, STACKS + 0x1000L * n));
                endings.add(threads.submit(() -> guest.resume(processor)));
            }
            for (Future<SmallGuest.Ending> ending : endings) {
                assertThat(ending.get().kind()).isEqualTo(SmallGuest.Kind.END);
                assertThat(ending.get().state().gpr[12]).as("calls of what was older").isZero();
            }
        }
    }

    private static VcpuState state(SmallGuest guest, long rip, long stack) {
        VcpuState state = guest.userState(rip);
        state.gpr[VcpuState.RSP] = stack;
        // So that the end can be told.
        state.rflags |= IO_PRIVILEGE;
        return state;
    }
}
