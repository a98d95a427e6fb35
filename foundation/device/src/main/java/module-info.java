/** Contracts between devices and the rest: buses, interrupt lines, clock, reset, snapshot state. */
module org.javisor.device {
    exports org.javisor.device;
}
