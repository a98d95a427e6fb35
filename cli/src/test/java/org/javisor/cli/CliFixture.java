package org.javisor.cli;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.javisor.hypervisor.ExitReason;
import org.javisor.machine.EngineSelection;
import org.javisor.machine.Machine;
import org.javisor.testkit.FakeGuest;
import org.javisor.testkit.FakeHypervisor;
import org.javisor.testkit.FakeKernel;
import org.javisor.testkit.FakeVcpu;

/**
 * The command in a process that is none: streams of bytes, signals sent by the test, guests made of
 * Java code.
 */
final class CliFixture {
    static final FakeGuest POWERS_OFF = (cpu, step) -> powerOff(cpu);

    final ByteArrayOutputStream out = new ByteArrayOutputStream();
    final ByteArrayOutputStream err = new ByteArrayOutputStream();

    /** Completed as soon as a machine has been made. */
    final CompletableFuture<Machine> machine = new CompletableFuture<>();

    InputStream in = new ByteArrayInputStream(new byte[0]);
    OutputStream standardOutput = out;
    FakeGuest guest = POWERS_OFF;

    private final Path directory;
    private final Map<HostSignals.Signal, Runnable> signals =
            new EnumMap<>(HostSignals.Signal.class);

    CliFixture(Path directory) {
        this.directory = directory;
    }

    static ExitReason powerOff(FakeVcpu cpu) {
        cpu.out(0x604, 2, 5 << 10 | 1 << 13);
        return ExitReason.REQUESTED;
    }

    /** A kernel to run. */
    String kernel() {
        return FakeKernel.in(directory).toString();
    }

    int run(String... arguments) {
        return Javisor.execute(
                new Surroundings(
                        in,
                        standardOutput,
                        new PrintStream(err, true, StandardCharsets.UTF_8),
                        Map.of(
                                "XDG_CACHE_HOME",
                                directory.toString(),
                                "XDG_DATA_HOME",
                                directory.toString(),
                                "PATH",
                                "/nowhere"),
                        false,
                        false,
                        false,
                        this::subscribe,
                        config -> {
                            Machine made =
                                    Machine.create(
                                            config,
                                            new EngineSelection(new FakeHypervisor(guest), "fake"));
                            machine.complete(made);
                            return made;
                        }),
                arguments);
    }

    private HostSignals.Subscription subscribe(HostSignals.Signal signal, Runnable action) {
        synchronized (signals) {
            signals.put(signal, action);
        }
        return () -> {
            synchronized (signals) {
                signals.remove(signal);
            }
        };
    }

    void send(HostSignals.Signal signal) {
        Runnable action;
        synchronized (signals) {
            action = signals.get(signal);
        }
        action.run();
    }

    String output() {
        return out.toString(StandardCharsets.UTF_8);
    }

    List<String> errors() {
        return err.toString(StandardCharsets.UTF_8).lines().toList();
    }

    /** Puts something that passes for the image {@code tiny} into the cache. */
    void cacheImage() {
        try {
            Path image = Files.createDirectories(directory.resolve("javisor/images/tiny"));
            FakeKernel.in(image);
            Files.write(image.resolve("initramfs.cpio"), new byte[512]);
            Files.writeString(
                    image.resolve("manifest.properties"),
                    """
                    format=1
                    content=2
                    image=tiny
                    suite=trixie
                    mirror=file:///nowhere/
                    release.date=2026-01-01T00:00:00Z
                    release.signer=none
                    pulled=2026-01-02T00:00:00Z
                    """);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
