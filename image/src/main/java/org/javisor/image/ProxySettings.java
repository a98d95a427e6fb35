package org.javisor.image;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Proxies as the environment of a Unix process names them: {@code http_proxy}, {@code https_proxy},
 * {@code no_proxy} and {@code all_proxy}, lower case first; upper-case names as well.
 */
final class ProxySettings extends ProxySelector {

    private final Map<String, InetSocketAddress> byScheme;
    private final List<String> direct;

    private ProxySettings(Map<String, InetSocketAddress> byScheme, List<String> direct) {
        this.byScheme = byScheme;
        this.direct = direct;
    }

    static ProxySettings of(Map<String, String> environment) {
        Map<String, InetSocketAddress> proxies = new java.util.HashMap<>();
        for (String scheme : List.of("http", "https")) {
            variable(environment, scheme + "_proxy")
                    .or(() -> variable(environment, "all_proxy"))
                    .flatMap(ProxySettings::address)
                    .ifPresent(address -> proxies.put(scheme, address));
        }
        String exceptions = variable(environment, "no_proxy").orElse("");
        return new ProxySettings(
                Map.copyOf(proxies),
                List.of(exceptions.toLowerCase(Locale.ROOT).split("[,\\s]+")).stream()
                        .filter(entry -> !entry.isEmpty())
                        .toList());
    }

    private static Optional<String> variable(Map<String, String> environment, String name) {
        return Optional.ofNullable(environment.get(name))
                .or(() -> Optional.ofNullable(environment.get(name.toUpperCase(Locale.ROOT))))
                .filter(value -> !value.isBlank());
    }

    private static Optional<InetSocketAddress> address(String value) {
        try {
            URI uri = new URI(value.contains("://") ? value : "http://" + value);
            int port = uri.getPort() >= 0 ? uri.getPort() : 80;
            return Optional.ofNullable(uri.getHost()).map(h -> new InetSocketAddress(h, port));
        } catch (java.net.URISyntaxException e) {
            return Optional.empty();
        }
    }

    @Override
    public List<Proxy> select(URI uri) {
        String host = Optional.ofNullable(uri.getHost()).orElse("").toLowerCase(Locale.ROOT);
        InetSocketAddress proxy = byScheme.get(uri.getScheme().toLowerCase(Locale.ROOT));
        if (proxy == null || direct.stream().anyMatch(entry -> excludes(entry, host))) {
            return List.of(Proxy.NO_PROXY);
        }
        return List.of(new Proxy(Proxy.Type.HTTP, proxy));
    }

    private static boolean excludes(String entry, String host) {
        String suffix = entry.startsWith("*.") ? entry.substring(1) : entry;
        return suffix.equals("*")
                || host.equals(suffix)
                || host.endsWith(suffix.startsWith(".") ? suffix : "." + suffix);
    }

    @Override
    public void connectFailed(URI uri, SocketAddress address, IOException failure) {
        // The request itself fails with the same cause; there is no second proxy to turn to.
    }
}
