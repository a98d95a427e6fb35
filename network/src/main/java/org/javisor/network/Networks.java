package org.javisor.network;

import java.util.Optional;

/** Makes networks of what the user says. */
public final class Networks {
    private Networks() {}

    /**
     * Opens the network that a card is to be plugged into.
     *
     * @param name of the machine, for threads and as the guest's host name
     * @param spec not {@link NetSpec.None}
     * @throws NetworkException with one line on what cannot be had
     */
    public static Network open(String name, NetSpec spec) {
        Optional<PcapFile> capture = spec.capture().map(PcapFile::new);
        try {
            Network network = backend(name, spec);
            if (capture.isPresent()) {
                network = new CapturedNetwork(network, capture.get());
            }
            return spec.rate() == 0 ? network : new LimitedNetwork(name, network, spec.rate());
        } catch (RuntimeException e) {
            capture.ifPresent(PcapFile::close);
            throw e;
        }
    }

    private static Network backend(String name, NetSpec spec) {
        return switch (spec.backend()) {
            case NetSpec.User user -> {
                UserNetworkConfig config =
                        UserNetworkConfig.DEFAULT
                                .withRestrict(user.restrict())
                                .withForwards(user.forwards());
                yield new UserNetwork(name, spec.mtu() == 0 ? config : config.withMtu(spec.mtu()));
            }
            case NetSpec.Tap tap -> LinuxTap.open(tap.name());
            case NetSpec.Switched switched ->
                    new RemoteSwitch(
                            SwitchDirectory.ofUser(System.getenv()),
                            switched.name(),
                            switched.isolated());
            case NetSpec.None none -> throw new IllegalArgumentException("There is no network");
        };
    }
}
