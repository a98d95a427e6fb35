package org.javisor.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.javisor.image.CachedImage;
import org.javisor.image.DebianRecipe;
import org.javisor.image.ImageException;
import org.javisor.machine.EngineChoice;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code javisor image build}. */
@Command(
        name = "build",
        description = "Build a Debian system with a disk of its own; nobody need be root.",
        sortOptions = false)
final class BuildCommand implements Runnable {
    private final Surroundings surroundings;
    private final Messages messages;

    @Parameters(
            paramLabel = "IMAGE",
            description = "debian, debian:SUITE, or a name of your own with --suite or --packages.")
    private String name = "";

    @Option(
            names = "--suite",
            paramLabel = "NAME",
            description = "The Debian suite, such as trixie or bookworm (default: trixie).")
    private Optional<String> suite = Optional.empty();

    @Option(
            names = "--packages",
            paramLabel = "NAME,…",
            split = ",",
            description = "Packages to install besides the usual ones.")
    private List<String> packages = new ArrayList<>();

    @Option(
            names = "--size",
            paramLabel = "SIZE",
            converter = MemorySize.class,
            description = "The disk's size; it takes less of the host's (default: 4G).")
    private long size = DebianRecipe.DEFAULT_SIZE;

    @Option(
            names = "--engine",
            paramLabel = "NAME",
            converter = RunOptions.EngineConverter.class,
            description = "What configures the packages: auto, kvm, … (default: auto).")
    private EngineChoice engine = EngineChoice.AUTO;

    @Mixin private PullOptions pull;

    BuildCommand(Surroundings surroundings, Messages messages) {
        this.surroundings = surroundings;
        this.messages = messages;
    }

    @Override
    public void run() {
        Optional<DebianRecipe> known = DebianRecipe.named(name);
        String chosen =
                suite.or(() -> known.map(DebianRecipe::suite))
                        // Packages are asked for on purpose; a name alone may be a slip.
                        .or(
                                () ->
                                        Optional.of(DebianRecipe.DEFAULT_SUITE)
                                                .filter(usual -> !packages.isEmpty()))
                        .orElseThrow(
                                () ->
                                        new ImageException(
                                                ImageException.Code.UNKNOWN_IMAGE,
                                                "An image '"
                                                        + name
                                                        + "' is not known; say what it is to be"
                                                        + " with --suite, or build debian"));
        DebianRecipe recipe = new DebianRecipe(name, chosen, packages, size);
        CachedImage image =
                new ImageBuild(surroundings, messages, engine)
                        .run(recipe, pull.settings(surroundings.environment()));
        messages.say("%s is in %s".formatted(image.name(), image.directory()));
    }
}
