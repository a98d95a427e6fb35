/**
 * Virtio 1.2 ("Virtual I/O Device (VIRTIO) Version 1.2", OASIS): what all devices share. Each
 * device has a package of its own.
 *
 * <p>How a request travels, in the split layout of the queue:
 *
 * <ol>
 *   <li>The driver puts buffers into guest memory and describes each by a <em>descriptor</em>:
 *       address, length, whether the device may read or write it, and the next one.
 *   <li>It writes the number of the first descriptor into the <em>available ring</em> and then
 *       raises the ring's index.
 *   <li>Unless the device has said that it looks by itself, the driver <em>notifies</em>: a write
 *       to a register of the transport, which arrives as {@link
 *       org.javisor.virtio.VirtioDevice#notified}.
 *   <li>The device calls {@link org.javisor.virtio.Virtqueue#next}, which follows the descriptors
 *       into a {@link org.javisor.virtio.DescriptorChain}. What it finds is the guest's word and
 *       can change under its hands, so addresses are checked when they are used, never before.
 *   <li>The device reads the chain's readable part and fills its writable part, now or later.
 *   <li>{@link org.javisor.virtio.Virtqueue#addUsed} writes the first descriptor's number and the
 *       count of bytes written into the <em>used ring</em>.
 *   <li>{@link org.javisor.virtio.Virtqueue#flushUsed} raises that ring's index, which shows the
 *       driver everything added since, and interrupts unless the driver has said that it looks by
 *       itself.
 * </ol>
 *
 * <p>The packed layout has one ring for all three, and the same calls.
 *
 * <p>A device implements {@link org.javisor.virtio.VirtioDevice} and knows nothing of the transport
 * that shows it to the driver: {@link org.javisor.virtio.VirtioMmio} or PCI. A driver that breaks
 * the rules loses its device until it resets it (DEVICE_NEEDS_RESET, 2.1); nothing is thrown.
 */
package org.javisor.virtio;
