/**
 * PCI Express as a root complex with integrated endpoints on bus 0 (PCI Express Base Specification
 * 5.0; PCI Local Bus Specification 3.0 for the conventional registers).
 *
 * <p>A device is a {@link org.javisor.pci.PciFunction}: identity, BARs that lead to its registers,
 * capabilities, interrupts. A {@link org.javisor.pci.PciBus} holds the functions; guests reach
 * their configuration spaces through {@link org.javisor.pci.Ecam} and {@link
 * org.javisor.pci.ConfigurationPorts}, and their BARs wherever they put them, on the machine's
 * memory and port buses.
 *
 * <p>Where two claim the same address: RAM wins over everything on the memory bus, then the
 * processor's local APIC, then the chips at fixed addresses (I/O APIC, ECAM, ISA ports), then the
 * BAR of the function with the lowest device and function number, there the lowest BAR. A BAR that
 * meets a chip or a stronger BAR anywhere in its range does not answer at all until one of them has
 * gone; one that meets RAM or a local APIC answers outside of those. What a guest programs decides
 * this alone, not the order in which it did, so that a restored machine behaves the same. A BAR
 * with address 0, or an I/O BAR above port FFFFh, answers nowhere.
 *
 * <p>Locks, from the outside in: a function's configuration space, the device behind it, the
 * function's interrupt state and the buses. Devices may therefore raise interrupts and ask {@link
 * org.javisor.pci.PciFunction#busMaster()} with their own lock held, but not access configuration
 * space.
 *
 * <p>Not modelled: bridges and root ports (hence buses other than 0), extended capabilities, AER,
 * power management, expansion ROMs, cycle-accurate errors (master aborts are silent).
 */
package org.javisor.pci;
