/**
 * The chips of a PC. Each is one file (with its snapshot record beside it), answers registers as
 * its data sheet says and knows neither its address nor the machine; {@link
 * org.javisor.chipset.PcPorts} has the addresses a PC has them at.
 *
 * <p>Interrupts flow one way: a device drives the {@link org.javisor.device.InterruptLine} that
 * {@link org.javisor.chipset.IsaInterrupts} gave it; the line forks to {@link
 * org.javisor.chipset.PicPair} and {@link org.javisor.chipset.IoApic}; these reach the processors
 * through {@link org.javisor.chipset.ApicBus}, which hands messages to each {@link
 * org.javisor.chipset.LocalApic}.
 *
 * <p>Locks: every device has one lock, and may hold it while it drives a line. The interrupt
 * controllers' locks come after all devices' locks, the local APICs take interrupts in without any
 * lock, and so nothing can wait in a circle. The way back (end of interrupt, interrupt acknowledge)
 * starts on a processor's thread that holds no lock.
 */
package org.javisor.chipset;
