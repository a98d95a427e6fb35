package org.javisor.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.testkit.GuestCode.RAX;
import static org.javisor.testkit.GuestCode.RDI;
import static org.javisor.testkit.SmallGuest.CODE;
import static org.javisor.testkit.SmallGuest.DATA;
import static org.javisor.testkit.SmallGuest.FREE;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.javisor.hypervisor.VcpuState;
import org.javisor.testkit.GuestCode;
import org.javisor.testkit.PageTables;
import org.javisor.testkit.SilentDevices;
import org.javisor.testkit.SmallGuest;
import org.javisor.testkit.SmallGuest.Ending;
import org.javisor.testkit.SmallGuest.Kind;
import org.javisor.x86.CodeSize;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The kernel's interrupt controllers, timer, eventfds, and processors that use them. */
@NeedsKvm
class KernelInterruptsTest {
    private static final long APIC = 0xfee00000L;
    private static final int VECTOR = 0x60, EDGE = VECTOR, LEVEL = VECTOR | 0xc000;
    private static final long AP_CODE = 0xc000;
    private static final int PORT = 0x80;

    private KernelApics kvm;
    private SmallGuest guest;

    @BeforeEach
    void splitControllers() {
        make(false, 1);
    }

    private void make(boolean whole, int processors) {
        close();
        kvm = new KernelApics(whole);
        guest = new SmallGuest(kvm, processors);
        guest.tables().mapIdentity(APIC, 0x1000, PageTables.PRESENT | PageTables.WRITABLE);
    }

    @AfterEach
    void close() {
        if (guest != null) {
            guest.close();
        }
    }

    /** Switches the local APIC on, its address in RDI. */
    private static GuestCode begin() {
        return GuestCode.at(CODE).mov(RDI, APIC).hex("c787 f0000000 ff010000");
    }

    /** Tells that it is ready, then waits for interrupts. */
    private static GuestCode waitForInterrupts(GuestCode code) {
        return code.sti().trace(1).label("wait").hlt().jmp("wait");
    }

    private static String endOfInterrupt() {
        return "c787 b0000000 00000000";
    }

    /** A handler that tells, ends the interrupt and then the run. */
    private void installHandler() {
        guest.gate(VECTOR, DATA, 0x8e, 0);
        guest.load(GuestCode.at(DATA).trace(2).hex(endOfInterrupt()).end());
    }

