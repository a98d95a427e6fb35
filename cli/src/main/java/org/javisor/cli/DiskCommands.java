package org.javisor.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.javisor.storage.ByteSize;
import org.javisor.storage.CheckReport;
import org.javisor.storage.ConvertTarget;
import org.javisor.storage.DiskFormat;
import org.javisor.storage.DiskImages;
import org.javisor.storage.DiskLibrary;
import org.javisor.storage.DiskSpec;
import org.javisor.storage.ImageInfo;
import org.javisor.storage.QcowOptions;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The parts of {@code javisor image} that deal with disks in files. */
final class DiskCommands {
    private DiskCommands() {}

    static void addTo(CommandLine line, Surroundings surroundings, Messages messages) {
        line.addSubcommand("create", new Create(messages));
        line.addSubcommand("convert", new Convert(surroundings, messages));
        line.addSubcommand("info", new Info());
        line.addSubcommand("resize", new Resize(messages));
        line.addSubcommand("check", new Check());
        line.addSubcommand("import", new Import(surroundings, messages));
    }

    /** How a new image is to be. */
    static final class TargetOptions {
        @Option(
                names = {"-o", "--options"},
                paramLabel = "KEY=VALUE,…",
                description = {
                    "Of qcow2: cluster_size, compression_type (zlib, zstd), extended_l2,",
                    "lazy_refcounts, refcount_bits, compat (0.10, 1.1), backing_file,",
                    "backing_fmt."
                })
        private Optional<String> words = Optional.empty();

        @Option(
                names = {"-b", "--backing"},
                paramLabel = "FILE",
                description = "The image underneath; if relative, counted from the new image.")
        private Optional<String> backing = Optional.empty();

        @Option(
                names = {"-F", "--backing-format"},
                paramLabel = "FORMAT",
                converter = FormatName.class,
                description = "Its format (default: qcow2).")
        private DiskFormat backingFormat = DiskFormat.QCOW2;

        @Option(names = "--force", description = "Replace the file if it exists.")
        private boolean force;

        QcowOptions qcow() {
            QcowOptions options = QcowOptions.of(0);
            if (backing.isPresent()) {
                options = options.on(new QcowOptions.Backing(backing.get(), backingFormat));
            }
            return words.isPresent() ? options.with(words.get()) : options;
        }

        void refuseForRaw() {
            if (words.isPresent() || backing.isPresent()) {
                throw new CliException(
                        ExitCode.USAGE, "A raw disk has no options and nothing underneath");
            }
        }
    }

    static final class FormatName implements CommandLine.ITypeConverter<DiskFormat> {
        @Override
        public DiskFormat convert(String text) {
            return DiskFormat.named(text)
                    .orElseThrow(
                            () ->
                                    new TypeConversionException(
                                            "'" + text + "' is not a format: raw, qcow2"));
        }
    }

    /** What the name suggests: only .raw, .img and .iso are raw. */
    private static DiskFormat formatOf(Path file) {
        String name = String.valueOf(file.getFileName());
        return name.matches("(?i).*\\.(raw|img|iso)") ? DiskFormat.RAW : DiskFormat.QCOW2;
    }

    @Command(
            name = "create",
            description = "Make an empty disk image, or one over another image.",
            footer = "The format follows from the name: .raw, .img and .iso are raw, others qcow2.")
    private static final class Create implements Runnable {
        private final Messages messages;

        @Option(
                names = {"-f", "--format"},
                paramLabel = "FORMAT",
                converter = FormatName.class,
                description = "raw or qcow2.")
        private Optional<DiskFormat> format = Optional.empty();

        @Mixin private TargetOptions options = new TargetOptions();

        @Parameters(index = "0", paramLabel = "FILE", description = "The new image.")
        private Path file = Path.of("");

        @Parameters(
                index = "1",
                arity = "0..1",
                paramLabel = "SIZE",
                description =
                        "Its size, such as 10G; with --backing, that of the image underneath.")
        private Optional<String> size = Optional.empty();

        Create(Messages messages) {
            this.messages = messages;
        }

        @Override
        public void run() {
            if (format.orElse(formatOf(file)) == DiskFormat.RAW) {
                options.refuseForRaw();
                DiskImages.createRaw(file, size(0), options.force);
            } else {
                QcowOptions qcow = options.qcow();
                long underneath =
                        size.isEmpty()
                                ? qcow.backing()
                                        .map(backing -> DiskImages.backingSize(file, backing))
                                        .orElse(0L)
                                : 0;
                DiskImages.createQcow2(file, qcow.ofSize(size(underneath)), options.force);
            }
            messages.say("made " + file);
        }

        private long size(long otherwise) {
            if (size.isEmpty() && otherwise == 0) {
                throw new CliException(ExitCode.USAGE, "Say how large the disk is to be: 10G");
            }
            return size.map(ByteSize::parse).orElse(otherwise);
        }
    }

