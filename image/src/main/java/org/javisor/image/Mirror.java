package org.javisor.image;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Where Debian's packages come from: an archive's base address, the one that has {@code dists} and
 * {@code pool} below it.
 *
 * @param base {@code http}, {@code https} or {@code file}, ending in a slash
 * @param origin where the address was found, for messages
 */
public record Mirror(URI base, String origin) {

    /** The environment variable that names a mirror. */
    public static final String VARIABLE = "JAVISOR_MIRROR";

    /**
     * The mirror to use: the option, else {@value #VARIABLE}, else the one apt is configured for.
     *
     * @param option what the user gave: a URL or a directory
     * @param environment the process's environment
     * @throws ImageException {@code NO_MIRROR} or {@code BAD_MIRROR}
     */
    public static Mirror find(Optional<String> option, Map<String, String> environment) {
        return find(option, environment, Path.of("/etc/apt"));
    }

    /**
     * As {@link #find(Optional, Map)}, with apt's configuration elsewhere.
     *
     * @param apt what is usually {@code /etc/apt}
     */
    public static Mirror find(Optional<String> option, Map<String, String> environment, Path apt) {
        if (option.isPresent()) {
            return at(option.get(), "--mirror");
        }
        String variable = environment.getOrDefault(VARIABLE, "");
        if (!variable.isBlank()) {
            return at(variable, VARIABLE);
        }
        return AptSources.debianMirror(apt)
                .map(uri -> new Mirror(withSlash(uri), apt.toString()))
                .orElseThrow(
                        () ->
                                new ImageException(
                                        ImageException.Code.NO_MIRROR,
                                        "No Debian mirror is known: give one with --mirror URL or "
                                                + VARIABLE
                                                + " (apt's configuration in "
                                                + apt
                                                + " names none)"));
    }

    /**
     * The mirror at an address.
     *
     * @param address a URL or a directory
     * @param origin where it was found, for messages
     * @throws ImageException {@code BAD_MIRROR}
     */
    public static Mirror at(String address, String origin) {
        String trimmed = address.strip();
        try {
            if (!trimmed.matches("[A-Za-z][A-Za-z0-9+.-]+:.*")) {
                return new Mirror(
                        withSlash(Path.of(trimmed).toAbsolutePath().normalize().toUri()), origin);
            }
            URI uri = new URI(trimmed);
            if (supports(uri)) {
                return new Mirror(withSlash(uri), origin);
            }
        } catch (URISyntaxException | IllegalArgumentException e) {
            throw bad(address, origin, e);
        }
        throw bad(address, origin, null);
    }

    /** Whether packages can be fetched from there. */
    static boolean supports(URI uri) {
        String scheme = Optional.ofNullable(uri.getScheme()).orElse("").toLowerCase(Locale.ROOT);
        return switch (scheme) {
            case "http", "https" -> uri.getHost() != null;
            case "file", "copy" -> uri.getPath() != null;
            default -> false;
        };
    }

    /** Whether the mirror is a directory of this host. */
    boolean isDirectory() {
        return !base.getScheme().toLowerCase(Locale.ROOT).startsWith("http");
    }

    /** The directory of a mirror that is one. */
    Path directory() {
        // A host or another scheme in the URI would be refused; Path.of(String) fails on Windows.
        return Path.of(URI.create("file://" + base.getRawPath()));
    }

    private static URI withSlash(URI uri) {
        String text = uri.toString();
        return text.endsWith("/") ? uri : URI.create(text + "/");
    }

    private static ImageException bad(String address, String origin, Exception cause) {
        return new ImageException(
                ImageException.Code.BAD_MIRROR,
                "The mirror '"
                        + Text.printable(address)
                        + "' from "
                        + origin
                        + " is neither an http, https or file URL nor a directory",
                cause);
    }
}