    private Ending runUntilInterrupted(Runnable event) throws Exception {
        installHandler();
        guest.load(waitForInterrupts(begin()));
        guest.vcpu().setState(guest.kernelState(CODE));
        Thread sender =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    while (guest.trace().isEmpty()) {
                                        Thread.onSpinWait();
                                    }
                                    event.run();
                                });
        Ending ending = guest.resume();
        sender.join();
        assertThat(ending.kind()).isEqualTo(Kind.END);
        assertThat(guest.trace()).containsExactly(1, 2);
        return ending;
    }

    @Test
    void message_wakesAHaltedProcessor() throws Exception {
        runUntilInterrupted(() -> kvm.interrupts().deliver(APIC, EDGE));
        assertThat(kvm.ended()).isEmpty();
    }

    @Test
    void endOfALevelTriggeredMessage_isTold() throws Exception {
        runUntilInterrupted(() -> kvm.interrupts().deliver(APIC, LEVEL));
        assertThat(kvm.ended()).containsExactly(VECTOR);
    }

    @Test
    void whatIsNoMessage_isIgnored() throws Exception {
        runUntilInterrupted(
                () -> {
                    kvm.interrupts().deliver(0xd0000000L, EDGE);
                    kvm.interrupts().deliver(0x1_fee00000L, 0x61);
                    kvm.interrupts().deliver(APIC | 5 << 12, 0x61);
                    kvm.interrupts().deliver(APIC, EDGE);
                });
    }

    @Test
    void signalOfAnEventfd_raisesAnInterrupt() throws Exception {
        kvm.interrupts().routeMessage(3, APIC, EDGE);
        try (EventFd event = new EventFd()) {
            event.raises(kvm.handle(), 3, true);
            runUntilInterrupted(event::signal);
            event.raises(kvm.handle(), 3, false);
        }
    }

    @Test
    void writesToARegisteredAddress_signalAnEventfdAndReachNoDevice() {
        SilentDevices forbidden =
                new SilentDevices() {
                    @Override
                    public void writePort(int port, int size, int value) {
                        throw new AssertionError("port " + port);
                    }

                    @Override
                    public void writeMmio(long gpa, int size, long value) {
                        assertThat(value).isEqualTo(8);
                    }
                };
        guest.devices(forbidden);
        try (EventFd port = new EventFd();
                EventFd memory = new EventFd();
                EventFd value = new EventFd()) {
            port.onWrite(kvm.handle(), true, PORT, 1, true);
            memory.onWrite(kvm.handle(), false, SmallGuest.MMIO, 4, true);
            value.onWriteOf(kvm.handle(), SmallGuest.MMIO + 0x10, 2, 7);
            GuestCode code = GuestCode.at(CODE).out8(PORT).out8(PORT).mov(RDI, SmallGuest.MMIO);
            // mov dword [rdi], 5; mov word [rdi + 10h], 7; mov word [rdi + 10h], 8
            code.hex("c70705000000 66c747100700 66c747100800");
            assertThat(guest.run(code.end()).kind()).isEqualTo(Kind.END);
            assertThat(port.await()).isEqualTo(2);
            assertThat(memory.await()).isEqualTo(1);
            assertThat(value.await()).isEqualTo(1);
        }
    }

    @Test
    void timerChip_ticks() {
        make(true, 1);
        // PICs: vectors from 60h, only the timer's input; counter 0: mode 2, 1193 clocks
        int[][] writes = {
            {0x20, 0x11},
            {0x21, 0x60},
            {0x21, 4},
            {0x21, 1},
            {0x21, 0xfe},
            {0x43, 0x34},
            {0x40, 1193 & 0xff},
            {0x40, 1193 >> 8}
        };
        GuestCode code = begin();
        for (int[] write : writes) {
            code.mov32(RAX, write[1]).out8(write[0]);
        }
        guest.gate(0x60, DATA, 0x8e, 0);
        GuestCode handler = GuestCode.at(DATA).inc32(FREE).mov32(RAX, 0x20).out8(0x20);
        // cmp dword [FREE], 5
        guest.load(handler.operand(7, FREE, 0x83).raw(5).jcc(2, "on").end().label("on").iret());
        guest.load(waitForInterrupts(code));
        assertThat(guest.run(guest.kernelState(CODE)).kind()).isEqualTo(Kind.END);
        assertThat(guest.memory().read32(FREE)).isEqualTo(5);
    }

    @Test
    void lineOfTheKernelsControllers_interrupts() throws Exception {
        make(true, 1);
        // I/O APIC input 20: vector 60h, edge-triggered, to APIC 0.
        guest.tables().mapIdentity(0xfec00000L, 0x1000, 3);
        GuestCode code = begin().mov(RAX, 0xfec00000L);
        code.hex("c70038000000 c7401060000000 c70039000000 c7401000000000");
        installHandler();
        guest.load(waitForInterrupts(code));
        guest.vcpu().setState(guest.kernelState(CODE));
        Thread device =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    while (guest.trace().isEmpty()) {
                                        Thread.onSpinWait();
                                    }
                                    kvm.fabric().ioApic(20).pulse();
                                });
        Ending ending = guest.resume();
        device.join();
        assertThat(ending.kind()).as("%s", ending).isEqualTo(Kind.END);
        assertThat(guest.trace()).containsExactly(1, 2);
    }

    @Test
    void processors_startAndInterruptEachOther() throws Exception {
        make(false, 2);
        assertThat(guest.vcpu(1).state().activity)
                .isEqualTo(VcpuState.Activity.WAITING_FOR_STARTUP);
        installHandler();
        // INIT, start-up, then wait until the other has told and send it away again.
        GuestCode first = begin().hex("c787 10030000 00000001 c787 00030000 00450000");
        first.hex("c787 00030000").raw32(0x4600 | AP_CODE >> 12);
        guest.load(waitForInterrupts(first));
        GuestCode second = new GuestCode(AP_CODE, CodeSize.BITS16);
        guest.load(second.trace(7).end());
        try (var threads = Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
            Callable<Ending> other = () -> guest.resume(1);
            Future<Ending> run = threads.submit(other);
            guest.vcpu().setState(guest.kernelState(CODE));
            Future<Ending> main = threads.submit(() -> guest.resume(0));
            Ending ending = run.get(20, TimeUnit.SECONDS);
            assertThat(ending.kind()).isEqualTo(Kind.END);
            assertThat(ending.state().segments[VcpuState.CS].base()).isEqualTo(AP_CODE);
            kvm.interrupts().deliver(APIC, EDGE);
            assertThat(main.get(20, TimeUnit.SECONDS).kind()).isEqualTo(Kind.END);
        }
        assertThat(guest.trace()).contains(1, 7, 2);
    }

    @Test
    void haltedProcessor_canBeMadeToExit_andKeepsItsState() throws Exception {
        guest.load(waitForInterrupts(begin()));
        guest.vcpu().setState(guest.kernelState(CODE));
        Thread stopper =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    while (guest.trace().isEmpty()) {
                                        Thread.onSpinWait();
                                    }
                                    guest.vcpu().requestExit();
                                });
        Ending ending = guest.resume();
        stopper.join();
        assertThat(ending.kind()).isEqualTo(Kind.REQUESTED);
        VcpuState halted = guest.vcpu().state();
        installHandler();
        kvm.interrupts().deliver(APIC, EDGE);
        assertThat(guest.run(halted).kind()).isEqualTo(Kind.END);
        assertThat(guest.trace()).containsExactly(1, 2);
    }

    @Test
    void reset_switchesTheLocalApicOffAgain() throws Exception {
        runUntilInterrupted(() -> kvm.interrupts().deliver(APIC, EDGE));
        guest.vcpu().reset();
        guest.load(GuestCode.at(CODE).mov(RDI, APIC).hex("8b87 f0000000").end());
        Ending ending = guest.run(guest.kernelState(CODE));
        assertThat(ending.state().gpr[RAX]).isEqualTo(0xff);
    }

    @Test
    void nonMaskableInterrupt_isDelivered() {
        guest.load(GuestCode.at(CODE).nop(3).label("l").jmp("l"));
        guest.vcpu().setState(guest.kernelState(CODE));
        guest.vcpu().nmi();
        Ending ending = guest.resume();
        assertThat(ending.kind()).isEqualTo(Kind.EXCEPTION);
        assertThat(ending.vector()).isEqualTo(2);
    }

    // Paravirtual features (Linux Documentation/virt/kvm/x86/cpuid.rst, msr.rst, hypercalls.rst)

    private boolean offered(int feature) {
        return (kvm.cpuid().query(0x40000001, 0).eax() >> feature & 1) != 0;
    }

    @Test
    void paravirtualClockAndStealTime_areKept() {
        assumeTrue(offered(3) && offered(5), "not offered here");
        long clock = FREE, steal = FREE + 0x1000;
        GuestCode code = begin().wrmsr(0x4b564d01, clock | 1).wrmsr(0x4b564d03, steal | 1);
        // An exit or two, so that both are brought up to date.
        assertThat(guest.run(code.trace(1).trace(2).end()).kind()).isEqualTo(Kind.END);
        int version = guest.memory().read32(clock);
        assertThat(version).as("version").isPositive().isEven();
        assertThat(guest.memory().read32(clock + 24)).as("multiplier").isNotZero();
        assertThat(guest.memory().read32(steal + 8)).as("version").isEven();
        assertThat(guest.vcpu().state().msrs)
                .containsEntry(0x4b564d01, clock | 1)
                .containsEntry(0x4b564d03, steal | 1);
    }

    @Test
    void endOfInterruptByMemory_isPartOfTheState() {
        assumeTrue(offered(6), "not offered here");
        long word = FREE | 1;
        GuestCode code = begin().wrmsr(0x4b564d04, word).end();
        assertThat(guest.run(code).kind()).isEqualTo(Kind.END);
        assertThat(guest.vcpu().state().msrs).containsEntry(0x4b564d04, word);
    }

    @Test
    void interprocessorInterruptByHypercall_arrives() {
        assumeTrue(offered(11), "not offered here");
        assumeTrue(KernelSpeed.measure().hardware(), "an emulating KVM does not return from one");
        installHandler();
        // KVM_HC_SEND_IPI: processors 0 in RBX and none in RCX, from APIC 0 on, fixed vector.
        GuestCode code = begin().mov(RAX, 10).mov(GuestCode.RBX, 1).mov(GuestCode.RCX, 0);
        code.mov(GuestCode.RDX, 0).mov(GuestCode.RSI, VECTOR).hex("0f01c1");
        guest.load(waitForInterrupts(code));
        assertThat(guest.run(guest.kernelState(CODE)).kind()).isEqualTo(Kind.END);
        assertThat(guest.trace()).endsWith(2);
    }

    @Test
    void controllers_mustComeBeforeProcessors() {
        List<Integer> none = List.of();
        org.assertj.core.api.Assertions.assertThatThrownBy(
                        () -> guest.vm().useOwnLocalApics(none::contains))
                .isInstanceOf(IllegalStateException.class);
    }
}