    @Command(
            name = "convert",
            description = "Copy a disk into a new image of another format or shape.",
            footer = "The format follows from the name: .raw, .img and .iso are raw, others qcow2.")
    private static final class Convert implements Runnable {
        private final Surroundings surroundings;
        private final Messages messages;

        @Option(
                names = {"-f", "--source-format"},
                paramLabel = "FORMAT",
                converter = FormatName.class,
                description = "The source's format (default: what it looks like).")
        private Optional<DiskFormat> sourceFormat = Optional.empty();

        @Option(
                names = {"-O", "--format"},
                paramLabel = "FORMAT",
                converter = FormatName.class,
                description = "The target's format: raw or qcow2.")
        private Optional<DiskFormat> format = Optional.empty();

        @Option(
                names = {"-c", "--compress"},
                description = "Compress the target's clusters.")
        private boolean compress;

        @Option(
                names = "--snapshot",
                paramLabel = "NAME",
                description = "Copy this snapshot instead of the present state.")
        private Optional<String> snapshot = Optional.empty();

        @Mixin private TargetOptions options = new TargetOptions();

        @Parameters(index = "0", paramLabel = "SOURCE", description = "The image to copy.")
        private Path source = Path.of("");

        @Parameters(index = "1", paramLabel = "TARGET", description = "The new image.")
        private Path target = Path.of("");

        Convert(Surroundings surroundings, Messages messages) {
            this.surroundings = surroundings;
            this.messages = messages;
        }

        @Override
        public void run() {
            boolean raw = format.orElse(formatOf(target)) == DiskFormat.RAW;
            if (raw) {
                options.refuseForRaw();
            }
            Optional<QcowOptions> qcow = raw ? Optional.empty() : Optional.of(options.qcow());
            DiskSpec spec = DiskSpec.of(source).withReadOnly(true);
            if (sourceFormat.isPresent()) {
                spec = spec.withFormat(sourceFormat.get());
            }
            if (snapshot.isPresent()) {
                spec = spec.withSnapshot(snapshot.get());
            }
            try (DiskProgress progress = new DiskProgress(surroundings, "copying")) {
                DiskImages.convert(
                        spec, new ConvertTarget(target, qcow, compress, options.force), progress);
            }
            messages.say("made " + target);
        }
    }

    @Command(name = "info", description = "Describe a disk image.")
    private static final class Info implements Runnable {
        @Spec private CommandSpec spec;

        @Parameters(paramLabel = "FILE", description = "The image.")
        private Path file = Path.of("");

        @Override
        public void run() {
            PrintWriter out = spec.commandLine().getOut();
            ImageInfo info = DiskImages.info(file, Optional.empty());
            row(out, "file", info.file().toString());
            row(out, "format", info.format().word());
            row(out, "disk size", "%s (%d bytes)".formatted(show(info.size()), info.size()));
            row(out, "on the host", show(info.allocated()));
            info.qcow().ifPresent(qcow -> print(out, qcow));
        }

        private static void print(PrintWriter out, ImageInfo.Qcow qcow) {
            row(out, "version", qcow.version() == 2 ? "2 (compat 0.10)" : "3 (compat 1.1)");
            row(out, "cluster size", show(qcow.clusterSize()));
            row(out, "refcount bits", String.valueOf(qcow.refcountBits()));
            row(out, "compression", qcow.compression());
            row(out, "extended L2", qcow.extendedL2() ? "yes" : "no");
            row(out, "lazy refcounts", qcow.lazyRefcounts() ? "yes" : "no");
            qcow.backingFile()
                    .ifPresent(
                            file ->
                                    row(
                                            out,
                                            "lies on",
                                            file
                                                    + qcow.backingFormat()
                                                            .map(f -> " (" + f + ")")
                                                            .orElse("")));
            if (qcow.dirty() || qcow.corrupt()) {
                row(out, "state", qcow.corrupt() ? "marked as damaged" : "was not closed");
            }
            List<ImageInfo.Snapshot> snapshots = qcow.snapshots();
            if (!snapshots.isEmpty()) {
                out.printf("%n%-6s%-24s%-24s%s%n", "ID", "SNAPSHOT", "DATE (UTC)", "DISK SIZE");
                for (ImageInfo.Snapshot shot : snapshots) {
                    out.printf(
                            "%-6s%-24s%-24s%s%n",
                            harmless(shot.id()),
                            harmless(shot.name()),
                            shot.date().atOffset(ZoneOffset.UTC).toLocalDateTime().withNano(0),
                            show(shot.diskSize()));
                }
            }
        }

        private static void row(PrintWriter out, String name, String value) {
            out.printf("%-16s%s%n", name, harmless(value));
        }

        /** Names in an image may have been written by anybody. */
        private static String harmless(String text) {
            return text.replaceAll("\\p{Cntrl}", "?");
        }
    }

    private static String show(long bytes) {
        return ByteSize.show(bytes);
    }

    @Command(name = "resize", description = "Make the disk in an image larger or smaller.")
    private static final class Resize implements Runnable {
        private final Messages messages;

