/**
 * The console device (virtio 1.2, section 5.3): a fast console, {@code hvc0} in Linux, and named
 * ports for programs, {@code /dev/virtio-ports/NAME} there.
 *
 * <p>Port 0 is the console. Offered: its size, and several ports. Not offered: emergency writes.
 */
package org.javisor.virtio.console;
