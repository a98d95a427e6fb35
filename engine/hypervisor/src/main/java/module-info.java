/** The engine contract: Hypervisor, Vm, Vcpu, exits, processor state, CPUID. */
module org.javisor.hypervisor {
    requires transitive org.javisor.memory;
    requires transitive org.javisor.device;

    exports org.javisor.hypervisor;
}
