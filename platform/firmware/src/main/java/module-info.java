/** What a PC's firmware leaves behind: boot protocols, kernel loaders, ACPI tables. */
module org.javisor.firmware {
    requires transitive org.javisor.memory;
    requires transitive org.javisor.hypervisor;

    exports org.javisor.firmware;
}
