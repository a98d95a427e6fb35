package org.javisor.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.testkit.GuestCode.RAX;
import static org.javisor.testkit.GuestCode.RBX;
import static org.javisor.testkit.GuestCode.RCX;
import static org.javisor.testkit.GuestCode.RDI;
import static org.javisor.testkit.SmallGuest.CODE;
import static org.javisor.testkit.SmallGuest.DATA;
import static org.javisor.testkit.SmallGuest.FREE;
import static org.javisor.testkit.SmallGuest.USER;

import java.util.ArrayList;
import java.util.List;
import org.javisor.hypervisor.DebugRequest;
import org.javisor.hypervisor.DebugRequest.Watchpoint;
import org.javisor.hypervisor.VcpuState;
import org.javisor.testkit.SmallGuest.Ending;
import org.javisor.testkit.SmallGuest.Kind;
import org.junit.jupiter.api.Test;

/**
 * Debugging from inside the guest, by TF and the debug registers (Intel SDM vol. 3B, 18.2 and
 * 18.3), and from outside, by {@link DebugRequest}.
 */
public abstract class DebugContract extends GuestContract {
    private static final long BS = 0x4000, BD = 0x2000;

    private static GuestCode kernel() {
        return GuestCode.at(CODE);
    }

    private static GuestCode withTrapFlag(GuestCode code) {
        return code.pushImmediate(0x102).hex("9d");
    }

    // From inside

    @Test
    public void trapFlag_trapsAfterTheInstructionBehindPopf() {
        GuestCode code = withTrapFlag(kernel()).nop(1).label("after").nop(4).end();
        Ending ending = guest.run(code);
        assertException(ending, 1, 0);
        assertThat(ending.rip()).isEqualTo(code.addressOf("after"));
        assertThat(ending.state().dr[6] & (BS | 0xf)).isEqualTo(BS);
        // The handler runs without, the frame shows it, without RF: it was a trap.
        assertThat(ending.state().rflags & 0x100).isZero();
        assertThat(ending.flags() & 0x10100).isEqualTo(0x100);
    }

    @Test
    public void trapFlag_trapsOnce_afterEachInstructionOfTheInterruptedProgram() {
        long count = DATA + 0x800;
        guest.load(GuestCode.at(DATA).inc32(count).iret());
        guest.gate(1, DATA, 0x8e, 0);
        GuestCode code = withTrapFlag(kernel()).nop(5).pushImmediate(2).hex("9d").nop(3).end();
        assertEnd(guest.run(code));
        // Five NOPs, the PUSH and the POPF that ends it.
        assertThat(guest.memory().read32(count)).isEqualTo(7);
    }

    @Test
    public void trapFlag_stepsOverOneIterationOfARepeatedInstruction() {
        long count = DATA + 0x800;
        guest.load(GuestCode.at(DATA).inc32(count).iret());
        guest.gate(1, DATA, 0x8e, 0);
        GuestCode code = kernel().mov(RCX, 5).mov(RDI, FREE);
        code = withTrapFlag(code).hex("f3aa").pushImmediate(2).hex("9d").end();
        assertEnd(guest.run(code));
        assertThat(guest.memory().read32(count)).isEqualTo(5 + 2);
    }

    @Test
    public void trapFlag_doesNotTrapInsideAnInterruptsHandler() {
        GuestCode code = withTrapFlag(kernel()).interrupt(0x60);
        guest.load(GuestCode.at(DATA).nop(3).iret());
        guest.gate(0x60, DATA, 0x8f, 0);
        Ending ending = guest.run(code.label("after").nop(1).label("next").nop(1).end());
        assertException(ending, 1, 0);
        // IRET sets TF again: it takes effect after the instruction returned to.
        assertThat(ending.rip()).isEqualTo(code.addressOf("next"));
    }

    private static long control(int register, int kind, int length) {
        return 0x400 | 3L << 2 * register | (long) (kind | length << 2) << 16 + 4 * register;
    }

    @Test
    public void instructionBreakpoint_faultsBefore_andResumeFlagLetsItPass() {
        GuestCode code = kernel();
        code.lea(RAX, "here").hex("0f23c8"); // mov dr1, rax
        code.debug(7, control(1, 0, 0)).label("here").trace(1).end();
        Ending ending = guest.run(code);
        assertException(ending, 1, 0);
        assertThat(ending.rip()).isEqualTo(code.addressOf("here"));
        assertThat(ending.state().dr[6] & (BS | 0xf)).isEqualTo(2);
        // It is for the handler to set RF in its frame (SDM vol. 3B, 18.3.1.1).
        assertThat(ending.flags() & 0x10000).isZero();
        assertThat(guest.trace()).isEmpty();
        guest.load(GuestCode.at(DATA).push(RAX).trace(9).pop(RAX).hex("814c241000000100").iret());
        guest.gate(1, DATA, 0x8e, 0);
        assertEnd(guest.run(code));
        assertThat(guest.trace()).containsExactly(9, 1);
    }

