package org.javisor.bench;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.javisor.image.BootFiles;
import org.javisor.image.CachedImage;
import org.javisor.image.GuestCommand;
import org.javisor.image.Initramfs;
import org.javisor.image.TerminalSize;
import org.javisor.image.TinyImage;
import org.javisor.image.TinySession;

/** Makes what the guests start from out of the image {@code tiny}. */
final class GuestFiles {
    /** What {@code tiny}'s shell says when it waits for a command. */
    static final String PROMPT = "tiny:~# ";

    /** Every guest's, in MiB. */
    static final int MEMORY = 512;

    /**
     * By its TSC alone, a guest in QEMU on a busy host was once seen to run three times too fast.
     * QEMU has an HPET, by which it is right; Javisor has none, and its guests ignore this.
     */
    private static final String CLOCK = " clocksource=hpet";

    private GuestFiles() {}

    /** {@code tiny} as {@code javisor run} starts it: to a shell. */
    static Boot shell(CachedImage image, Workplace workplace) {
        BootFiles files = TinyImage.bootFiles(image, TinySession.shell(TerminalSize.USUAL, "dumb"));
        return new Boot(
                files.kernel(),
                workplace.write("shell.cpio", files.initrd()),
                files.commandLine(),
                MEMORY,
                1);
    }

    /** The same kernel and user space with the benchmark programs and an init that runs them. */
    static Boot programs(CachedImage image, Path binary, int cpus, Workplace workplace) {
        return programs(image, binary, "", cpus, workplace);
    }

    /** The same kernel and user space with the program that exercises disks and networks. */
    static Boot io(CachedImage image, Path binary, int cpus, Workplace workplace) {
        return bench(
                image,
                "io",
                cpus,
                workplace,
                initramfs -> {
                    initramfs.file("bench/init", 0755, GuestSources.file("io-init"));
                    initramfs.file("bench/io", 0755, Files.readAllBytes(binary));
                });
    }

    /**
     * The same.
     *
     * @param checksums a line for each program whose results are to be checked by the guest
     */
    static Boot programs(
            CachedImage image, Path binary, String checksums, int cpus, Workplace workplace) {
        return bench(
                image,
                "programs",
                cpus,
                workplace,
                initramfs -> {
                    initramfs.file("bench/init", 0755, GuestSources.file("init"));
                    initramfs.file("bench/soak", 0755, GuestSources.file("soak"));
                    initramfs.file(
                            "bench/checksums", 0644, checksums.getBytes(StandardCharsets.US_ASCII));
                    initramfs.file("bench/programs", 0755, Files.readAllBytes(binary));
                });
    }

    private interface Additions {
        void addTo(Initramfs initramfs) throws IOException;
    }

    private static Boot bench(
            CachedImage image, String name, int cpus, Workplace workplace, Additions additions) {
        // With a command the kernel's console is the second serial port: the first is ours.
        GuestCommand command = GuestCommand.of(List.of("true"), GuestCommand.Input.NONE);
        BootFiles files = TinyImage.bootFiles(image, TinySession.command(command));
        ByteArrayOutputStream initrd = new ByteArrayOutputStream();
        initrd.writeBytes(files.initrd());
        try {
            Initramfs initramfs = new Initramfs(initrd);
            additions.addTo(initramfs);
            initramfs.finish();
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot read the guest programs", e);
        }
        return new Boot(
                files.kernel(),
                workplace.write(name + ".cpio", initrd.toByteArray()),
                files.commandLine() + CLOCK + " rdinit=/bench/init",
                MEMORY,
                cpus);
    }
}
