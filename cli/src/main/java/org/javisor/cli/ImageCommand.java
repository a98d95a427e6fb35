package org.javisor.cli;

import java.io.PrintWriter;
import java.time.ZoneOffset;
import java.util.Optional;
import org.javisor.image.CachedImage;
import org.javisor.image.Catalog;
import org.javisor.image.DebianRecipe;
import org.javisor.image.ImageDefinition;
import org.javisor.image.ImageStore;
import org.javisor.machine.EngineChoice;
import org.javisor.storage.DiskLibrary;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code javisor image}: the guest images that Javisor makes itself, and disks in files. */
@Command(
        name = "image",
        description = "Pull and remove guest images; make, copy and check disk images.",
        synopsisSubcommandLabel = "COMMAND")
final class ImageCommand implements Runnable {
    @Spec private CommandSpec spec;

    private ImageCommand() {}

    static CommandLine commandLine(Surroundings surroundings, Messages messages) {
        CommandLine line = new CommandLine(new ImageCommand());
        line.addSubcommand("ls", new Ls(surroundings));
        line.addSubcommand("build", new BuildCommand(surroundings, messages));
        line.addSubcommand("pull", new Pull(surroundings, messages));
        line.addSubcommand("rm", new Rm(surroundings, messages));
        DiskCommands.addTo(line, surroundings, messages);
        return line;
    }

    @Override
    public void run() {
        throw new ParameterException(
                spec.commandLine(), "Say what to do, for example ls, pull or convert");
    }

    @Command(name = "ls", description = "List the images and which of them are in the cache.")
    private static final class Ls implements Runnable {
        private final Surroundings surroundings;
        @Spec private CommandSpec spec;

        Ls(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public void run() {
            PrintWriter out = spec.commandLine().getOut();
            ImageStore store = ImageStore.ofUser(surroundings.environment());
            out.printf("%-24s%-10s%-12s%s%n", "NAME", "SIZE", "PULLED", "DESCRIPTION");
            for (ImageDefinition definition : Catalog.all()) {
                Optional<CachedImage> cached = store.find(definition);
                out.printf(
                        "%-24s%-10s%-12s%s%n",
                        definition.name(),
                        cached.map(image -> (image.size() >> 20) + " MiB").orElse("-"),
                        cached.map(
                                        image ->
                                                image.manifest()
                                                        .pulled()
                                                        .atZone(ZoneOffset.UTC)
                                                        .toLocalDate()
                                                        .toString())
                                .orElse("-"),
                        definition.description());
            }
            store.list().stream()
                    .filter(image -> image.disk().isPresent())
                    .forEach(image -> out.printf("%s", built(image)));
            if (store.find("debian").isEmpty()) {
                out.printf("%-24s%-10s%-12s%s%n", "debian", "-", "-", DEBIAN);
            }
            DiskLibrary library = DiskLibrary.ofUser(surroundings.environment());
            for (String name : library.names()) {
                out.printf("%-24s%-10s%-12s%s%n", name, "-", "-", "Disk " + library.file(name));
            }
        }
    }

    private static final String DEBIAN = "Debian 13 with systemd and a disk of its own";

    private static String built(CachedImage image) {
        String packages =
                image.recipe()
                        .map(recipe -> String.join(", ", recipe.packages()))
                        .filter(text -> !text.isEmpty())
                        .map(text -> " and " + text)
                        .orElse("");
        return "%-24s%-10s%-12sDebian %s with a disk of its own%s%n"
                .formatted(
                        image.name(),
                        (image.size() >> 20) + " MiB",
                        image.manifest().pulled().atZone(ZoneOffset.UTC).toLocalDate(),
                        image.manifest().suite(),
                        packages);
    }

    @Command(name = "pull", description = "Fetch an image, or bring it up to date.")
    private static final class Pull implements Runnable {
        private final Surroundings surroundings;
        private final Messages messages;
        @Mixin private PullOptions options;

        @Parameters(paramLabel = "NAME", description = "The image, as 'image ls' shows it.")
        private String name = "";

        Pull(Surroundings surroundings, Messages messages) {
            this.surroundings = surroundings;
            this.messages = messages;
        }

        @Override
        public void run() {
            Optional<DebianRecipe> recipe = DebianRecipe.named(name);
            if (recipe.isPresent()) {
                new ImageBuild(surroundings, messages, EngineChoice.AUTO)
                        .run(recipe.get(), options.settings(surroundings.environment()));
                return;
            }
            ImageDefinition definition = Catalog.named(name);
            CachedImage image =
                    ImageWork.run(
                            surroundings,
                            messages,
                            progress ->
                                    ImageStore.ofUser(surroundings.environment())
                                            .pull(
                                                    definition,
                                                    options.settings(surroundings.environment()),
                                                    progress));
            messages.say("%s is in %s".formatted(image.name(), image.directory()));
        }
    }

    @Command(name = "rm", description = "Remove an image from the cache.")
    private static final class Rm implements Runnable {
        private final Surroundings surroundings;
        private final Messages messages;

        @Parameters(paramLabel = "NAME", description = "The image, as 'image ls' shows it.")
        private String name = "";

        Rm(Surroundings surroundings, Messages messages) {
            this.surroundings = surroundings;
            this.messages = messages;
        }

        @Override
        public void run() {
            ImageStore store = ImageStore.ofUser(surroundings.environment());
            String known = store.find(name).map(CachedImage::name).orElse(name);
            if (store.find(name).isEmpty() && DebianRecipe.named(name).isEmpty()) {
                known = Catalog.named(name).name();
            }
            boolean removed;
            try (PullProgress progress = new PullProgress(surroundings, messages)) {
                removed = store.remove(known, progress);
            }
            if (!removed) {
                throw new CliException(
                        ExitCode.FAILURE, "The image " + name + " is not in the cache");
            }
        }
    }
}
