/**
 * MachineConfig to Machine: wiring and lifecycle; the entry point for programs that embed Javisor.
 */
module org.javisor.machine {
    requires transitive org.javisor.hypervisor;
    requires transitive org.javisor.interpreter;
    requires org.javisor.kvm;
    requires org.javisor.translator;
    requires transitive org.javisor.chipset;
    requires transitive org.javisor.firmware;
    requires transitive org.javisor.virtio;
    requires transitive org.javisor.pci;
    requires jdk.management;
    requires org.slf4j;

    exports org.javisor.machine;
}
