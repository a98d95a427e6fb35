package org.javisor.cli;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.javisor.image.PullSettings;
import picocli.CommandLine.Option;

/**
 * Where packages come from and whose signature they need: options of every command that may pull.
 */
final class PullOptions {
    @Option(
            names = "--mirror",
            paramLabel = "URL",
            description = {
                "The Debian mirror to pull from (default: JAVISOR_MIRROR,",
                "else the one that this host's apt is configured for)."
            })
    private Optional<String> mirror = Optional.empty();

    @Option(
            names = "--keyring",
            paramLabel = "FILE",
            description = {
                "The keys that may sign the mirror's index (default:",
                "JAVISOR_KEYRING, else Debian's archive keyring)."
            })
    private Optional<Path> keyring = Optional.empty();

    PullSettings settings(Map<String, String> environment) {
        return PullSettings.of(mirror, keyring, environment);
    }
}
