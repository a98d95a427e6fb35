package org.javisor.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.testkit.GuestCode.RAX;
import static org.javisor.testkit.GuestCode.RDI;
import static org.javisor.testkit.SmallGuest.CODE;
import static org.javisor.testkit.SmallGuest.DATA;

import java.util.Arrays;
import org.javisor.device.IoApicState;
import org.javisor.device.PicPairState;
import org.javisor.device.PitState;
import org.javisor.hypervisor.InterruptFabric;
import org.javisor.testkit.GuestCode;
import org.javisor.testkit.SmallGuest;
import org.javisor.testkit.SmallGuest.Ending;
import org.javisor.testkit.SmallGuest.Kind;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The kernel's PICs, I/O APIC and timer chip as a machine's interrupt fabric. */
@NeedsKvm
@Timeout(60)
class KernelChipsTest {
    private static final long APIC = 0xfee00000L, IO_APIC = 0xfec00000L;
    private static final int VECTOR = 0x60;

    private final KernelApics kvm = new KernelApics(true);
    private final SmallGuest guest = new SmallGuest(kvm);

    KernelChipsTest() {
        guest.tables().mapIdentity(APIC, 0x1000, 3);
        guest.tables().mapIdentity(IO_APIC, 0x1000, 3);
    }

    @AfterEach
    void close() {
        guest.close();
    }

    private static GuestCode code() {
        return GuestCode.at(CODE);
    }

    private static GuestCode out(GuestCode code, int port, int value) {
        return port < 0x100
                ? code.mov32(RAX, value).out8(port)
                // mov dx, port; mov al, value; out dx, al
                : code.hex("66ba %02x%02x".formatted(port & 0xff, port >> 8))
                        .mov32(RAX, value)
                        .hex("ee");
    }

    private static GuestCode programPics(GuestCode code, int masterMask, int slaveMask) {
        int[][] writes = {
            {0x20, 0x11}, {0x21, VECTOR}, {0x21, 4}, {0x21, 1}, {0x21, masterMask},
            {0xa0, 0x11}, {0xa1, VECTOR + 8}, {0xa1, 2}, {0xa1, 1}, {0xa1, slaveMask}
        };
        for (int[] write : writes) {
            out(code, write[0], write[1]);
        }
        return code;
    }

    /** Tells that it is ready, then waits for interrupts. */
    private static GuestCode waitForInterrupts(GuestCode code) {
        return code.sti().trace(1).label("wait").hlt().jmp("wait");
    }

