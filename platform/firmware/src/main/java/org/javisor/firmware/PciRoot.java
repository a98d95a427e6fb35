package org.javisor.firmware;

import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntBinaryOperator;

/**
 * The PCI Express host bridge in AML (ACPI 6.5, 6.1.1, 6.2.11 and 6.2.13; PCI Firmware
 * Specification 3.3, 4.1.2, 4.3 and 4.5): bus 0 with its windows and the wiring of its interrupts,
 * and the operating system's right to everything it can control.
 *
 * @param configurationBase guest-physical address of bus 0's memory-mapped configuration space
 * @param configurationSize bytes
 * @param low memory below 4 GiB for BARs
 * @param high memory above 4 GiB for BARs
 * @param wiring which of the interrupt lines a device's pin is on; INTA is pin 0
 * @param interrupts of each line: global system interrupts, level-triggered and shared
 * @param picInterrupts of each line: ISA interrupts, while the operating system uses the PIC
 */
public record PciRoot(
        long configurationBase,
        long configurationSize,
        Window low,
        Window high,
        IntBinaryOperator wiring,
        List<Integer> interrupts,
        List<Integer> picInterrupts)
        implements Consumer<AmlWriter> {

    private static final String HOST_BRIDGE_UUID = "33DB4D5B-1FF7-401C-9657-7441C03DD766";

    private static final int DEVICES = 32;
    private static final int PINS = 4;

    private static final int CONFIGURATION_PORTS = 0xcf8;
    private static final int CONFIGURATION_PORTS_SIZE = 8;

    /** Whether the operating system uses the I/O APICs, as it says by {@code _PIC}. */
    private static final String APIC_MODE = "\\PICM";

    /** Native hot plug, SHPC, PME, AER, capability structure, LTR, DPC: all that is defined. */
    private static final int GRANTED = 0x1ff;

    private static final int UNKNOWN_UUID = 1 << 2;
    private static final int UNKNOWN_REVISION = 1 << 3;
    private static final int CAPABILITIES_MASKED = 1 << 4;

    /**
     * @param size bytes
     */
    public record Window(long base, long size) {}

    public PciRoot {
        interrupts = List.copyOf(interrupts);
        picInterrupts = List.copyOf(picInterrupts);
    }

    AcpiConfig.PciConfigurationSpace configurationSpace() {
        return new AcpiConfig.PciConfigurationSpace(configurationBase, 0, 0);
    }

    /** What belongs to the root of the name space. */
    static void declareInterruptModel(AmlWriter root) {
        root.name(APIC_MODE, 0);
        root.method("\\_PIC", 1, body -> body.store(aml -> aml.argument(0), APIC_MODE));
    }

    @Override
    public void accept(AmlWriter scope) {
        scope.device("PCI0", this::hostBridge);
        // What the host bridge decodes itself must be named outside of it (4.1.2).
        scope.device(
                "PCIC",
                device ->
                        device.nameEisaId("_HID", "PNP0C02")
                                .name("_UID", "PCIC")
                                .name(
                                        "_CRS",
                                        new ResourceTemplate()
                                                .memory32(configurationBase, configurationSize)));
    }

    private void hostBridge(AmlWriter device) {
        device.nameEisaId("_HID", "PNP0A08")
                .nameEisaId("_CID", "PNP0A03")
                .name("_UID", 0)
                .name("_SEG", 0)
                .name("_BBN", 0)
                .name("_CCA", 1)
                .name("_CRS", resources());
        routes(device, "PRTA", interrupts);
        routes(device, "PRTP", picInterrupts);
        device.method(
                "_PRT",
                0,
                body ->
                        body.ifTrue(
                                        aml -> aml.path(APIC_MODE),
                                        then -> then.returnValue(aml -> aml.path("PRTA")))
                                .returnValue(aml -> aml.path("PRTP")));
        device.serializedMethod("_OSC", 4, PciRoot::negotiate);
    }

    private ResourceTemplate resources() {
        return new ResourceTemplate()
                .busNumbers(0, 1)
                .io(CONFIGURATION_PORTS, CONFIGURATION_PORTS_SIZE)
                .portWindow(0, CONFIGURATION_PORTS)
                .portWindow(
                        CONFIGURATION_PORTS + CONFIGURATION_PORTS_SIZE,
                        0x10000 - CONFIGURATION_PORTS - CONFIGURATION_PORTS_SIZE)
                .memoryWindow32(low.base, low.size)
                .memoryWindow64(high.base, high.size);
    }

    private void routes(AmlWriter device, String name, List<Integer> to) {
        device.name(name)
                .pack(
                        DEVICES * PINS,
                        routes -> {
                            for (int i = 0; i < DEVICES * PINS; i++) {
                                int slot = i / PINS;
                                int pin = i % PINS;
                                int interrupt = to.get(wiring.applyAsInt(slot, pin));
                                routes.pack(
                                        4,
                                        route ->
                                                route.integer((long) slot << 16 | 0xffff)
                                                        .integer(pin)
                                                        .integer(0)
                                                        .integer(interrupt));
                            }
                        });
    }

    /**
     * {@code _OSC (uuid, revision, count, capabilities)}: three doublewords, the first for errors,
     * the third for what the operating system asks to control.
     */
    private static void negotiate(AmlWriter body) {
        body.createDWordField(aml -> aml.argument(3), 0, "CDW1");
        body.ifTrue(
                aml -> aml.equal(a -> a.argument(0), a -> a.buffer(uuid(HOST_BRIDGE_UUID))),
                known -> {
                    known.createDWordField(aml -> aml.argument(3), 8, "CDW3");
                    known.and(aml -> aml.path("CDW3"), aml -> aml.integer(GRANTED), 0);
                    known.ifTrue(
                            aml -> aml.not(a -> a.equal(b -> b.argument(1), b -> b.integer(1))),
                            then -> then.setBits("CDW1", UNKNOWN_REVISION));
                    known.ifTrue(
                            aml -> aml.not(a -> a.equal(b -> b.path("CDW3"), b -> b.local(0))),
                            then -> then.setBits("CDW1", CAPABILITIES_MASKED));
                    known.store(aml -> aml.local(0), "CDW3");
                    known.returnValue(aml -> aml.argument(3));
                });
        body.setBits("CDW1", UNKNOWN_UUID);
        body.returnValue(aml -> aml.argument(3));
    }

    /** The first three groups little-endian, the others as written (ACPI 6.5, 19.6.142 ToUUID). */
    private static byte[] uuid(String text) {
        byte[] plain = HexFormat.of().parseHex(text.replace("-", ""));
        int[] order = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
        byte[] bytes = new byte[order.length];
        for (int i = 0; i < order.length; i++) {
            bytes[i] = plain[order[i]];
        }
        return bytes;
    }
}