    @Test
    public void writeBreakpoint_trapsAfterTheStore() {
        GuestCode code = kernel().debug(0, FREE + 4).debug(7, control(0, 1, 3)).mov(RBX, 7);
        code.load(RCX, FREE)
                .label("store")
                .operand(RBX, FREE + 6, 0x89)
                .label("after")
                .nop(2)
                .end();
        Ending ending = guest.run(code);
        assertException(ending, 1, 0);
        assertThat(ending.rip()).isEqualTo(code.addressOf("after"));
        assertThat(ending.state().dr[6] & (BS | 0xf)).isEqualTo(1);
        assertThat(guest.memory().read32(FREE + 6)).isEqualTo(7);
    }

    @Test
    public void accessBreakpoint_trapsAfterALoad() {
        GuestCode code = kernel().debug(3, FREE + 8).debug(7, control(3, 3, 2));
        code.load(RBX, FREE).label("load").load(RBX, FREE + 1).label("after").nop(2).end();
        Ending ending = guest.run(code);
        assertException(ending, 1, 0);
        assertThat(ending.rip()).isEqualTo(code.addressOf("after"));
        assertThat(ending.state().dr[6] & (BS | 0xf)).isEqualTo(8);
    }

    @Test
    public void breakpoints_cost_nothingWhenDisabled() {
        GuestCode code = kernel().debug(0, FREE).debug(7, control(0, 1, 3)).debug(7, 0x400);
        assertEnd(guest.run(code.store(FREE, RAX).end()));
    }

    @Test
    public void generalDetect_faultsBeforeAccessToTheDebugRegisters() {
        GuestCode code = kernel().debug(7, 0x2400).label("access").hex("0f21c0").end();
        Ending ending = guest.run(code);
        assertException(ending, 1, 0);
        assertThat(ending.rip()).isEqualTo(code.addressOf("access"));
        assertThat(ending.state().dr[6] & BD).isEqualTo(BD);
        assertThat(ending.state().dr[7] & 0x2000).isZero();
    }

    @Test
    public void debugRegisters4And5_areAliases_unlessDebuggingExtensionsAreOn() {
        GuestCode code = kernel().debug(5, 0x455).hex("0f21fb").end();
        Ending ending = guest.run(code);
        assertEnd(ending);
        assertThat(ending.state().gpr[RBX]).isEqualTo(0x455);
        VcpuState state = guest.kernelState(CODE);
        state.cr4 |= 8;
        assertException(guest.run(state), 6, 0);
    }

    @Test
    public void debugRegisters6And7_refuseUpperBits() {
        assertException(guest.run(kernel().debug(7, 1L << 32)), 13, 0);
        assertException(guest.run(kernel().debug(6, 1L << 32)), 13, 0);
    }

    // From outside

    private static DebugRequest breakAt(long... addresses) {
        List<Long> list = new ArrayList<>();
        for (long address : addresses) {
            list.add(address);
        }
        return new DebugRequest(false, false, list, List.of());
    }

    private static DebugRequest watch(long address, int length, boolean read, boolean write) {
        return new DebugRequest(
                false, false, List.of(), List.of(new Watchpoint(address, length, read, write)));
    }

    private static final DebugRequest STEP = new DebugRequest(true, false, List.of(), List.of());

    @Test
    public void breakpoint_stopsBeforeTheInstruction_eachTime() {
        GuestCode code =
                kernel().mov(RCX, 3).label("loop").nop(1).label("at").trace(1).loop("loop");
        guest.load(code.end());
        guest.vcpu().setDebug(breakAt(code.addressOf("at")));
        guest.vcpu().setState(guest.kernelState(CODE));
        for (int n = 0; n < 3; n++) {
            Ending ending = guest.resume();
            assertThat(ending.kind()).isEqualTo(Kind.DEBUG);
            assertThat(ending.rip()).isEqualTo(code.addressOf("at"));
            assertThat(guest.vcpu().debugAddress()).isEqualTo(-1);
            assertThat(guest.trace()).hasSize(n);
        }
        assertEnd(guest.resume());
    }

    @Test
    public void breakpoints_canBeRemoved() {
        GuestCode code = kernel().nop(3).label("at").nop(3).end();
        guest.load(code);
        guest.vcpu().setDebug(breakAt(code.addressOf("at")));
        guest.vcpu().setDebug(DebugRequest.NONE);
        assertEnd(guest.run(guest.kernelState(CODE)));
    }

