package org.javisor.network;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A port of the host that leads into the guest.
 *
 * @param bind the host's address that is listened on
 * @param hostPort 1 to 65535, or 0 for any that is free
 * @param guestPort 1 to 65535
 */
public record PortForward(Protocol protocol, InetAddress bind, int hostPort, int guestPort) {
    /** What is forwarded. */
    public enum Protocol {
        TCP,
        UDP;

        @Override
        public String toString() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    private static final Pattern FORM =
            Pattern.compile(
                    "(?:(\\[[0-9a-fA-F:.%]+]|[^:\\[\\]/]*):)?(\\d{1,5}):(\\d{1,5})(?:/(tcp|udp))?");
    private static final Pattern NUMERIC = Pattern.compile("[0-9.]+|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*");
    private static final int MAXIMUM_PORT = 65535;

    /**
     * @throws NetworkException BAD_OPTION for an impossible port
     */
    public PortForward {
        if (hostPort < 0 || hostPort > MAXIMUM_PORT) {
            throw NetworkException.badOption(
                    "A host port is 1 to 65535, or 0 for any that is free, not %d", hostPort);
        }
        if (guestPort < 1 || guestPort > MAXIMUM_PORT) {
            throw NetworkException.badOption("A guest port is 1 to 65535, not %d", guestPort);
        }
    }

    /**
     * Reads {@code [ADDRESS:]HOSTPORT:GUESTPORT[/tcp|/udp]}. Without an address it is the loopback
     * interface; {@code *} or an empty one stands for all interfaces.
     *
     * @throws NetworkException BAD_OPTION if it is not that
     */
    public static PortForward parse(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw NetworkException.badOption(
                    "'%s' is not a port to forward: [ADDRESS:]HOSTPORT:GUESTPORT[/udp]",
                    NetSpec.printable(text));
        }
        Protocol protocol = "udp".equals(matcher.group(4)) ? Protocol.UDP : Protocol.TCP;
        return new PortForward(
                protocol,
                address(matcher.group(1)),
                Integer.parseInt(matcher.group(2)),
                Integer.parseInt(matcher.group(3)));
    }

    private static InetAddress address(String text) {
        try {
            if (text == null || text.equals("localhost")) {
                return InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
            }
            if (text.isEmpty() || text.equals("*")) {
                return InetAddress.getByAddress(new byte[4]);
            }
            String plain = text.startsWith("[") ? text.substring(1, text.length() - 1) : text;
            // Only numbers: a name would be looked up, which can take long and mean anything.
            if (NUMERIC.matcher(plain).matches()) {
                return InetAddress.ofLiteral(plain);
            }
        } catch (UnknownHostException | IllegalArgumentException e) {
            // told below
        }
        throw NetworkException.badOption(
                "'%s' is not a numeric address to listen on", NetSpec.printable(text));
    }

    /** The same with the host port that was picked. */
    PortForward on(int port) {
        return new PortForward(protocol, bind, port, guestPort);
    }

    @Override
    public String toString() {
        String address = bind.getHostAddress();
        String host = address.contains(":") ? "[" + address + "]" : address;
        return "%s:%d:%d/%s".formatted(host, hostPort, guestPort, protocol);
    }
}
