package org.javisor.network;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One network device, as {@code --net} describes it.
 *
 * @param mac the card's address; one is made up otherwise
 * @param mtu bytes of an IP packet that the card tells its driver, 0 for none
 * @param queues pairs of queues, 1 to {@link #MAXIMUM_QUEUES}
 * @param capture where to write what passes, as pcap
 * @param rate the most bytes in a second in each direction, 0 for no limit
 */
public record NetSpec(
        Backend backend,
        Optional<MacAddress> mac,
        int mtu,
        int queues,
        Optional<Path> capture,
        long rate) {
    public static final int MAXIMUM_QUEUES = 8;

    /** What the card is plugged into. */
    public sealed interface Backend {}

    /** The user-mode network. */
    public record User(boolean restrict, List<PortForward> forwards) implements Backend {}

    /** A TAP interface of the host's. */
    public record Tap(String name) implements Backend {}

    /** A switch of that name. */
    public record Switched(String name, boolean isolated) implements Backend {}

    /** Nothing: the machine gets no card. */
    public record None() implements Backend {}

    private static final int MINIMUM_MTU = 576;
    private static final int MAXIMUM_MTU = 65521;
    private static final Pattern RATE = Pattern.compile("(\\d{1,12})([KMG]?)(?:i?B)?(?:/s)?");

    /** What a switch may be called, so that it can be a file's name. */
    private static final Pattern SWITCH_NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,31}");

    /** Linux: IFNAMSIZ with its final zero, no '/' and no space. */
    private static final Pattern INTERFACE_NAME = Pattern.compile("[A-Za-z0-9._-]{1,15}");

    /** The user-mode network as it is without any option. */
    public static final NetSpec USER =
            new NetSpec(new User(false, List.of()), Optional.empty(), 0, 1, Optional.empty(), 0);

    /**
     * @throws NetworkException BAD_OPTION for impossible figures
     */
    public NetSpec {
        if (mtu != 0 && (mtu < MINIMUM_MTU || mtu > MAXIMUM_MTU)) {
            throw NetworkException.badOption(
                    "An MTU is %d to %d bytes, not %d", MINIMUM_MTU, MAXIMUM_MTU, mtu);
        }
        if (queues < 1 || queues > MAXIMUM_QUEUES) {
            throw NetworkException.badOption(
                    "A network device has 1 to %d pairs of queues, not %d", MAXIMUM_QUEUES, queues);
        }
        if (mac.isPresent() && (mac.get().isGroup() || mac.get().value() == 0)) {
            throw NetworkException.badOption(
                    "%s cannot be one card's address: it names several, or nobody", mac.get());
        }
    }

    /**
     * Reads {@code KIND[,OPTION…]}: {@code user}, {@code tap=NAME}, {@code switch=NAME} or {@code
     * none}, and what docs/network.md lists.
     *
     * @throws NetworkException BAD_OPTION with one line on what is wrong
     */
    public static NetSpec parse(String text) {
        List<String> words = Arrays.asList(text.split(",", -1));
        Reader reader = new Reader(words.getFirst());
        words.subList(1, words.size()).forEach(reader::option);
        return reader.result();
    }

    /** With more ports forwarded; only for {@link User}. */
    public NetSpec withForwards(List<PortForward> more) {
        if (!(backend instanceof User user)) {
            throw NetworkException.badOption(
                    "Only a user-mode network forwards ports; -p needs --net user");
        }
        List<PortForward> all = new ArrayList<>(user.forwards());
        all.addAll(more);
        return new NetSpec(new User(user.restrict(), all), mac, mtu, queues, capture, rate);
    }

    /** What is left of a user's text when a terminal must not be confused by it. */
    static String printable(String text) {
        String plain = text.replaceAll("\\p{Cntrl}", "?");
        return plain.length() > 80 ? plain.substring(0, 80) + "…" : plain;
    }

    private static final class Reader {
        private final String kind;
        private final String name;
        private final List<PortForward> forwards = new ArrayList<>();
        private boolean restrict;
        private boolean isolated;
        private Optional<MacAddress> mac = Optional.empty();
        private int mtu;
        private int queues = 1;
        private Optional<Path> capture = Optional.empty();
        private long rate;

        Reader(String first) {
            int equals = first.indexOf('=');
            kind = equals < 0 ? first : first.substring(0, equals);
            name = equals < 0 ? "" : first.substring(equals + 1);
            switch (kind) {
                case "user", "none" -> refuse(equals >= 0, "--net %s takes no name", kind);
                case "tap" ->
                        refuse(
                                !INTERFACE_NAME.matcher(name).matches(),
                                "--net tap=NAME needs an interface's name, not '%s'",
                                printable(name));
                case "switch" -> checkSwitchName(name);
                default ->
                        throw NetworkException.badOption(
                                "'%s' is not a network: user, tap=NAME, switch=NAME or none",
                                printable(first));
            }
        }

        void option(String word) {
            int equals = word.indexOf('=');
            String key = equals < 0 ? word : word.substring(0, equals);
            String value = equals < 0 ? "" : word.substring(equals + 1);
            boolean flag = key.equals("restrict") || key.equals("isolated");
            refuse(flag && equals >= 0, "%s takes no value", key);
            refuse(!flag && value.isEmpty(), "'%s' is no network option", printable(word));
            refuse(kind.equals("none"), "--net none takes no options");
            switch (key) {
                case "forward" -> {
                    needs("user", key);
                    forwards.add(PortForward.parse(value));
                }
                case "restrict" -> {
                    needs("user", key);
                    restrict = true;
                }
                case "isolated" -> {
                    needs("switch", key);
                    isolated = true;
                }
                case "mac" -> mac = Optional.of(MacAddress.parse(value));
                case "mtu" -> mtu = number(key, value);
                case "queues" -> queues = number(key, value);
                case "pcap" -> capture = Optional.of(path(value));
                case "rate" -> rate = rate(value);
                default ->
                        throw NetworkException.badOption(
                                "'%s' is no network option: forward, restrict, isolated, mac, mtu,"
                                        + " queues, pcap, rate",
                                printable(key));
            }
        }

        private void needs(String wanted, String option) {
            refuse(!kind.equals(wanted), "%s is an option of --net %s", option, wanted);
        }

        private static void refuse(boolean wrong, String format, Object... arguments) {
            if (wrong) {
                throw NetworkException.badOption(format, arguments);
            }
        }

        private static int number(String key, String value) {
            refuse(
                    !value.matches("\\d{1,6}"),
                    "%s takes a number, not '%s'",
                    key,
                    printable(value));
            return Integer.parseInt(value);
        }

        private static Path path(String value) {
            try {
                return Path.of(value);
            } catch (InvalidPathException e) {
                throw NetworkException.badOption("'%s' is no file name", printable(value));
            }
        }

        private static long rate(String value) {
            Matcher matcher = RATE.matcher(value);
            refuse(
                    !matcher.matches(),
                    "'%s' is not a rate in bytes a second, like 500K or 10M",
                    printable(value));
            int shift = matcher.group(2).isEmpty() ? 0 : 10 * (1 + "KMG".indexOf(matcher.group(2)));
            long bytes = Long.parseLong(matcher.group(1)) << shift;
            refuse(bytes < 1000, "A rate of %d bytes a second is too low to be of use", bytes);
            return bytes;
        }

        NetSpec result() {
            Backend backend =
                    switch (kind) {
                        case "user" -> new User(restrict, List.copyOf(forwards));
                        case "tap" -> new Tap(name);
                        case "switch" -> new Switched(name, isolated);
                        default -> new None();
                    };
            return new NetSpec(backend, mac, mtu, queues, capture, rate);
        }
    }

    static void checkSwitchName(String name) {
        if (!SWITCH_NAME.matcher(name).matches()) {
            throw NetworkException.badOption(
                    "A switch's name is up to 32 letters, digits, '.', '_' and '-', not '%s'",
                    printable(name));
        }
    }
}
