package org.javisor.chipset;

/**
 * Where a PC's chips answer and which ISA interrupts they have: the facts that the wiring of the
 * machine and the firmware's ACPI tables must agree on.
 */
public final class PcPorts {
    public static final int PIC_MASTER = 0x20;
    public static final int PIC_SLAVE = 0xa0;
    public static final int PIC_EDGE_LEVEL = 0x4d0;

    /** Two ports each. */
    public static final int PIC_SIZE = 2;

    public static final int PIT = 0x40;
    public static final int PIT_SIZE = 4;
    public static final int PIT_IRQ = 0;

    public static final int I8042_DATA = 0x60;
    public static final int I8042_COMMAND = 0x64;
    public static final int KEYBOARD_IRQ = 1;
    public static final int MOUSE_IRQ = 12;

    public static final int SYSTEM_CONTROL_B = 0x61;
    public static final int SYSTEM_CONTROL_A = 0x92;

    public static final int RTC = 0x70;
    public static final int RTC_SIZE = 2;
    public static final int RTC_IRQ = 8;

    public static final int COM1 = 0x3f8;
    public static final int COM1_IRQ = 4;
    public static final int COM2 = 0x2f8;
    public static final int COM2_IRQ = 3;
    public static final int SERIAL_SIZE = 8;

    /**
     * {@link AcpiPm}'s whole range: event block, control block, timer and GPE block at fixed
     * offsets from here.
     */
    public static final int PM_BASE = 0x600;

    public static final int PM_SIZE = 0x24;

    public static final int PM1A_EVENT = PM_BASE + AcpiPm.EVENT_OFFSET;
    public static final int PM1A_EVENT_LENGTH = 4;
    public static final int PM1A_CONTROL = PM_BASE + AcpiPm.CONTROL_OFFSET;
    public static final int PM1A_CONTROL_LENGTH = 2;
    public static final int PM_TIMER = PM_BASE + AcpiPm.TIMER_OFFSET;
    public static final int PM_TIMER_LENGTH = 4;
    public static final int GPE0 = PM_BASE + AcpiPm.GPE0_OFFSET;
    public static final int GPE0_LENGTH = 4;

    /**
     * ISA number, I/O APIC input and ACPI global number of the system control interrupt; level,
     * active high.
     */
    public static final int SCI_IRQ = 9;

    /** SLP_TYP of the soft-off state. */
    public static final int S5_SLEEP_TYPE = 5;

    /** The reset control register, also ACPI's RESET_REG. */
    public static final int RESET_CONTROL = 0xcf9;

    /** Where {@link ResetControl}'s offsets count from. */
    public static final int RESET_CONTROL_BASE = 0xcf8;

    public static final int RESET_VALUE = 6;

    /** I/O APIC inputs of the PCI bus's four interrupt lines: this and the next three. */
    public static final int PCI_IO_APIC_INPUT = 16;

    /** ISA interrupts of the same lines, for guests that use the PIC: these two in turn. */
    public static final int PCI_IRQ_EVEN = 10;

    public static final int PCI_IRQ_ODD = 11;

    public static final long IO_APIC = 0xfec00000L;
    public static final int IO_APIC_SIZE = 0x1000;

    /** I/O APIC input of the PIT: ISA interrupt 0 is wired to input 2, as MADT's override says. */
    public static final int IO_APIC_PIT_INPUT = 2;

    public static final long LOCAL_APIC = 0xfee00000L;

    private PcPorts() {}
}