    private Ending runAndThen(GuestCode code, Runnable event) throws InterruptedException {
        guest.load(code);
        guest.vcpu().setState(guest.kernelState(CODE));
        Thread device =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    while (guest.trace().isEmpty()) {
                                        Thread.onSpinWait();
                                    }
                                    event.run();
                                });
        Ending ending = guest.resume();
        device.join();
        return ending;
    }

    private void handler(int vector) {
        guest.gate(vector, DATA, 0x8e, 0);
        guest.load(GuestCode.at(DATA).trace(2).end());
    }

    @Test
    void isaInterrupt_reachesTheProcessorThroughThePics() throws InterruptedException {
        handler(VECTOR + 12);
        Ending ending =
                runAndThen(
                        waitForInterrupts(programPics(code(), 0xfb, 0xef)),
                        () -> kvm.fabric().isa(12).pulse());
        assertThat(ending.kind()).isEqualTo(Kind.END);
        assertThat(guest.trace()).containsExactly(1, 2);
    }

    @Test
    void isaInterrupt_reachesTheProcessorThroughTheIoApic() throws InterruptedException {
        handler(VECTOR + 1);
        GuestCode code = programPics(code(), 0xff, 0xff);
        code.mov(RDI, APIC).hex("c787 f0000000 ff010000").mov(RAX, IO_APIC);
        // Input 4, edge-triggered.
        code.hex("c70018000000 c7401061000000 c70019000000 c7401000000000");
        Ending ending = runAndThen(waitForInterrupts(code), () -> kvm.fabric().isa(4).drive(true));
        assertThat(ending.kind()).isEqualTo(Kind.END);
    }

    @Test
    void levelOfAnIoApicsInput_interruptsUntilItIsTakenBack() throws InterruptedException {
        guest.gate(VECTOR, DATA, 0x8e, 0);
        // Ends the interrupt; the third time the device has let go of the line.
        GuestCode handler = GuestCode.at(DATA).trace(2).hex("c787 b0000000 00000000").iret();
        guest.load(handler);
        GuestCode code = code().mov(RDI, APIC).hex("c787 f0000000 ff010000").mov(RAX, IO_APIC);
        // Input 17, level-triggered.
        code.hex("c70032000000 c7401060800000 c70033000000 c7401000000000");
        var line = kvm.fabric().ioApic(17);
        Ending ending =
                runAndThen(
                        waitForInterrupts(code),
                        () -> {
                            line.drive(true);
                            while (guest.trace().size() < 4) {
                                Thread.onSpinWait();
                            }
                            line.drive(false);
                            int seen = guest.trace().size();
                            while (guest.trace().size() > seen) {
                                seen = guest.trace().size();
                            }
                            guest.vcpu().requestExit();
                        });
        assertThat(ending.kind()).isEqualTo(Kind.REQUESTED);
        assertThat(guest.trace()).startsWith(1, 2, 2, 2);
    }

    @Test
    void picInput_doesNotReachTheIoApic() {
        kvm.fabric().pic(10).drive(true);
        InterruptFabric.State state = kvm.fabric().save();
        assertThat(state.pics().slave().lines()).isEqualTo(4);
        assertThat(state.ioApic().lines()).isZero();
        kvm.fabric().isa(11).drive(true);
        assertThat(kvm.fabric().save().ioApic().lines()).isEqualTo(1 << 11);
    }

    @Test
    void inputsThatDoNotExist_areRefused() {
        InterruptFabric fabric = kvm.fabric();
        org.assertj.core.api.Assertions.assertThatThrownBy(() -> fabric.isa(16))
                .isInstanceOf(IllegalArgumentException.class);
        org.assertj.core.api.Assertions.assertThatThrownBy(() -> fabric.ioApic(3))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void whatTheGuestProgrammed_isInTheState() {
        GuestCode code = programPics(code(), 0xa5, 0x5a);
        code.mov(RAX, IO_APIC);
        // Input 5: vector 45h, logical destination 3, level-triggered, masked
        code.hex("c7001a000000 c7401045880100 c7001b000000 c7401000000003");
        // Counter 2: mode 3, 1000; speaker on
        code = out(out(out(out(code, 0x43, 0xb6), 0x42, 1000 & 0xff), 0x42, 1000 >> 8), 0x61, 3);
        assertThat(guest.run(code.end()).kind()).isEqualTo(Kind.END);
        InterruptFabric.State state = kvm.fabric().save();
        assertThat(state.pics().master().imr()).isEqualTo(0xa5);
        assertThat(state.pics().slave().imr()).isEqualTo(0x5a);
        assertThat(state.pics().master().vectorBase()).isEqualTo(VECTOR);
        assertThat(state.pics().slave().vectorBase()).isEqualTo(VECTOR + 8);
        assertThat(state.pics().master().lowest()).isEqualTo(7);
        assertThat(state.ioApic().redirection()[5]).isEqualTo(0x0300_0000_0001_8845L);
        assertThat(state.ioApic().select()).isEqualTo(0x1b);
        PitState.Counter counter = state.pit().counters().get(2);
        assertThat(counter.mode()).isEqualTo(3);
        assertThat(counter.count()).isEqualTo(1000);
        assertThat(counter.gate()).isTrue();
        assertThat(state.speaker()).isTrue();
    }

    @Test
    void state_goesBackIntoTheKernel() {
        kvm.fabric().setLevelTriggered(1 << 10 | 1 << 11);
        InterruptFabric.State fresh = kvm.fabric().save();
        assertThat(fresh.pics().slave().edgeLevel()).isEqualTo(0x0c);
        PicPairState.Chip chip =
                new PicPairState.Chip(
                        0, 0x12, 0, 0xed, 8, 0x38, 0, true, 3, true, false, true, false, false,
                        true);
        long[] redirection = fresh.ioApic().redirection();
        redirection[7] = 0x0100_0000_0000_0077L;
        var counters = new java.util.ArrayList<>(fresh.pit().counters());
        counters.set(
                0,
                new PitState.Counter(2, false, 3, 4711, 0, 0, true, true, true, -1, false, -1, -1));
        InterruptFabric.State changed =
                new InterruptFabric.State(
                        new PicPairState(1, chip, fresh.pics().slave()),
                        new IoApicState(1, 0x10, 2, redirection, 0),
                        new PitState(1, counters),
                        true);
        kvm.fabric().restore(changed);
        InterruptFabric.State found = kvm.fabric().save();
        assertThat(found.pics()).isEqualTo(changed.pics());
        assertThat(found.ioApic().redirection()).isEqualTo(redirection);
        assertThat(found.ioApic().id()).isEqualTo(2);
        assertThat(found.pit().counters().getFirst().count()).isEqualTo(4711);
        assertThat(found.pit().counters().getFirst().mode()).isEqualTo(2);
        assertThat(found.speaker()).isTrue();
        kvm.fabric().reset();
        InterruptFabric.State reset = kvm.fabric().save();
        assertThat(reset.pics().slave().edgeLevel()).isZero();
        assertThat(reset.ioApic().redirection()[7]).isEqualTo(1 << 16);
        assertThat(reset.speaker()).isFalse();
    }

    @Test
    void messageThatIsSentOften_getsAWire_andArrivesByIt() throws InterruptedException {
        guest.gate(VECTOR, DATA, 0x8e, 0);
        guest.load(GuestCode.at(DATA).trace(2).hex("c787 b0000000 00000000").iret());
        GuestCode code = code().mov(RDI, APIC).hex("c787 f0000000 ff010000");
        int times = 80;
        Ending ending =
                runAndThen(
                        waitForInterrupts(code),
                        () -> {
                            for (int n = 1; n <= times; n++) {
                                kvm.fabric().messages().deliver(APIC, VECTOR);
                                while (guest.trace().size() < n + 1) {
                                    Thread.onSpinWait();
                                }
                            }
                            guest.vcpu().requestExit();
                        });
        assertThat(ending.kind()).isEqualTo(Kind.REQUESTED);
        var counters = guest.vm().statistics().counters();
        assertThat(counters.get("messages.wired")).isGreaterThan(20);
        assertThat(counters.get("messages.wired") + counters.get("messages.single"))
                .isEqualTo(times);
    }

    @Test
    void moreMessagesThanThereAreWires_areStillDelivered() {
        for (int round = 0; round < 40; round++) {
            for (int vector = 0x20; vector < 0x100; vector++) {
                kvm.fabric().messages().deliver(APIC, vector);
                kvm.fabric().messages().deliver(APIC | 0x1000, vector);
            }
        }
        guest.load(code().mov(RDI, APIC).hex("c787 f0000000 ff010000").trace(1).end());
        guest.run(guest.kernelState(CODE));
        kvm.fabric().messages().deliver(APIC, 0x77);
        long[] requested = guest.vcpu().localApic().irr();
        assertThat(requested[1] >> (0x77 - 64) & 1).as(Arrays.toString(requested)).isEqualTo(1);
    }
}
