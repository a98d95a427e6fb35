package org.javisor.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.javisor.testkit.GuestCode.RAX;
import static org.javisor.testkit.GuestCode.RDI;
import static org.javisor.testkit.GuestCode.RSI;
import static org.javisor.testkit.SmallGuest.CODE;
import static org.javisor.testkit.SmallGuest.DATA;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.javisor.chipset.PcPorts;
import org.javisor.device.LocalApicState;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.hypervisor.VcpuState;
import org.javisor.interpreter.InterpreterHypervisor;
import org.javisor.kvm.KvmHost;
import org.javisor.kvm.KvmHypervisor;
import org.javisor.testkit.GuestCode;
import org.javisor.testkit.SmallGuest;
import org.javisor.testkit.SmallGuest.Ending;
import org.javisor.testkit.SmallGuest.Kind;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A machine's board under KVM, with every choice of interrupt controllers. */
@Timeout(60)
class KvmBoardTest {
    private static final int VECTOR = 0x60;

    /** MOV DWORD [RDI + B0h], 0 with the local APIC's address in RDI: end of interrupt. */
    private static final String END_OF_INTERRUPT = "c787 b0000000 00000000";

    @BeforeAll
    static void needKvm() {
        assumeTrue(KvmHost.obstacle().isEmpty(), () -> "KVM is " + KvmHost.obstacle().get());
    }

    private static BoardRig kvm(InterruptChips chips) {
        return new BoardRig(new KvmHypervisor(), chips);
    }

    /** Masks the PICs and switches the local APIC on, its address in RDI. */
    private static GuestCode begin() {
        GuestCode code = GuestCode.at(CODE).mov32(RAX, 0xff).out8(0x21).out8(0xa1);
        return code.mov(RDI, PcPorts.LOCAL_APIC).hex("c787 f0000000 ff010000");
    }

    private static void waitForInterrupts(SmallGuest guest, GuestCode code) {
        guest.load(code.sti().trace(1).label("wait").hlt().jmp("wait"));
    }

    private static long counter(BoardRig rig, String name) {
        return rig.guest().vm().statistics().counters().getOrDefault(name, 0L);
    }

