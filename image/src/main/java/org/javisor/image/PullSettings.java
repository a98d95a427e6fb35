package org.javisor.image;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Where a pull takes its packages and keys from. Nothing is looked up before a pull is really
 * needed, so a cached image works on a host without mirror, keys and network.
 *
 * @param mirror the user's {@code --mirror}: a URL or a directory
 * @param keyring the user's {@code --keyring}
 * @param environment the process's environment, for {@code JAVISOR_MIRROR}, {@code JAVISOR_KEYRING}
 *     and the proxies
 * @param apt apt's configuration, usually {@code /etc/apt}
 * @param clock for the validity of keys and indexes
 * @param retryPause before a failed transfer is tried again; doubled each time
 */
public record PullSettings(
        Optional<String> mirror,
        Optional<Path> keyring,
        Map<String, String> environment,
        Path apt,
        Clock clock,
        Duration retryPause) {

    /** The usual settings, with the user's options. */
    public static PullSettings of(
            Optional<String> mirror, Optional<Path> keyring, Map<String, String> environment) {
        return new PullSettings(
                mirror,
                keyring,
                environment,
                Path.of("/etc/apt"),
                Clock.systemUTC(),
                Duration.ofSeconds(1));
    }

    /**
     * The mirror that a pull would use.
     *
     * @throws ImageException {@code NO_MIRROR} or {@code BAD_MIRROR}
     */
    public Mirror findMirror() {
        return Mirror.find(mirror, environment, apt);
    }

    /**
     * Makes sure that a pull would find the archive's keys.
     *
     * @throws ImageException {@code KEYRING}
     */
    public void checkKeyring() {
        ArchiveKeyring.find(keyring, environment);
    }
}
