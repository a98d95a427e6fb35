package org.javisor.cli;

import java.nio.file.Path;
import java.util.Optional;
import java.util.UUID;
import org.javisor.image.BootFiles;
import org.javisor.image.CachedImage;
import org.javisor.image.DebianImage;
import org.javisor.image.DebianRecipe;
import org.javisor.image.DebianSession;
import org.javisor.image.GuestCommand;
import org.javisor.image.ImageStore;
import org.javisor.image.MachineStore;
import org.javisor.image.TerminalSize;
import org.javisor.storage.DiskFormat;
import org.javisor.storage.DiskImages;
import org.javisor.storage.DiskSpec;
import org.javisor.storage.QcowOptions;

/** A guest with a disk of its own: a copy of an image for this run, or a machine that is kept. */
final class DebianGuest {
    private final CachedImage image;
    private final DiskSpec disk;
    private final String instance;
    private final boolean kept;
    private final RunOptions options;

    private DebianGuest(
            CachedImage image, DiskSpec disk, String instance, boolean kept, RunOptions options) {
        this.image = image;
        this.disk = disk;
        this.instance = instance;
        this.kept = kept;
        this.options = options;
    }

    /** Whether the user's image is one with a disk. */
    static boolean named(Surroundings surroundings, String name) {
        return DebianRecipe.named(name).isPresent()
                || ImageStore.ofUser(surroundings.environment())
                        .find(name)
                        .flatMap(CachedImage::disk)
                        .isPresent();
    }

    /** The guest, built first if that must be. */
    static DebianGuest obtain(
            Surroundings surroundings, Messages messages, RunOptions options, String name) {
        MachineStore machines = MachineStore.ofUser(surroundings.environment());
        Optional<MachineStore.Kept> there = options.name.flatMap(machines::find);
        if (there.isPresent()) {
            return ofKept(there.get(), options, name);
        }
        CachedImage image = ImageBuild.obtain(surroundings, messages, options, name);
        if (options.name.isPresent() && !options.debian.ephemeral) {
            return ofKept(
                    machines.create(options.name.get(), image, DebianGuest::overlay),
                    options,
                    name);
        }
        DiskSpec copy =
                DiskSpec.of(image.disk().orElseThrow())
                        .withFormat(DiskFormat.RAW)
                        .withEphemeral(true);
        return new DebianGuest(image, copy, UUID.randomUUID().toString(), false, options);
    }

    private static DebianGuest ofKept(
            MachineStore.Kept machine, RunOptions options, String imageName) {
        if (!machine.image().name().equals(imageName)) {
            throw new CliException(
                    ExitCode.USAGE,
                    "The machine %s was made from %s, not from %s; take another --name"
                            .formatted(machine.name(), machine.image().name(), imageName));
        }
        DiskSpec disk =
                DiskSpec.of(machine.disk())
                        .withFormat(DiskFormat.QCOW2)
                        .withEphemeral(options.debian.ephemeral);
        return new DebianGuest(
                machine.image(), disk, machine.instance(), !options.debian.ephemeral, options);
    }

    private static void overlay(Path disk, Path base) {
        QcowOptions.Backing backing =
                new QcowOptions.Backing(base.getFileName().toString(), DiskFormat.RAW);
        long size = DiskImages.backingSize(disk, backing);
        DiskImages.createQcow2(disk, QcowOptions.of(size).on(backing), false);
    }

    /** The machine's first disk. */
    DiskSpec disk() {
        return disk;
    }

    /** Whether a command's end must leave the disk in order. */
    boolean kept() {
        return kept;
    }

    BootFiles bootFiles(
            Optional<GuestCommand> command, TerminalSize terminal, String terminalType) {
        return DebianImage.bootFiles(
                image,
                new DebianSession(
                        options.debian.seed(instance, options.name),
                        command,
                        terminal,
                        terminalType,
                        options.verbose,
                        kept));
    }
}