    @ParameterizedTest
    @EnumSource
    void driverNotifies_deviceAnswers_byMessage(InterruptChips chips) {
        try (BoardRig rig = kvm(chips)) {
            rig.startDevice();
            rig.useMessages(PcPorts.LOCAL_APIC, VECTOR);
            SmallGuest guest = rig.guest();
            guest.gate(VECTOR, DATA, 0x8e, 0);
            guest.load(GuestCode.at(DATA).trace(2).hex(END_OF_INTERRUPT).end());
            // mov word [rsi], 0
            waitForInterrupts(guest, begin().mov(RSI, rig.notification()).hex("66c7060000"));
            assertThat(guest.run(guest.kernelState(CODE)).kind()).isEqualTo(Kind.END);
            assertThat(guest.memory().read8(BoardRig.BUFFER)).isEqualTo(BoardRig.RANDOM);
            assertThat(guest.memory().read16(BoardRig.DEVICE + 2)).isEqualTo(1);
            assertThat(counter(rig, "doorbells")).isEqualTo(chips == InterruptChips.OWN ? 0 : 1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void driverNotifies_deviceAnswers_byItsWire(InterruptChips chips) {
        try (BoardRig rig = kvm(chips)) {
            rig.startDevice();
            SmallGuest guest = rig.guest();
            guest.gate(VECTOR, DATA, 0x8e, 0);
            // Reading the interrupt status takes the wire back, or the interrupt comes again.
            GuestCode handler = GuestCode.at(DATA).mov(RSI, rig.interruptStatus()).hex("8a06");
            handler.out8(SmallGuest.TRACE_PORT).inc32(SmallGuest.FREE);
            guest.load(handler.hex(END_OF_INTERRUPT).iret());
            GuestCode code = begin().mov(RAX, PcPorts.IO_APIC);
            for (int input = 16; input < 20; input++) {
                int entry = 0x10 + 2 * input;
                code.hex("c700").raw32(entry).hex("c74010").raw32(0x8000 | VECTOR);
                code.hex("c700").raw32(entry + 1).hex("c7401000000000");
            }
            code.mov(RSI, rig.notification()).hex("66c7060000");
            // Until it has been interrupted: cmp dword [FREE], 0.
            code.label("wait").sti().hlt().cli();
            guest.load(code.operand(7, SmallGuest.FREE, 0x83).raw(0).jcc(4, "wait").end());
            assertThat(guest.run(guest.kernelState(CODE)).kind()).isEqualTo(Kind.END);
            assertThat(guest.trace()).containsExactly(1);
        }
    }

    @Test
    void chips_areThoseThatWereChosen() {
        try (BoardRig kernel = kvm(InterruptChips.KERNEL);
                BoardRig own = kvm(InterruptChips.OWN)) {
            assertThat(kernel.interrupts()).isInstanceOf(FabricWiring.class);
            assertThat(own.interrupts()).isInstanceOf(ChipWiring.class);
            // The timer chip answers without an exit, or with one.
            GuestCode code = GuestCode.at(CODE).hex("e440 e440 e461").end();
            assertThat(kernel.guest().run(code).kind()).isEqualTo(Kind.END);
            assertThat(counter(kernel, "exits.port")).isEqualTo(1);
            assertThat(own.guest().run(code).kind()).isEqualTo(Kind.END);
            assertThat(counter(own, "exits.port")).isEqualTo(4);
        }
    }

    @Test
    void engineWithoutChips_saysSo_whenTheyAreAskedFor() {
        for (InterruptChips chips :
                new InterruptChips[] {InterruptChips.KERNEL, InterruptChips.SPLIT}) {
            assertThatThrownBy(() -> new BoardRig(new InterpreterHypervisor(), chips).close())
                    .isInstanceOf(MachineException.class)
                    .hasMessageContaining("--irqchip " + chips.label());
        }
    }

    // State between engines

    private static void move(BoardRig from, BoardRig to) {
        byte[] ram = new byte[(int) from.guest().memory().size()];
        from.guest().memory().read(0, ram, 0, ram.length);
        to.guest().memory().write(0, ram, 0, ram.length);
        VcpuState state = from.guest().vcpu().state();
        LocalApicState apic = from.interrupts().saveApic(0);
        to.guest().vcpu().setState(state);
        to.interrupts().restoreApic(0, apic);
    }

    /** Runs to the trace with interrupts off, a message pending and the task priority raised. */
    private static void runToTheMiddle(BoardRig rig) {
        SmallGuest guest = rig.guest();
        guest.gate(VECTOR, DATA, 0x8e, 0);
        guest.load(GuestCode.at(DATA).trace(2).hex(END_OF_INTERRUPT).iret());
        // TPR 20h; LVT error 45h; a message to itself by the interrupt command: it waits.
        GuestCode code = begin().hex("c787 80000000 20000000 c787 70030000 45000000");
        code.hex("c787 00030000").raw32(0x44000 | VECTOR).out8(SmallGuest.END_PORT);
        code.sti().nop(1).label("wait").hlt().jmp("wait");
        guest.load(code);
        assertThat(guest.run(guest.kernelState(CODE)).kind()).isEqualTo(Kind.END);
        assertThat(guest.trace()).isEmpty();
    }

    private static void passesOn(
            Hypervisor from, InterruptChips its, Hypervisor to, InterruptChips others) {
        try (BoardRig first = new BoardRig(from, its);
                BoardRig second = new BoardRig(to, others)) {
            runToTheMiddle(first);
            move(first, second);
            LocalApicState apic = second.interrupts().saveApic(0);
            assertThat(apic.tpr()).isEqualTo(0x20);
            assertThat(apic.lvt()[5]).isEqualTo(0x45);
            assertThat(apic.spurious()).isEqualTo(0x1ff);
            assertThat(apic.irr()[1]).isEqualTo(1L << VECTOR - 64);
            Thread stopper =
                    Thread.ofPlatform()
                            .start(
                                    () -> {
                                        while (second.guest().trace().isEmpty()) {
                                            Thread.onSpinWait();
                                        }
                                        second.guest().vcpu().requestExit();
                                    });
            Ending ending = second.guest().resume();
            second.guest().vcpu().requestExit();
            assertThat(second.guest().trace()).as("%s", ending).containsExactly(2);
            join(stopper);
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @ParameterizedTest
    @EnumSource
    void machineOfTheInterpreter_goesOnUnderKvm(InterruptChips chips) {
        passesOn(new InterpreterHypervisor(), InterruptChips.OWN, new KvmHypervisor(), chips);
    }

    @ParameterizedTest
    @EnumSource
    void machineOfKvm_goesOnUnderTheInterpreter(InterruptChips chips) {
        passesOn(new KvmHypervisor(), chips, new InterpreterHypervisor(), InterruptChips.OWN);
    }
}
