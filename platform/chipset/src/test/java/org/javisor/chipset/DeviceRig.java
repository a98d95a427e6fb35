package org.javisor.chipset;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.javisor.device.Device;
import org.javisor.device.DeviceState;
import org.javisor.device.InterruptLine;
import org.javisor.device.IoApicState;
import org.javisor.device.LocalApicState;
import org.javisor.device.MmioDevice;
import org.javisor.device.PicPairState;
import org.javisor.device.PioDevice;
import org.javisor.device.PitState;

/**
 * A device with everything a guest and its neighbours can do to it, so that one test can torment
 * them all.
 */
final class DeviceRig<S extends DeviceState> {
    interface Operation {
        /** Returns what the guest sees. */
        long apply(RandomGenerator random);
    }

    final Device<S> device;
    private final List<Operation> operations = new ArrayList<>();
    private final List<Supplier<Object>> outputs = new ArrayList<>();

    private DeviceRig(Device<S> device) {
        this.device = device;
    }

    private DeviceRig<S> ports(PioDevice ports, int count) {
        operations.add(
                random -> {
                    int size = 1 << random.nextInt(3);
                    int offset = random.nextInt(count);
                    return ports.readPort(offset, size) & 0xffffffffL;
                });
        operations.add(
                random -> {
                    int size = random.nextInt(4) == 0 ? 1 << random.nextInt(3) : 1;
                    ports.writePort(random.nextInt(count), size, value(random));
                    return 0;
                });
        return this;
    }

    private DeviceRig<S> mmio(MmioDevice registers, int stride, int count) {
        operations.add(
                random -> {
                    long offset = (long) random.nextInt(count) * stride + odd(random);
                    return registers.readMmio(offset, 1 << random.nextInt(4));
                });
        operations.add(
                random -> {
                    long offset = (long) random.nextInt(count) * stride + odd(random);
                    registers.writeMmio(offset, 1 << random.nextInt(4), value(random));
                    return 0;
                });
        return this;
    }

    private DeviceRig<S> also(Operation operation) {
        operations.add(operation);
        return this;
    }

    private DeviceRig<S> line(FakeLine line) {
        outputs.add(() -> line.high);
        return this;
    }

    private static int odd(RandomGenerator random) {
        return random.nextInt(16) == 0 ? random.nextInt(16) : 0;
    }

    /** Mostly what a guest would write: few bits, small numbers, all ones. */
    private static int value(RandomGenerator random) {
        return switch (random.nextInt(5)) {
            case 0 -> random.nextInt(256);
            case 1 -> 1 << random.nextInt(32);
            case 2 -> ~(1 << random.nextInt(32));
            case 3 -> 0;
            default -> random.nextInt();
        };
    }

    long step(RandomGenerator random) {
        return operations.get(random.nextInt(operations.size())).apply(random);
    }

    List<Object> outputs() {
        return outputs.stream().map(Supplier::get).toList();
    }

    void copyFrom(DeviceRig<S> other) {
        device.restore(other.device.save());
    }

    static DeviceRig<PicPairState> pics() {
        FakeLine intr = new FakeLine();
        PicPair pics = new PicPair(intr);
        return new DeviceRig<>(pics)
                .ports(pics.master(), 2)
                .ports(pics.slave(), 2)
                .ports(pics.edgeLevel(), 2)
                .also(
                        random -> {
                            pics.input(random.nextInt(16)).drive(random.nextBoolean());
                            return 0;
                        })
                .also(random -> pics.acknowledge())
                .line(intr);
    }

    static DeviceRig<PitState> pit(FakeClock clock) {
        FakeLine irq = new FakeLine();
        Pit8254 pit = new Pit8254(clock, irq);
        return new DeviceRig<>(pit)
                .ports(pit, 4)
                .also(
                        random -> {
                            pit.setGate2(random.nextBoolean());
                            return 0;
                        })
                .also(random -> pit.out2() ? 1 : 0)
                .line(irq);
    }

    static DeviceRig<SystemControlPortB.State> portB(FakeClock clock) {
        SystemControlPortB port =
                new SystemControlPortB(new Pit8254(clock, InterruptLine.UNCONNECTED), clock);
        return new DeviceRig<>(port).ports(port, 1);
    }

    static DeviceRig<SystemControlPortA.State> portA() {
        SystemControlPortA port = new SystemControlPortA(() -> {});
        return new DeviceRig<>(port).ports(port, 1);
    }

    static DeviceRig<ResetControl.State> resetControl() {
        ResetControl control = new ResetControl(() -> {});
        return new DeviceRig<>(control).ports(control, 4);
    }

