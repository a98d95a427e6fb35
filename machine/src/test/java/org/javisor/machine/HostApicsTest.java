package org.javisor.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntConsumer;
import org.javisor.chipset.IoApic;
import org.javisor.chipset.PicPair;
import org.javisor.device.Clock;
import org.javisor.device.MessageInterrupts;
import org.javisor.device.MmioBus;
import org.javisor.device.PioBus;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.EngineStatistics;
import org.javisor.hypervisor.ExitReason;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.hypervisor.Vm;
import org.javisor.memory.GuestMemory;
import org.javisor.testkit.FakeClock;
import org.javisor.testkit.FakeHypervisor;
import org.javisor.testkit.FakeVcpu;
import org.javisor.testkit.SilentDevices;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The board's I/O APIC and PICs with local APICs that the engine brings along. */
class HostApicsTest {
    private final GuestMemory memory = GuestMemory.allocate(0x10000);
    private final Clock clock = new FakeClock();
    private final FakeHypervisor engine = new FakeHypervisor((cpu, step) -> ExitReason.REQUESTED);
    private final List<String> messages = new ArrayList<>();
    private final ApicVm vm = new ApicVm();
    private final ProcessorApics apics = ProcessorApics.of(vm, clock);
    private final IoApic ioApic = new IoApic(apics.bus());
    private final PicPair pics = new PicPair(apics.intr());

    @AfterEach
    void close() {
        memory.close();
    }

    /** An engine that has local APICs and remembers what they are sent. */
    private final class ApicVm implements Vm {
        private IntConsumer endOfInterrupt;

        @Override
        public Optional<MessageInterrupts> useOwnLocalApics(IntConsumer end) {
            endOfInterrupt = end;
            return Optional.of((a, d) -> messages.add("%x %x".formatted(a, d)));
        }

        @Override
        public GuestMemory memory() {
            return memory;
        }

        @Override
        public long tscFrequency() {
            return 1_000_000_000L;
        }

        @Override
        public Vcpu createVcpu(int index, CpuidTable cpuid, VcpuIo io) {
            throw new UnsupportedOperationException();
        }

        @Override
        public EngineStatistics statistics() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void close() {}
    }

    private void program(int pin, long entry) {
        ioApic.writeMmio(0, 4, 0x10 + 2 * pin + 1);
        ioApic.writeMmio(0x10, 4, entry >>> 32);
        ioApic.writeMmio(0, 4, 0x10 + 2 * pin);
        ioApic.writeMmio(0x10, 4, entry & 0xffffffffL);
    }

    @Test
    void edgeOfTheIoApic_isAMessage() {
        program(4, 3L << 56 | 0x51);
        ioApic.input(4).pulse();
        assertThat(messages).containsExactly("fee03000 51");
    }

    @Test
    void logicalDestinationAndLevel_areInTheMessage_whichComesAgainAfterItsEnd() {
        apics.attach(ioApic);
        program(9, 5L << 56 | 0x8962); // level, logical, lowest priority
        ioApic.input(9).drive(true);
        assertThat(messages).containsExactly("fee05004 c162");
        vm.endOfInterrupt.accept(0x62);
        assertThat(messages).containsExactly("fee05004 c162", "fee05004 c162");
        ioApic.input(9).drive(false);
        vm.endOfInterrupt.accept(0x62);
        assertThat(messages).hasSize(2);
    }

    @Test
    void messagesOfPciFunctions_goToTheEngine() {
        apics.messages().deliver(0xfee01000L, 0x4071);
        assertThat(messages).containsExactly("fee01000 4071");
    }

    @Test
    void firstProcessor_fetchesThePicsVectors_theOthersDoNot() {
        apics.attach(pics);
        PioBus ports = new PioBus();
        ports.attach("pic", 0x20, 2, pics.master());
        int[][] begin = {{0x20, 0x11}, {0x21, 0x30}, {0x21, 4}, {0x21, 1}, {0x21, 0}};
        for (int[] write : begin) {
            ports.write(write[0], 1, write[1]);
        }
        Vm processors = engine.createVm(memory, clock);
        FakeVcpu first = (FakeVcpu) processors.createVcpu(0, engine.cpuid(), new SilentDevices());
        FakeVcpu second = (FakeVcpu) processors.createVcpu(1, engine.cpuid(), new SilentDevices());
        for (FakeVcpu processor : List.of(first, second)) {
            apics.connect(processor, new BoardIo(ports, new MmioBus()));
        }
        pics.input(1).drive(true);
        assertThat(first.controller().interruptPending()).isTrue();
        assertThat(second.controller().interruptPending()).isFalse();
        assertThat(second.controller().acknowledge()).isEqualTo(-1);
        assertThat(first.controller().acknowledge()).isEqualTo(0x31);
        assertThat(first.controller().interruptPending()).isFalse();
        assertThat(first.controller().mmioBase()).isEqualTo(-1);
    }

    @Test
    void engineWithoutLocalApics_getsTheBoards() {
        try (Vm plain = engine.createVm(memory, clock)) {
            assertThat(ProcessorApics.of(plain, clock)).isInstanceOf(SoftwareApics.class);
        }
    }
}
