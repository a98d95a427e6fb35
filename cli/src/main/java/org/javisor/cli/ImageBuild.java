package org.javisor.cli;

import java.nio.file.Path;
import java.util.Optional;
import org.javisor.image.BootFiles;
import org.javisor.image.CachedImage;
import org.javisor.image.DebianRecipe;
import org.javisor.image.GuestLauncher;
import org.javisor.image.ImageException;
import org.javisor.image.ImageStore;
import org.javisor.image.PullSettings;
import org.javisor.machine.EngineChoice;
import org.javisor.machine.Machine;
import org.javisor.machine.MachineConfig;
import org.javisor.machine.MachineListener;
import org.javisor.machine.VirtioDevices;
import org.javisor.storage.CacheMode;
import org.javisor.storage.DiskFormat;
import org.javisor.storage.DiskSpec;

/** Builds an image with a disk; its packages are configured in a machine of this process. */
final class ImageBuild {
    private static final long MEMORY = 1L << 30;

    private final Surroundings surroundings;
    private final Messages messages;
    private final EngineChoice engine;

    ImageBuild(Surroundings surroundings, Messages messages, EngineChoice engine) {
        this.surroundings = surroundings;
        this.messages = messages;
        this.engine = engine;
    }

    /** The image from the cache, or built now. */
    static CachedImage obtain(
            Surroundings surroundings, Messages messages, RunOptions options, String name) {
        Optional<CachedImage> cached =
                ImageStore.ofUser(surroundings.environment())
                        .find(name)
                        .filter(image -> image.disk().isPresent());
        if (cached.isPresent()) {
            return cached.get();
        }
        DebianRecipe recipe =
                DebianRecipe.named(name)
                        .orElseThrow(
                                () ->
                                        new ImageException(
                                                ImageException.Code.UNKNOWN_IMAGE,
                                                "No image is called '" + name + "'"));
        return new ImageBuild(surroundings, messages, options.engine)
                .run(recipe, options.pull.settings(surroundings.environment()), false);
    }

    /** Builds the image, also if there is one. */
    CachedImage run(DebianRecipe recipe, PullSettings settings) {
        return run(recipe, settings, true);
    }

    private CachedImage run(DebianRecipe recipe, PullSettings settings, boolean again) {
        messages.say(
                "Building the image %s (Debian %s), once; this takes some minutes"
                        .formatted(recipe.name(), recipe.suite()));
        GuestLauncher launcher = this::launch;
        return ImageWork.run(
                surroundings,
                messages,
                progress -> {
                    ImageStore store = ImageStore.ofUser(surroundings.environment());
                    return again
                            ? store.build(recipe, settings, launcher, progress)
                            : store.obtain(recipe, settings, launcher, progress);
                });
    }

    private void launch(
            BootFiles files, Path disk, GuestLauncher.Output console, GuestLauncher.Output control)
            throws InterruptedException {
        // A build that is cut off starts again from nothing, so nothing need be on the disk before
        // its end.
        DiskSpec spec = DiskSpec.of(disk).withFormat(DiskFormat.RAW).withCache(CacheMode.UNSAFE);
        FullHost full = new FullHost();
        MachineConfig config =
                MachineConfig.builder(files.kernel())
                        .name("image-build")
                        .memory(MEMORY)
                        .engine(engine)
                        .initrd(files.initrd())
                        .commandLine(files.commandLine())
                        .console(console::received)
                        .control(control::received)
                        .rebootOnReset(false)
                        .listener(full)
                        .device(VirtioDevices.disk(0, spec))
                        .build();
        try (Machine machine = surroundings.machines().apply(config)) {
            full.watch(machine);
            machine.start();
            machine.awaitEnd();
        }
        full.check(ImageStore.ofUser(surroundings.environment()).directory());
    }

    /** Ends the machine when its disk has paused it, as the host's has no space left. */
    private static final class FullHost implements MachineListener {
        private volatile Optional<Machine> machine = Optional.empty();
        private volatile boolean paused;

        void watch(Machine watched) {
            machine = Optional.of(watched);
        }

        @Override
        public void paused(String cause) {
            paused = true;
            machine.ifPresent(Machine::stop);
        }

        void check(Path images) {
            if (paused) {
                throw new ImageException(
                        ImageException.Code.DISK_FULL,
                        "The disk that holds the cache is full (%s); free some space or set"
                                        .formatted(images)
                                + " XDG_CACHE_HOME to another disk");
            }
        }
    }
}
