/**
 * A network card (virtio 1.2, 5.1): {@link org.javisor.virtio.net.VirtioNet}. Each pair of queues
 * has a {@code Transmitter} with a thread and a {@code Receiver} that the network's threads fill;
 * {@code ControlQueue} carries out commands.
 *
 * <p>Not offered: UDP fragmentation and segmentation offload, receive hashes, the guest's
 * announcement of itself, notification coalescing, standby.
 */
package org.javisor.virtio.net;