    @Test
    public void singleStep_stopsAfterEachInstruction() {
        GuestCode code = kernel().nop(1).hex("4889c3").mov(RCX, 2).label("l").loop("l").end();
        guest.load(code);
        guest.vcpu().setDebug(STEP);
        guest.vcpu().setState(guest.kernelState(CODE));
        List<Long> seen = new ArrayList<>();
        for (int n = 0; n < 5; n++) {
            Ending ending = guest.resume();
            assertThat(ending.kind()).isEqualTo(Kind.DEBUG);
            seen.add(ending.rip() - CODE);
        }
        assertThat(seen).containsExactly(1L, 4L, 14L, 14L, 16L);
    }

    @Test
    public void singleStep_entersTheHandlerOfAnException() {
        guest.load(kernel().hex("0f0b"));
        guest.vcpu().setDebug(STEP);
        guest.vcpu().setState(guest.kernelState(CODE));
        Ending ending = guest.resume();
        assertThat(ending.kind()).isEqualTo(Kind.DEBUG);
        assertThat(ending.rip()).isEqualTo(SmallGuest.handler(6));
    }

    @Test
    public void singleStep_isNotSeenByTheGuest() {
        guest.load(kernel().hex("9c 58").end());
        guest.vcpu().setDebug(STEP);
        guest.vcpu().setState(guest.kernelState(CODE));
        guest.resume();
        assertThat(guest.resume().state().gpr[RAX]).isEqualTo(2);
    }

    @Test
    public void watchpoint_stopsAfterTheAccess() {
        GuestCode code =
                kernel().mov(RBX, 5).load(RCX, FREE + 8).label("store").store(FREE + 8, RBX);
        guest.load(code.label("after").nop(3).end());
        guest.vcpu().setDebug(watch(FREE + 12, 2, false, true));
        guest.vcpu().setState(guest.kernelState(CODE));
        Ending ending = guest.resume();
        assertThat(ending.kind()).isEqualTo(Kind.DEBUG);
        assertThat(ending.rip()).isEqualTo(code.addressOf("after"));
        assertThat(guest.vcpu().debugAddress()).isEqualTo(FREE + 12);
        assertThat(guest.memory().read64(FREE + 8)).isEqualTo(5);
        assertEnd(guest.resume());
    }

    @Test
    public void watchpoint_seesReadsIfWanted_andImplicitAccesses() {
        GuestCode code =
                kernel().load(RCX, FREE + 8).label("after").nop(2).push(RAX).label("pushed");
        guest.load(code.nop(2).end());
        guest.vcpu().setDebug(watch(FREE + 8, 8, true, false));
        guest.vcpu().setState(guest.kernelState(CODE));
        assertThat(guest.resume().rip()).isEqualTo(code.addressOf("after"));
        guest.vcpu().setDebug(watch(SmallGuest.STACK - 0x808, 8, false, true));
        Ending ending = guest.resume();
        assertThat(ending.kind()).isEqualTo(Kind.DEBUG);
        assertThat(ending.rip()).isEqualTo(code.addressOf("pushed"));
        guest.vcpu().setDebug(DebugRequest.NONE);
        assertEnd(guest.resume());
    }

    @Test
    public void watchpoint_stopsARepeatedInstruction_soonAfterTheAccess() {
        guest.load(kernel().mov(RCX, 0x1000).mov(RDI, FREE).hex("f3aa").end());
        guest.vcpu().setDebug(watch(FREE + 0x100, 1, false, true));
        guest.vcpu().setState(guest.kernelState(CODE));
        Ending ending = guest.resume();
        assertThat(ending.kind()).isEqualTo(Kind.DEBUG);
        assertThat(ending.state().gpr[RDI]).isEqualTo(FREE + 0x101);
        guest.vcpu().setDebug(DebugRequest.NONE);
        assertEnd(guest.resume());
        assertThat(guest.vcpu().state().gpr[RDI]).isEqualTo(FREE + 0x1000);
    }

    @Test
    public void debugging_worksInRing3() {
        GuestCode code = GuestCode.at(USER).nop(2).label("at").nop(2).end();
        guest.load(code);
        guest.vcpu().setDebug(breakAt(code.addressOf("at")));
        Ending ending = guest.run(guest.userState(USER));
        assertThat(ending.kind()).isEqualTo(Kind.DEBUG);
        assertThat(ending.rip()).isEqualTo(code.addressOf("at"));
        assertEnd(guest.resume());
    }
}
