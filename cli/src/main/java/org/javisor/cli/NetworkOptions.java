package org.javisor.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.javisor.machine.MachineConfig;
import org.javisor.machine.VirtioDevices;
import org.javisor.network.NetSpec;
import org.javisor.network.NetworkException;
import org.javisor.network.PortForward;
import org.javisor.network.UserNetwork;
import org.javisor.virtio.net.VirtioNet;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options of {@code javisor run} that connect a guest to something. */
final class NetworkOptions implements Readiness.Ways {
    @Option(
            names = "--net",
            paramLabel = "KIND[,OPTION…]",
            converter = NetConverter.class,
            description = {
                "Add a network card: user, tap=NAME, switch=NAME, or none.",
                "Options: forward=[ADDR:]PORT:PORT[/udp], restrict, isolated,",
                "mac=ADDRESS, mtu=N, queues=N, pcap=FILE, rate=SIZE; see",
                "docs/network.md."
            })
    List<NetSpec> networks = new ArrayList<>();

    @Option(
            names = {"-p", "--publish"},
            paramLabel = "[ADDR:]PORT:PORT[/udp]",
            converter = ForwardConverter.class,
            description = {
                "Forward a port of the host's, on the loopback interface unless",
                "ADDR says otherwise, to one of the guest's; 0 takes one that is",
                "free. Adds '--net user' if there is none."
            })
    List<PortForward> forwards = new ArrayList<>();

    /** How long the guest may take to answer before it is asked again. */
    private static final Duration ANSWER = Duration.ofSeconds(2);

    /** Filled while machines are made, and read by whoever waits for a port. */
    private final List<UserNetwork> opened = new CopyOnWriteArrayList<>();

    /** Connects the guest in user mode if the user said nothing about networks. */
    void useUserModeByDefault() {
        if (networks.isEmpty() && forwards.isEmpty()) {
            networks.add(NetSpec.USER);
        }
    }

    /** Makes sure that a port of the guest's can be reached from the host. */
    void reach(int guestPort) {
        boolean reached =
                forwards.stream().anyMatch(forward -> leadsTo(forward, guestPort))
                        || networks.stream()
                                .map(NetSpec::backend)
                                .flatMap(
                                        backend ->
                                                backend instanceof NetSpec.User user
                                                        ? user.forwards().stream()
                                                        : Stream.empty())
                                .anyMatch(forward -> leadsTo(forward, guestPort));
        if (!reached) {
            forwards.add(PortForward.parse("0:" + guestPort));
        }
    }

    private static boolean leadsTo(PortForward forward, int guestPort) {
        return forward.protocol() == PortForward.Protocol.TCP && forward.guestPort() == guestPort;
    }

    @Override
    public Optional<PortForward> forward(int guestPort) {
        return opened.stream()
                .flatMap(network -> network.forwards().stream())
                .filter(forward -> leadsTo(forward, guestPort))
                .findFirst();
    }

    @Override
    public boolean listens(int guestPort) throws InterruptedException {
        for (UserNetwork network : opened) {
            if (network.forwards().stream().anyMatch(forward -> leadsTo(forward, guestPort))
                    && network.listens(guestPort, ANSWER)) {
                return true;
            }
        }
        return false;
    }

    /** Plugs the cards in. */
    void plug(MachineConfig.Builder builder, Messages messages) {
        List<NetSpec> cards = networksWithPorts();
        for (int i = 0; i < cards.size(); i++) {
            if (!(cards.get(i).backend() instanceof NetSpec.None)) {
                builder.device(VirtioDevices.net(i, cards.get(i), card -> tell(messages, card)));
            }
        }
    }

    /** The networks, with the forwarded ports in the first that is in user mode. */
    private List<NetSpec> networksWithPorts() {
        if (forwards.isEmpty()) {
            return networks;
        }
        List<NetSpec> all = new ArrayList<>(networks);
        for (int i = 0; i < all.size(); i++) {
            if (all.get(i).backend() instanceof NetSpec.User) {
                all.set(i, all.get(i).withForwards(forwards));
                return all;
            }
        }
        all.addFirst(NetSpec.USER.withForwards(forwards));
        return all;
    }

    private void tell(Messages messages, VirtioNet card) {
        card.network().userMode().ifPresent(opened::add);
        card.network().userMode().stream()
                .flatMap(network -> network.forwards().stream())
                .forEach(
                        forward ->
                                messages.say(
                                        "Forwarding %s:%d to the guest's %s port %d"
                                                .formatted(
                                                        forward.bind().getHostAddress(),
                                                        forward.hostPort(),
                                                        forward.protocol(),
                                                        forward.guestPort())));
    }

    static final class NetConverter implements ITypeConverter<NetSpec> {
        @Override
        public NetSpec convert(String text) {
            try {
                return NetSpec.parse(text);
            } catch (NetworkException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }

    static final class ForwardConverter implements ITypeConverter<PortForward> {
        @Override
        public PortForward convert(String text) {
            try {
                return PortForward.parse(text);
            } catch (NetworkException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }
}
