package org.javisor.firmware;

/**
 * The I/O ports of the fixed ACPI hardware (ACPI 6.5, section 4.8): the tables name them, the
 * chipset answers them.
 */
public final class AcpiPorts {
    /** PM1a event block: 2 bytes of status, 2 of enable. */
    public static final int PM1A_EVENT = 0x600;

    /** PM1a control: 2 bytes. */
    public static final int PM1A_CONTROL = 0x604;

    /** Power management timer: 4 bytes, counting at 3.579545 MHz. */
    public static final int PM_TIMER = 0x608;

    /** General-purpose event block 0: 2 bytes of status, 2 of enable. */
    public static final int GPE0 = 0x620;

    public static final int GPE0_LENGTH = 4;

    /** Reset control: {@link #RESET_VALUE} written here resets the machine. */
    public static final int RESET = 0xcf9;

    public static final int RESET_VALUE = 6;

    /**
     * SLP_TYPa of soft off, written to bits 10-12 of PM1a control together with SLP_EN (bit 13).
     */
    public static final int SLEEP_TYPE_S5 = 5;

    /** The interrupt of all of it: level-triggered, active high. */
    public static final int SCI_IRQ = 9;

    private AcpiPorts() {}
}
