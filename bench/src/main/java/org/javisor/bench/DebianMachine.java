package org.javisor.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;

/** A Debian guest of one engine, on a copy of the image's disk that is dropped at its end. */
final class DebianMachine implements AutoCloseable {
    /** Rows of the table: what the process has needed to get so far, and its processor time. */
    static final String LOGIN = "login", SSH = "ssh", PROCESSOR = "ssh-cpu";

    private static final String PROMPT = "root@debian:~# ";
    private static final String LOOP = "/run/javisor/seed/bench/loop";
    private static final Duration BOOT = Duration.ofMinutes(5);
    private static final Duration TASK = Duration.ofMinutes(10);
    private static final int SSH_PORT = 22;
    private static final int POLL_MILLIS = 50;
    private static final int CONNECTED_MILLIS = 20_000;

    private final Engine.OfGuests engine;
    private final GuestProcess process;
    private final long start;
    private final int port;

    /** Starts its process. */
    DebianMachine(Engine.OfGuests engine, Boot boot, Path disk, Workplace workplace)
            throws SampleException {
        this.engine = engine;
        port = freePort();
        List<String> command = new ArrayList<>(engine.command(boot));
        command.addAll(
                switch (engine) {
                    case Engine.Javisor ignored -> javisor(disk);
                    case Engine.Qemu ignored -> qemu(disk);
                });
        start = System.nanoTime();
        process = new GuestProcess(workplace, command, PROMPT);
    }

    private List<String> javisor(Path disk) {
        return List.of(
                "--disk=%s,format=raw,ephemeral".formatted(disk),
                "--net=user,forward=%d:%d".formatted(port, SSH_PORT));
    }

    private List<String> qemu(Path disk) {
        return List.of(
                "-drive",
                "if=none,id=disk,format=raw,snapshot=on,file=" + disk,
                "-device",
                "virtio-blk-pci,drive=disk",
                "-netdev",
                "user,id=net,hostfwd=tcp:127.0.0.1:%d-:%d".formatted(port, SSH_PORT),
                "-device",
                "virtio-net-pci,romfile=,netdev=net");
    }

    private static int freePort() throws SampleException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new SampleException("no free port: " + Text.reason(e));
        }
    }

    String label() {
        return engine.label();
    }

    /** Waits until it can be used, and notes how long that took. */
    void boot(Results results) throws SampleException, InterruptedException {
        process.await(PROMPT, BOOT);
        results.add(LOGIN, label(), Sample.once(System.nanoTime() - start));
        awaitSsh();
        results.add(SSH, label(), Sample.once(System.nanoTime() - start));
        Duration processor = process.processorTime();
        if (!processor.isZero()) {
            results.add(PROCESSOR, label(), Sample.once(processor.toNanos()));
        }
        process.send("exec bash " + LOOP);
        String ready = process.await("ready ", BOOT);
        results.guestKernel(Text.printable(ready.substring("ready ".length())));
    }

    private void awaitSsh() throws SampleException, InterruptedException {
        while (!greets()) {
            if (System.nanoTime() - start > BOOT.toNanos()) {
                throw new SampleException("no SSH server within %d s".formatted(BOOT.toSeconds()));
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
    }

    private boolean greets() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            socket.setSoTimeout(CONNECTED_MILLIS);
            return socket.getInputStream().read() == 'S';
        } catch (IOException e) {
            return false;
        }
    }

    /** Has it carry out a task, and notes how long that took by the host's clock. */
    void measure(String task, Results results) throws InterruptedException {
        try {
            long begin = System.nanoTime();
            process.send("run " + task);
            String answer = process.receive(TASK);
            String end = answer.startsWith("end ") ? answer : process.await("end ", TASK);
            long nanos = System.nanoTime() - begin;
            if (!end.equals("end 0")) {
                throw new SampleException(
                        "status %s: %s".formatted(end.substring(4), Text.printable(answer)));
            }
            CRC32 crc = new CRC32();
            crc.update(answer.getBytes(StandardCharsets.ISO_8859_1));
            results.add(task, label(), new Sample(1, nanos, "%08x".formatted(crc.getValue())));
        } catch (SampleException e) {
            results.fail(task, label(), e.getMessage());
        }
    }

    /**
     * Has it do mixed work for so long.
     *
     * @return the exit status
     */
    int soak(int minutes, PrintStream out) throws SampleException, InterruptedException {
        out.printf("%s: process %d, %d minutes%n", label(), process.number(), minutes);
        Soak soak = new Soak(process, out);
        soak.run(minutes);
        return soak.conclude();
    }

    @Override
    public void close() {
        process.close();
    }
}
