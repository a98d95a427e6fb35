package org.javisor.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.javisor.device.InterruptLine;
import org.javisor.device.MmioBus;
import org.javisor.device.PioBus;
import org.javisor.memory.GuestMemory;
import org.javisor.pci.Ecam;
import org.javisor.pci.PciBus;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The PCI transport, driven through configuration space and BARs as a driver does. */
class VirtioPciTest {
    private static final int FUNCTION = 1 << 15;
    private static final long REGISTERS = 0xc0000000L;
    private static final long VECTORS = 0xc0010000L;
    private static final int NO_VECTOR = 0xffff;

    private final GuestMemory memory = GuestMemory.allocate(1 << 20);
    private final MmioBus mmio = new MmioBus();
    private final List<Integer> messages = new ArrayList<>();
    private final boolean[] lines = new boolean[4];
    private final EchoDevice device = new EchoDevice();
    private final VirtioPci transport = new VirtioPci("virtio-echo", device, memory, true);
    private final PciBus bus =
            new PciBus(mmio, new PioBus(), (address, data) -> messages.add(data), lines());
    private final Ecam ecam = new Ecam(bus);

    private List<InterruptLine> lines() {
        return IntStream.range(0, 4).<InterruptLine>mapToObj(i -> on -> lines[i] = on).toList();
    }

