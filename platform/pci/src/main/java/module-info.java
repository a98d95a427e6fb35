/** PCI Express: host bridge, configuration space, BARs, capabilities, INTx, MSI and MSI-X. */
module org.javisor.pci {
    requires transitive org.javisor.device;

    exports org.javisor.pci;
}
