package org.javisor.cli;

import java.util.ArrayList;
import java.util.List;
import org.javisor.machine.MachineConfig;
import org.javisor.machine.VirtioDevices;
import org.javisor.network.NetSpec;
import org.javisor.network.NetworkException;
import org.javisor.network.PortForward;
import org.javisor.virtio.net.VirtioNet;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options of {@code javisor run} that connect a guest to something. */
final class NetworkOptions {
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

    private static void tell(Messages messages, VirtioNet card) {
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
