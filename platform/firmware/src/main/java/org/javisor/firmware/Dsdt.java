package org.javisor.firmware;

import java.util.function.Consumer;

/** The machine's devices that no bus can find, in AML: the body of the DSDT. */
final class Dsdt {
    private Dsdt() {}

    static byte[] aml(AcpiConfig config) {
        AmlWriter aml = new AmlWriter();
        aml.namePackage("\\_S5", AcpiPorts.SLEEP_TYPE_S5, AcpiPorts.SLEEP_TYPE_S5, 0, 0);
        PciRoot.declareInterruptModel(aml);
        aml.scope(
                "\\_SB",
                scope -> {
                    for (int i = 0; i < config.processors(); i++) {
                        processor(scope, i);
                    }
                    board(scope);
                    if (config.keyboardController()) {
                        keyboardController(scope);
                    }
                    for (Consumer<AmlWriter> device : config.devices()) {
                        device.accept(scope);
                    }
                });
        return aml.bytes();
    }

    /** The unique ID is what ties it to its entry in the MADT. */
    private static void processor(AmlWriter scope, int index) {
        scope.device(
                "C%03X".formatted(index),
                device -> device.name("_HID", "ACPI0007").name("_UID", index));
    }

    private static void board(AmlWriter scope) {
        device(
                scope,
                "MBRD",
                "PNP0C02",
                new ResourceTemplate()
                        .io(0x80, 1)
                        .io(0x92, 1)
                        .io(AcpiPorts.PM1A_EVENT, 4)
                        .io(AcpiPorts.PM1A_CONTROL, 2)
                        .io(AcpiPorts.PM_TIMER, 4)
                        .io(AcpiPorts.GPE0, AcpiPorts.GPE0_LENGTH));
        device(
                scope,
                "PIC",
                "PNP0000",
                new ResourceTemplate().io(0x20, 2).io(0xa0, 2).io(0x4d0, 2));
        device(scope, "TIMR", "PNP0100", new ResourceTemplate().io(0x40, 4));
        device(scope, "SPKR", "PNP0800", new ResourceTemplate().io(0x61, 1));
        device(scope, "RTC", "PNP0B00", new ResourceTemplate().io(0x70, 2).irq(8));
        serialPort(scope, 1, 0x3f8, 4);
        serialPort(scope, 2, 0x2f8, 3);
    }

    private static void serialPort(AmlWriter scope, int number, int port, int irq) {
        scope.device(
                "COM" + number,
                device ->
                        device.nameEisaId("_HID", "PNP0501")
                                .name("_UID", number)
                                .name("_CRS", new ResourceTemplate().io(port, 8).irq(irq)));
    }

    private static void keyboardController(AmlWriter scope) {
        device(scope, "KBD", "PNP0303", new ResourceTemplate().io(0x60, 1).io(0x64, 1).irq(1));
        device(scope, "MOU", "PNP0F13", new ResourceTemplate().irq(12));
    }

    private static void device(
            AmlWriter scope, String name, String id, ResourceTemplate resources) {
        scope.device(name, device -> device.nameEisaId("_HID", id).name("_CRS", resources));
    }
}
