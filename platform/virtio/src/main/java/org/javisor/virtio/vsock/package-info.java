/**
 * Sockets between a guest and its host without a network (virtio 1.2, section 5.10; vsock(7)): byte
 * streams by context ID and port. The host's ID is 2.
 *
 * <p>The host's side is a Java API, {@link org.javisor.virtio.vsock.VirtioVsock#connect} and {@link
 * org.javisor.virtio.vsock.VirtioVsock#listen}, and for other programs Unix sockets, {@link
 * org.javisor.virtio.vsock.VsockSockets}. Not offered: sequenced packets.
 *
 * <p>Flow control: each side says how much it can hold for a stream and how much of what came it
 * has passed on (buf_alloc and fwd_cnt); the other never has more under way.
 */
package org.javisor.virtio.vsock;
