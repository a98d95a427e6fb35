/**
 * The chips of a PC: interrupt controllers, timers, clock, serial port, keyboard controller, ACPI
 * power.
 */
module org.javisor.chipset {
    requires transitive org.javisor.device;

    exports org.javisor.chipset;
}
