/**
 * What a PC's firmware and boot loader leave behind when the kernel starts, produced without
 * running any.
 *
 * <p>{@link org.javisor.firmware.KernelImage#detect(byte[])} recognises a kernel; {@link
 * org.javisor.firmware.Firmware#install} puts it into guest memory with its command line, its
 * initrd, the memory map and the ACPI and SMBIOS tables, and sets up the boot processor. Sources:
 * Linux's Documentation/arch/x86/boot.rst, Xen's PVH start info, ACPI 6.5, SMBIOS 2.8.
 *
 * <p>There is no BIOS: no interrupt services, no real-mode code, no option ROMs. A guest that
 * resets is loaded again.
 */
package org.javisor.firmware;
