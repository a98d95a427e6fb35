package org.javisor.pci;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.javisor.device.InterruptLine;
import org.javisor.device.MmioBus;
import org.javisor.device.MmioDevice;
import org.javisor.device.PioBus;
import org.javisor.device.PioDevice;

/** A PCI bus with everything around it, recording what comes out. */
final class TestBoard {
    static final long ECAM = 0xe000_0000L;

    final MmioBus memory = new MmioBus();
    final PioBus ports = new PioBus();
    final List<String> messages = new ArrayList<>();
    final boolean[] lines = new boolean[4];
    final Registers others = new Registers("others");
    final PciBus bus =
            new PciBus(
                    memory,
                    ports,
                    (address, data) -> messages.add("%x=%x".formatted(address, data)),
                    IntStream.range(0, 4)
                            .<InterruptLine>mapToObj(line -> level -> lines[line] = level)
                            .toList());
    final ConfigurationPorts configuration = new ConfigurationPorts(bus, others);

    TestBoard() {
        memory.attach("ecam", ECAM, Ecam.SIZE, new Ecam(bus));
        ports.attach("pci-config", ConfigurationPorts.BASE, ConfigurationPorts.SIZE, configuration);
    }

    /** Registers that answer with the low byte of their offset plus a constant. */
    static final class Registers implements MmioDevice, PioDevice {
        final String name;
        final List<String> writes = new ArrayList<>();

        Registers(String name) {
            this.name = name;
        }

        @Override
        public long readMmio(long offset, int size) {
            return (name.charAt(0) + offset) & 0xff;
        }

        @Override
        public void writeMmio(long offset, int size, long value) {
            writes.add("%x.%d=%x".formatted(offset, size, value));
        }

        @Override
        public int readPort(int offset, int size) {
            return name.charAt(0) + offset & 0xff;
        }

        @Override
        public void writePort(int offset, int size, int value) {
            writeMmio(offset, size, value);
        }
    }

    int read(int device, int offset, int size) {
        return (int) memory.read(ECAM + (device << 15) + offset, size);
    }

    void write(int device, int offset, int size, int value) {
        memory.write(ECAM + (device << 15) + offset, size, value);
    }

    /** Where the capability with that ID begins; 0 if the function has none. */
    int capability(int device, int id) {
        int at = read(device, 0x34, 1);
        while (at != 0 && read(device, at, 1) != id) {
            at = read(device, at + 1, 1);
        }
        return at;
    }
}
