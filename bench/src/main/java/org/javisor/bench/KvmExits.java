package org.javisor.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.javisor.kvm.ExitCosts;
import org.javisor.kvm.ExitCosts.Way;
import org.javisor.kvm.KvmException;
import org.javisor.kvm.KvmHost;

/**
 * What it costs to leave a guest of KVM's and go back: in this engine, in C on the same guest, and,
 * for ports, in QEMU. In turn, so that what else the host does disturbs all alike.
 */
public final class KvmExits {
    private static final Map<Way, Integer> ROUNDS =
            new EnumMap<>(
                    Map.of(
                            Way.PORT, 20_000,
                            Way.MMIO, 20_000,
                            Way.IOEVENTFD, 50_000,
                            Way.IRQFD, 2_000,
                            Way.CREATION, 300));

    /** So often everything is done before it is measured: the JVM compiles it meanwhile. */
    private static final int WARMING = 4;

    private static final int SECONDS = 120;
    private static final int QEMU_ROUNDS = 20_000;

    private final Workplace workplace;
    private final PrintStream out;

    private KvmExits(Workplace workplace, PrintStream out) {
        this.workplace = workplace;
        this.out = out;
    }

    /**
     * @param words optionally how often everything is measured
     */
    public static void main(String[] words) throws InterruptedException {
        try (Workplace workplace = new Workplace()) {
            Optional<String> obstacle = KvmHost.obstacle();
            if (obstacle.isPresent()) {
                throw new BenchException(BenchException.HOST_CANNOT, "KVM is " + obstacle.get());
            }
            new KvmExits(workplace, System.out).measure(runs(words));
        } catch (BenchException e) {
            System.err.println("javisor: " + e.getMessage());
            System.exit(e.exitCode());
        } catch (SampleException | KvmException e) {
            System.err.println("javisor: " + e.getMessage());
            System.exit(BenchException.FAILURE);
        }
    }

    private static int runs(String[] words) {
        try {
            return words.length == 0 ? 5 : Math.clamp(Integer.parseInt(words[0]), 1, 1000);
        } catch (NumberFormatException e) {
            throw new BenchException(
                    BenchException.USAGE,
                    "'" + Text.printable(words[0]) + "' is no number of runs");
        }
    }

    private void measure(int runs) throws SampleException, InterruptedException {
        Path image = workplace.write("guest", ExitCosts.guestMemory());
        Path c = compile();
        Map<Way, List<Double>> ours = new EnumMap<>(Way.class);
        Map<Way, List<Double>> theirs = new EnumMap<>(Way.class);
        List<Double> qemu = new ArrayList<>();
        for (Way way : Way.values()) {
            for (int warming = 0; warming < WARMING; warming++) {
                ExitCosts.measure(way, ROUNDS.get(way));
            }
            for (int run = 0; run < runs; run++) {
                add(ours, way, ExitCosts.measure(way, ROUNDS.get(way)));
                add(theirs, way, inC(c, way, image));
            }
        }
        for (int run = 0; run < runs; run++) {
            underQemu().ifPresent(qemu::add);
        }
        report(ours, theirs, qemu);
    }

    private static void add(Map<Way, List<Double>> to, Way way, double nanos) {
        to.computeIfAbsent(way, w -> new ArrayList<>()).add(nanos);
    }

    private Path compile() throws SampleException, InterruptedException {
        Path binary = workplace.directory().resolve("exits");
        try (InputStream source = KvmExits.class.getResourceAsStream("kvm/exits.c")) {
            Path file = workplace.write("exits.c", source.readAllBytes());
            HostCommand gcc =
                    run("gcc", "-O2", "-pthread", "-o", binary.toString(), file.toString());
            if (gcc.status() != 0) {
                throw new BenchException(
                        BenchException.HOST_CANNOT, "gcc failed: " + gcc.firstLine());
            }
            return binary;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private HostCommand run(String... command) throws SampleException, InterruptedException {
        return HostCommand.run(workplace, SECONDS, List.of(command))
                .orElseThrow(
                        () ->
                                new BenchException(
                                        BenchException.HOST_CANNOT,
                                        "There is no " + command[0] + " (Debian: gcc libc6-dev)"));
    }

    private double inC(Path binary, Way way, Path image)
            throws SampleException, InterruptedException {
        HostCommand done =
                run(binary.toString(), way.name(), "" + ROUNDS.get(way), image.toString());
        if (done.status() != 0) {
            throw new SampleException("the C program failed: " + done.firstLine());
        }
        return Double.parseDouble(done.firstLine());
    }

    /** A firmware that writes to a port so often: the difference of many writes and few. */
    private Optional<Double> underQemu() throws SampleException, InterruptedException {
        Optional<Double> few = secondsUnderQemu(1);
        Optional<Double> many = secondsUnderQemu(QEMU_ROUNDS);
        return few.flatMap(f -> many.map(m -> (m - f) * 1e9 / QEMU_ROUNDS));
    }

    private Optional<Double> secondsUnderQemu(int writes)
            throws SampleException, InterruptedException {
        ByteBuffer rom = ByteBuffer.allocate(0x10000).order(ByteOrder.LITTLE_ENDIAN);
        // mov ecx, writes; again: out 80h, al; dec ecx; jnz again; mov al, 1; out f4h, al; hlt
        rom.put(new byte[] {0x66, (byte) 0xb9}).putInt(writes);
        rom.put(new byte[] {(byte) 0xe6, (byte) 0x80, 0x66, 0x49, 0x75, (byte) 0xfa});
        rom.put(new byte[] {(byte) 0xb0, 1, (byte) 0xe6, (byte) 0xf4, (byte) 0xf4});
        rom.put(0xfff0, new byte[] {(byte) 0xea, 0, 0, 0, (byte) 0xf0});
        Path file = workplace.write("rom", rom.array());
        List<String> command = new ArrayList<>(List.of("qemu-system-x86_64", "-accel", "kvm"));
        command.addAll(List.of("-bios", file.toString(), "-nodefaults", "-display", "none"));
        command.addAll(List.of("-m", "16", "-device", "isa-debug-exit,iobase=0xf4"));
        long begin = System.nanoTime();
        Optional<HostCommand> done = HostCommand.run(workplace, SECONDS, command);
        double seconds = (System.nanoTime() - begin) / 1e9;
        // isa-debug-exit ends QEMU with twice the value and one.
        return done.filter(d -> d.status() == 3).map(d -> seconds);
    }

    private void report(
            Map<Way, List<Double>> ours, Map<Way, List<Double>> theirs, List<Double> qemu) {
        out.println(HostDescription.processor());
        out.printf("%-12s %12s %22s %12s %22s %8s%n", "us", "Java", "", "C", "", "Java/C");
        for (Way way : Way.values()) {
            Series here = new Series(ours.get(way));
            Series c = new Series(theirs.get(way));
            out.printf(
                    "%-12s %12.2f %22s %12.2f %22s %8.2f%n",
                    way.name().toLowerCase(java.util.Locale.ROOT),
                    here.median() / 1000,
                    range(here),
                    c.median() / 1000,
                    range(c),
                    here.median() / c.median());
        }
        if (qemu.isEmpty()) {
            out.println("qemu         left out: it is not installed, or does not run here");
        } else {
            Series series = new Series(qemu);
            out.printf("%-12s %12.2f %22s%n", "port, qemu", series.median() / 1000, range(series));
        }
    }

    private static String range(Series series) {
        return "%.2f..%.2f".formatted(series.minimum() / 1000, series.maximum() / 1000);
    }
}