        @Option(names = "--shrink", description = "Allow what lies behind the new end to be lost.")
        private boolean shrink;

        @Option(
                names = {"-f", "--format"},
                paramLabel = "FORMAT",
                converter = FormatName.class,
                description = "raw or qcow2 (default: what it looks like).")
        private Optional<DiskFormat> format = Optional.empty();

        @Parameters(index = "0", paramLabel = "FILE", description = "The image.")
        private Path file = Path.of("");

        @Parameters(
                index = "1",
                paramLabel = "SIZE",
                description = "The new size, such as 10G, or the change: +2G, -512M.")
        private String size = "";

        Resize(Messages messages) {
            this.messages = messages;
        }

        @Override
        public void run() {
            long target;
            if (size.startsWith("+") || size.startsWith("-")) {
                long change = ByteSize.parse(size.substring(1));
                long now = DiskImages.info(file, format).size();
                target = size.startsWith("+") ? now + change : now - change;
            } else {
                target = ByteSize.parse(size);
            }
            DiskImages.resize(file, format, target, shrink);
            messages.say("%s has %s now".formatted(file, show(target)));
        }
    }

    @Command(
            name = "check",
            description = "Look for damage in a qcow2 image.",
            footer = "Exit status: 0 fine, or only space is lost; 1 damaged.")
    private static final class Check implements Runnable {
        @Spec private CommandSpec spec;

        @Option(
                names = {"-r", "--repair"},
                arity = "0..1",
                fallbackValue = "all",
                paramLabel = "WHAT",
                description = "Repair 'leaks' (lost space) or 'all' (the default).")
        private Optional<String> repair = Optional.empty();

        @Parameters(paramLabel = "FILE", description = "The image.")
        private Path file = Path.of("");

        @Override
        public void run() {
            DiskImages.Repair wanted =
                    switch (repair.orElse("")) {
                        case "" -> DiskImages.Repair.NOTHING;
                        case "leaks" -> DiskImages.Repair.LEAKS;
                        case "all" -> DiskImages.Repair.ALL;
                        default ->
                                throw new CliException(
                                        ExitCode.USAGE,
                                        "'" + repair.get() + "' is not leaks or all");
                    };
            CheckReport report = DiskImages.check(file, wanted);
            PrintWriter out = spec.commandLine().getOut();
            report.messages().forEach(out::println);
            long hidden = report.damages() + report.leaks() - report.messages().size();
            if (hidden > 0) {
                out.println("and " + hidden + " more");
            }
            out.printf(
                    "%d of %d clusters are in use, %d of them compressed%n",
                    report.usedClusters(), report.totalClusters(), report.compressedClusters());
            if (report.leaks() > 0) {
                out.printf(
                        "%d clusters (%s) are lost space%n",
                        report.leaks(), show(report.leaks() * report.clusterSize()));
            }
            if (report.repaired() > 0) {
                out.printf("%d findings repaired%n", report.repaired());
            }
            out.flush();
            if (report.damages() > 0 && !report.isClean()) {
                throw new CliException(
                        ExitCode.FAILURE,
                        "%s is damaged in %d places%s"
                                .formatted(
                                        file,
                                        report.damages(),
                                        wanted == DiskImages.Repair.ALL
                                                ? ", not all of which can be repaired"
                                                : "; --repair puts right what can be"));
            }
        }
    }

    @Command(
            name = "import",
            description = "Copy a disk image into the user's library, to be run by its name.")
    private static final class Import implements Runnable {
        private final Surroundings surroundings;
        private final Messages messages;

        @Option(
                names = "--name",
                paramLabel = "NAME",
                description = "Its name there (default: the file's, without its ending).")
        private Optional<String> name = Optional.empty();

        @Option(
                names = {"-f", "--format"},
                paramLabel = "FORMAT",
                converter = FormatName.class,
                description = "The file's format: raw or qcow2 (default: what it looks like).")
        private Optional<DiskFormat> format = Optional.empty();

        @Option(names = "--force", description = "Replace a disk of that name.")
        private boolean force;

        @Parameters(paramLabel = "FILE", description = "The image to copy.")
        private Path file = Path.of("");

        Import(Surroundings surroundings, Messages messages) {
            this.surroundings = surroundings;
            this.messages = messages;
        }

        @Override
        public void run() {
            String fileName = String.valueOf(file.getFileName());
            String chosen = name.orElse(fileName.replaceFirst("\\.[A-Za-z0-9]+$", ""));
            DiskSpec spec = DiskSpec.of(file).withReadOnly(true);
            if (format.isPresent()) {
                spec = spec.withFormat(format.get());
            }
            Path made;
            try (DiskProgress progress = new DiskProgress(surroundings, "importing")) {
                made =
                        DiskLibrary.ofUser(surroundings.environment())
                                .add(chosen, spec, force, progress);
            }
            messages.say("%s is in %s".formatted(chosen, made));
        }
    }
}
