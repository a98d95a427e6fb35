/**
 * Networks for guests. A {@link org.javisor.network.Network} is what a network card's cable is
 * plugged into; the two ends of the cable are {@link org.javisor.network.LinkEnd}s and carry {@link
 * org.javisor.network.Frame}s, which may leave checksums and the cutting of long TCP segments to
 * the receiver. The cards themselves are elsewhere.
 *
 * <p>{@link org.javisor.network.UserNetwork} needs no rights and connects a guest through sockets
 * of this process: {@code GuestInput} takes frames apart, {@code TcpRelay} and {@code UdpRelay}
 * carry what is in them, {@code IpOutput} makes frames.
 */
package org.javisor.network;