    static DeviceRig<IoApicState> ioApic() {
        long[] messages = new long[1];
        IoApic ioApic =
                new IoApic(
                        (destination, logical, mode, vector, level) ->
                                messages[0] =
                                        messages[0] * 31
                                                + (destination << 16 | mode << 8 | vector));
        return new DeviceRig<>(ioApic)
                .mmio(ioApic, 16, 16)
                .also(
                        random -> {
                            messages[0] = 0;
                            ioApic.writeMmio(0, 4, 0x10 + random.nextInt(48));
                            ioApic.writeMmio(
                                    0x10, 4, random.nextInt() & ~(random.nextInt(2) << 16));
                            return messages[0];
                        })
                .also(
                        random -> {
                            messages[0] = 0;
                            ioApic.input(random.nextInt(24)).drive(random.nextBoolean());
                            return messages[0];
                        })
                .also(
                        random -> {
                            messages[0] = 0;
                            ioApic.endOfInterrupt(random.nextInt(256));
                            return messages[0];
                        });
    }

    static DeviceRig<LocalApicState> localApic(FakeClock clock) {
        ApicBus bus = new ApicBus();
        FakePins pins = new FakePins();
        LocalApic apic = new LocalApic(bus, 0, pins, clock, clock::nanos);
        MmioDevice page =
                new MmioDevice() {
                    @Override
                    public long readMmio(long offset, int size) {
                        return apic.readMmio((int) offset, size);
                    }

                    @Override
                    public void writeMmio(long offset, int size, long value) {
                        apic.writeMmio((int) offset, size, value);
                    }
                };
        return new DeviceRig<>(apic)
                .mmio(page, 16, 64)
                .mmio(page, 16, 256)
                .also(
                        random -> {
                            apic.writeMmio(0xf0, 4, 0x1ff);
                            return 0;
                        })
                .also(
                        random -> {
                            int index = 0x800 + random.nextInt(0x40);
                            return apic.canReadMsr(index) ? apic.readMsr(index) : -1;
                        })
                .also(
                        random -> {
                            int index =
                                    switch (random.nextInt(8)) {
                                        case 0 -> 0x1b;
                                        case 1 -> 0x6e0;
                                        default -> 0x800 + random.nextInt(0x100);
                                    };
                            return apic.writeMsr(index, value(random)) ? 1 : 0;
                        })
                .also(
                        random -> {
                            long mode = random.nextInt(4) * 0x400L;
                            return apic.writeMsr(0x1b, 0xfee00000L | mode) ? 1 : 0;
                        })
                .also(
                        random -> {
                            bus.deliver(
                                    random.nextInt(3) == 0 ? 0xff : 0,
                                    random.nextInt(4) == 0,
                                    random.nextInt(8),
                                    random.nextInt(256),
                                    random.nextBoolean());
                            return 0;
                        })
                .also(random -> apic.interruptPending() ? 1 : 0)
                .also(random -> apic.acknowledge())
                .also(
                        random -> {
                            apic.setCr8(random.nextLong());
                            return apic.cr8();
                        });
    }

    static DeviceRig<RtcState> rtc(FakeClock clock) {
        FakeLine irq = new FakeLine();
        Rtc146818 rtc = new Rtc146818(clock, irq);
        return new DeviceRig<>(rtc)
                .ports(rtc, 2)
                .also(
                        random -> {
                            rtc.writePort(0, 1, random.nextInt(16));
                            return 0;
                        })
                .line(irq);
    }

    static DeviceRig<SerialState> serial() {
        FakeLine irq = new FakeLine();
        Serial16550 uart = new Serial16550(irq, SerialBackend.NONE);
        byte[] input = new byte[64];
        return new DeviceRig<>(uart)
                .ports(uart, 8)
                .also(random -> uart.receive(input, 0, random.nextInt(input.length)))
                .also(random -> uart.receiveBreak() ? 1 : 0)
                .line(irq);
    }

    static DeviceRig<KeyboardController8042.State> keyboardController() {
        FakeLine keyboard = new FakeLine();
        FakeLine mouse = new FakeLine();
        KeyboardController8042 controller = new KeyboardController8042(keyboard, mouse, () -> {});
        return new DeviceRig<>(controller)
                .ports(controller.data(), 1)
                .ports(controller.command(), 1)
                .line(keyboard)
                .line(mouse);
    }

    static DeviceRig<AcpiPmState> acpiPm(FakeClock clock) {
        FakeLine sci = new FakeLine();
        AcpiPm pm = new AcpiPm(clock, sci, () -> {});
        return new DeviceRig<>(pm)
                .ports(pm, PcPorts.PM_SIZE)
                .also(
                        random -> {
                            pm.pressPowerButton();
                            pm.raiseGpe(random.nextInt(16));
                            return 0;
                        })
                .line(sci);
    }
}
