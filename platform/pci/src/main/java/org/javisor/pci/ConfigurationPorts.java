package org.javisor.pci;

import org.javisor.device.Device;
import org.javisor.device.DeviceState;
import org.javisor.device.PioDevice;

/**
 * Configuration mechanism 1 (PCI Local Bus Specification 3.0, 3.2.2.3.2): the address register at
 * CF8h, reached by accesses of four bytes only, and the data window at CFCh.
 *
 * <p>Narrower accesses to CF8h-CFBh are no configuration accesses but ordinary ones, which a PC
 * answers there with its reset control register: they go to another device.
 */
public final class ConfigurationPorts implements Device<ConfigurationPorts.State>, PioDevice {
    /** The snapshot: the address register. */
    public record State(int version, int address) implements DeviceState {}

    public static final int BASE = 0xcf8;
    public static final int SIZE = 8;

    private static final int DATA = 4;
    private static final int WRITABLE = 0x80ff_fffc;

    private final PciBus bus;
    private final PioDevice others;

    /** Enable, bus, device, function, register. */
    private volatile int address;

    /**
     * @param others takes accesses to CF8h-CFBh of fewer than four bytes; offsets count from CF8h
     */
    public ConfigurationPorts(PciBus bus, PioDevice others) {
        this.bus = bus;
        this.others = others;
    }

    @Override
    public int readPort(int offset, int size) {
        if (offset == 0 && size == 4) {
            return address;
        }
        if (offset + size <= DATA) {
            return others.readPort(offset, size);
        }
        int at = address;
        return offset >= DATA && reachesBus(at)
                ? bus.read(at >> 8 & 0xff, (at & 0xfc) + offset - DATA, size)
                : -1 >>> 32 - 8 * size;
    }

    @Override
    public void writePort(int offset, int size, int value) {
        int at = address;
        if (offset == 0 && size == 4) {
            address = value & WRITABLE;
        } else if (offset + size <= DATA) {
            others.writePort(offset, size, value);
        } else if (offset >= DATA && reachesBus(at)) {
            bus.write(at >> 8 & 0xff, (at & 0xfc) + offset - DATA, size, value);
        }
    }

    /** Enabled, and bus 0, the only one. */
    private static boolean reachesBus(int address) {
        return (address & 0x80ff_0000) == 0x8000_0000;
    }

    @Override
    public void reset() {
        address = 0;
    }

    @Override
    public State save() {
        return new State(1, address);
    }

    @Override
    public void restore(State state) {
        address = state.address() & WRITABLE;
    }
}