    @BeforeEach
    void plug() {
        bus.plug(transport.function());
        configure(0x10, 4, (int) REGISTERS);
        configure(0x14, 4, (int) VECTORS);
        configure(0x04, 2, 6);
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private void configure(int offset, int size, int value) {
        ecam.writeMmio(FUNCTION + offset, size, value);
    }

    private int configured(int offset, int size) {
        return (int) ecam.readMmio(FUNCTION + offset, size);
    }

    private long read(int offset, int size) {
        return mmio.read(REGISTERS + offset, size);
    }

    private void write(int offset, int size, long value) {
        mmio.write(REGISTERS + offset, size, value);
    }

    /** Offsets of the vendor-specific capabilities by their type, and of MSI-X as 0. */
    private Map<Integer, Integer> capabilities() {
        Map<Integer, Integer> found = new HashMap<>();
        for (int at = configured(0x34, 1); at != 0; at = configured(at + 1, 1)) {
            switch (configured(at, 1)) {
                case 0x09 -> found.put(configured(at + 3, 1), at);
                case 0x11 -> found.put(0, at);
                default -> {}
            }
        }
        return found;
    }

    /** Negotiates, and sets up queue 1 with 8 entries in the first pages. */
    private void start() {
        write(0x14, 1, 0);
        write(0x14, 1, 3);
        write(0x08, 4, 1);
        write(0x0c, 4, 1);
        write(0x14, 1, 11);
        assertThat(read(0x14, 1)).isEqualTo(11);
        write(0x16, 2, 1);
        write(0x18, 2, 8);
        write(0x20, 8, 0x1000);
        write(0x28, 4, 0x2000);
        write(0x2c, 4, 0);
        write(0x30, 4, 0x3000);
        write(0x1c, 2, 1);
        write(0x14, 1, 15);
    }

    private int offered;

    /** One request of one byte. Returns whether the device completed it. */
    private boolean request() {
        memory.write64(0x1000, 0x4000);
        memory.write64(0x1008, 1 | 1L << 32 | 1L << 48);
        memory.write64(0x1010, 0x4001);
        memory.write64(0x1018, 1 | 2L << 32);
        memory.write8(0x4000, 'x');
        memory.write16(0x2004 + 2 * (offered % 8), 0);
        memory.write16(0x2002, ++offered);
        write(0x3000 + 4 * 1, 2, 1);
        return memory.read16(0x3002) == offered && memory.read8(0x4001) == 'x';
    }

    @Test
    void structuresAreFoundThroughCapabilities() {
        assertThat(configured(0, 4)).isEqualTo(0x106a << 16 | 0x1af4);
        assertThat(configured(8, 1)).isEqualTo(1);
        Map<Integer, Integer> found = capabilities();
        assertThat(found).containsOnlyKeys(0, 1, 2, 3, 4, 5);
        assertThat(configured(found.get(2) + 16, 4)).isEqualTo(4);
        assertThat(configured(found.get(4) + 8, 4)).isEqualTo(0x2000);
        assertThat(configured(found.get(4) + 12, 4)).isEqualTo(8);
        assertThat(read(0x12, 2)).isEqualTo(2);
        assertThat(read(0x2000, 8)).isEqualTo(0x8877665544332211L);
    }

    @Test
    void registersCanBeReached_throughConfigurationSpaceOnly() {
        int window = capabilities().get(5);
        configure(window + 4, 1, 0);
        configure(window + 8, 4, 0x2000);
        configure(window + 12, 4, 2);
        assertThat(configured(window + 16, 2)).isEqualTo(0x2211);
        configure(window + 8, 4, 0x14);
        configure(window + 12, 4, 1);
        configure(window + 16, 4, 3);
        assertThat(read(0x14, 1)).isEqualTo(3);
        for (int[] wrong : new int[][] {{0x4000, 4}, {-4, 4}, {0x2001, 4}, {0x2000, 8}}) {
            configure(window + 8, 4, wrong[0]);
            configure(window + 12, 4, wrong[1]);
            configure(window + 16, 4, -1);
            int ignored = configured(window + 16, 4);
        }
        assertThat(read(0x14, 1)).isEqualTo(3);
    }

    @Test
    void interruptLineIsHighUntilTheStatusIsRead_withoutMessages() {
        start();
        assertThat(request()).isTrue();
        assertThat(lines[PciBus.interruptLine(1, 1)]).isTrue();
        assertThat(read(0x1000, 1)).isEqualTo(1);
        assertThat(lines[PciBus.interruptLine(1, 1)]).isFalse();
        device.signals.configurationChanged();
        assertThat(read(0x1000, 1)).isEqualTo(2);
        assertThat(read(0x1000, 1)).isZero();
        assertThat(messages).isEmpty();
    }

    private void enableMessages() {
        for (int vector = 0; vector < 3; vector++) {
            mmio.write(VECTORS + 16 * vector, 8, 0xfee00000L);
            mmio.write(VECTORS + 16 * vector + 8, 8, 0x40 + vector);
        }
        configure(capabilities().get(0) + 2, 2, 0x8000);
    }

    @Test
    void eachQueueAndTheConfigurationHaveTheirVectors() {
        enableMessages();
        start();
        write(0x16, 2, 1);
        assertThat(read(0x1a, 2)).isEqualTo(NO_VECTOR);
        assertThat(request()).isTrue();
        assertThat(messages).isEmpty();
        write(0x1a, 2, 2);
        assertThat(read(0x1a, 2)).isEqualTo(2);
        write(0x10, 2, 0);
        assertThat(request()).isTrue();
        device.signals.configurationChanged();
        assertThat(messages).containsExactly(0x42, 0x40);
        assertThat(lines).containsOnly(false);
        write(0x1a, 2, 3);
        assertThat(read(0x1a, 2)).isEqualTo(NO_VECTOR);
        write(0x14, 1, 0);
        assertThat(read(0x10, 2)).isEqualTo(NO_VECTOR);
        assertThat(read(0x14, 1)).isZero();
    }

    @Test
    void functionResetResetsTheDevice() {
        start();
        assertThat(request()).isTrue();
        transport.function().reset();
        assertThat(device.setup).isNull();
        assertThat(lines).containsOnly(false);
        plugBack();
        assertThat(read(0x14, 1)).isZero();
    }

    private void plugBack() {
        configure(0x10, 4, (int) REGISTERS);
        configure(0x14, 4, (int) VECTORS);
        configure(0x04, 2, 6);
    }

    @Test
    void memoryIsLeftAlone_untilTheBusIsTheDevices() {
        configure(0x04, 2, 2);
        start();
        assertThat(request()).isFalse();
        assertThat(device.setup).isNull();
        assertThat(memory.read16(0x3002)).isZero();
        configure(0x04, 2, 6);
        assertThat(read(0x14, 1)).isEqualTo(15);
        assertThat(memory.read16(0x3002)).isEqualTo(1);
        assertThat(request()).isTrue();
    }

    @Test
    void aResetIsNeeded_whenTheBusIsTakenFromADeviceInUse() {
        start();
        assertThat(request()).isTrue();
        configure(0x04, 2, 2);
        assertThat(device.setup).isNull();
        assertThat(request()).isFalse();
        assertThat(read(0x14, 1) & 64).isEqualTo(64);
        configure(0x04, 2, 6);
        assertThat(request()).isFalse();
        memory.write16(0x3002, 0);
        offered = 0;
        start();
        assertThat(request()).isTrue();
    }

    @Test
    void registersAreNotReached_whileMemorySpaceIsOff() {
        start();
        configure(0x04, 2, 4);
        assertThat(read(0x14, 1)).isEqualTo(0xff);
        write(0x14, 1, 0);
        configure(0x04, 2, 6);
        assertThat(read(0x14, 1)).isEqualTo(15);
    }

    @Test
    void nothingIsStarted_whenABrokenDeviceGetsTheBus() {
        configure(0x04, 2, 2);
        start();
        transport.function().reset();
        plugBack();
        assertThat(device.setup).isNull();
        assertThat(read(0x14, 1)).isZero();
    }

    @Test
    void everythingGoesOn_whenSavedAndRestored() {
        enableMessages();
        start();
        write(0x1a, 2, 1);
        assertThat(request()).isTrue();
        var state = transport.save();
        var functionState = transport.function().save();
        transport.function().reset();
        transport.function().restore(functionState);
        transport.restore(state);
        messages.clear();
        assertThat(request()).isTrue();
        assertThat(messages).isEqualTo(Collections.singletonList(0x41));
        assertThat(read(0x20, 8)).isEqualTo(0x1000);
    }

    @Test
    void accessesOfTheWrongWidthChangeNothing() {
        write(0x14, 4, 3);
        write(0x16, 1, 1);
        write(0x00, 2, 1);
        assertThat(read(0x14, 1)).isZero();
        assertThat(read(0x16, 2)).isZero();
        for (int offset = 0; offset < 0x4000; offset++) {
            for (int size = 1; size <= 8; size *= 2) {
                if (offset + size <= 0x4000 && offset != 0x14) {
                    long ignored = read(offset, size);
                    write(offset, size, -1);
                }
            }
        }
        write(0x16, 2, 7);
        assertThat(read(0x18, 2)).isZero();
        assertThat(read(0x1a, 2)).isEqualTo(NO_VECTOR);
    }
}
