package org.javisor.network;

import java.net.Inet4Address;
import java.net.InetAddress;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What a user-mode network is made of. Its addresses are fixed: 10.0.2.0/24 with the host at .2,
 * the name server at .3 and guests from .15 on; fec0::/64 likewise.
 *
 * @param restrict whether the guest is cut off from everything but forwarded ports
 * @param mtu bytes of an IP packet, 576 to 65521
 * @param hostName the name that DHCP offers, if any
 * @param forwards ports of the host that lead into the guest
 * @param hosts names that are known without asking anybody; {@code /etc/hosts}
 * @param resolver who is asked for the others; {@code /etc/resolv.conf}
 */
public record UserNetworkConfig(
        boolean restrict,
        int mtu,
        Optional<String> hostName,
        List<PortForward> forwards,
        Path hosts,
        Path resolver) {
    static final IpAddress GATEWAY = IpAddress.v4(10, 0, 2, 2);
    static final IpAddress NAME_SERVER = IpAddress.v4(10, 0, 2, 3);
    static final IpAddress FIRST_GUEST = IpAddress.v4(10, 0, 2, 15);
    static final int NETMASK = 0xffffff00;
    static final int NETWORK = 10 << 24 | 2 << 8;
    static final long NETWORK6 = 0xfec0L << 48;
    static final IpAddress GATEWAY6 = new IpAddress(NETWORK6, 2);
    static final IpAddress NAME_SERVER6 = new IpAddress(NETWORK6, 3);
    static final IpAddress LINK_LOCAL = new IpAddress(0xfe80L << 48, 2);

    /** The router's Ethernet address: locally administered, with its IPv4 address in it. */
    static final MacAddress MAC = new MacAddress(0x52_55_0a_00_02_02L);

    private static final int MINIMUM_MTU = 576;
    private static final int MAXIMUM_MTU = 65521;

    /** Ethernet's own. */
    public static final int DEFAULT_MTU = 1500;

    /** Everything allowed, nothing forwarded, and this host's own names. */
    public static final UserNetworkConfig DEFAULT =
            new UserNetworkConfig(
                    false,
                    DEFAULT_MTU,
                    Optional.empty(),
                    List.of(),
                    Path.of("/etc/hosts"),
                    Path.of("/etc/resolv.conf"));

    /**
     * @throws NetworkException BAD_OPTION for an impossible MTU
     */
    public UserNetworkConfig {
        if (mtu < MINIMUM_MTU || mtu > MAXIMUM_MTU) {
            throw NetworkException.badOption(
                    "An MTU is %d to %d bytes, not %d", MINIMUM_MTU, MAXIMUM_MTU, mtu);
        }
        forwards = List.copyOf(forwards);
    }

    /** The address that the first guest gets. */
    public static Inet4Address guestAddress() {
        return (Inet4Address) FIRST_GUEST.toInet();
    }

    /** The address under which the guest finds the host. */
    public static Inet4Address hostAddress() {
        return (Inet4Address) GATEWAY.toInet();
    }

    public UserNetworkConfig withForwards(List<PortForward> more) {
        return new UserNetworkConfig(restrict, mtu, hostName, more, hosts, resolver);
    }

    public UserNetworkConfig withRestrict(boolean cutOff) {
        return new UserNetworkConfig(cutOff, mtu, hostName, forwards, hosts, resolver);
    }

    public UserNetworkConfig withMtu(int bytes) {
        return new UserNetworkConfig(restrict, bytes, hostName, forwards, hosts, resolver);
    }

    public UserNetworkConfig withHostName(String name) {
        return new UserNetworkConfig(restrict, mtu, Optional.of(name), forwards, hosts, resolver);
    }

    public UserNetworkConfig withNames(Path hostsFile, Path resolverFile) {
        return new UserNetworkConfig(restrict, mtu, hostName, forwards, hostsFile, resolverFile);
    }

    static boolean isLocal(IpAddress address) {
        return address.isV4()
                ? (address.v4() & NETMASK) == NETWORK
                : address.high() == NETWORK6 || address.high() == LINK_LOCAL.high();
    }

    /** The network's own address that stands for the host itself. */
    static boolean isGateway(IpAddress address) {
        return address.equals(GATEWAY) || address.equals(GATEWAY6) || address.equals(LINK_LOCAL);
    }

    static boolean isNameServer(IpAddress address) {
        return address.equals(NAME_SERVER) || address.equals(NAME_SERVER6);
    }

    /** Whether packets for that address have anywhere to go. */
    static boolean mayReach(IpAddress address) {
        if (isGateway(address) || isNameServer(address)) {
            return true;
        }
        if (isLocal(address)) {
            return false;
        }
        if (address.isV4()) {
            int first = address.v4() >>> 24;
            return first != 0 && first != 127 && first < 224;
        }
        return address.high() != 0 && address.high() >>> 56 != 0xff;
    }

    /** Where that address is as the host sees it. */
    static InetAddress onHost(IpAddress address) {
        if (!isGateway(address)) {
            return address.toInet();
        }
        return address.isV4() ? IpAddress.v4(127, 0, 0, 1).toInet() : new IpAddress(0, 1).toInet();
    }
}
