package org.javisor.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * An engine's guests: one with a raw and a qcow2 disk, a card in user mode and one at a switch, and
 * a second one at that switch. They stay up, idle, until it is their turn.
 */
final class IoGuests implements AutoCloseable {
    private static final Duration BOOT = Duration.ofMinutes(3);
    private static final Duration ANSWER = Duration.ofMinutes(1);

    /** First of the user-mode network's cards and of the switch's; the last byte is the guest's. */
    private static final String USER_MAC = "52:54:00:00:00:01", SWITCH_MAC = "52:54:00:00:01:0";

    private final Engine.OfGuests engine;
    private final String launcher;
    private final Workplace workplace;
    private final List<GuestProcess> processes = new ArrayList<>();
    private final GuestProcess measured;

    /**
     * Boots them.
     *
     * @param launcher the javisor command, which makes the disks
     * @param results for the kernel's name
     */
    IoGuests(
            Engine.OfGuests engine,
            String launcher,
            Boot boot,
            int mebibytes,
            Workplace workplace,
            Results results)
            throws SampleException, InterruptedException {
        this.engine = engine;
        this.launcher = launcher;
        this.workplace = workplace;
        try {
            Path raw = disk("raw", mebibytes);
            Path qcow = disk("qcow2", mebibytes);
            measured =
                    switch (engine) {
                        case Engine.Javisor javisor -> javisor(javisor, boot, raw, qcow, results);
                        case Engine.Qemu ignored -> qemu(boot, raw, qcow, results);
                    };
        } catch (SampleException e) {
            close();
            throw new SampleException(engine.label() + ": " + e.getMessage());
        }
    }

    private Path disk(String format, int mebibytes) throws SampleException, InterruptedException {
        Path file = workplace.directory().resolve(engine.label() + "." + format);
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new SampleException("cannot replace %s: %s".formatted(file, Text.reason(e)));
        }
        List<String> command =
                List.of(
                        launcher,
                        "image",
                        "create",
                        "-f",
                        format,
                        file.toString(),
                        mebibytes + "M");
        boolean made =
                HostCommand.run(workplace, 60, command)
                        .filter(done -> done.status() == 0)
                        .isPresent();
        if (!made) {
            throw new SampleException("cannot make the disk " + file);
        }
        return file;
    }

    private GuestProcess javisor(
            Engine.Javisor javisor, Boot boot, Path raw, Path qcow, Results results)
            throws SampleException, InterruptedException {
        String lan = "bench-" + ProcessHandle.current().pid();
        processes.add(
                new GuestProcess(
                        workplace, List.of(javisor.launcher(), "switch", "serve", lan), ""));
        List<String> first = new ArrayList<>(javisor.command(boot));
        first.add("--disk=" + raw);
        first.add("--disk=" + qcow);
        first.add("--net=user,mac=" + USER_MAC);
        first.add("--net=switch=%s,mac=%s1".formatted(lan, SWITCH_MAC));
        GuestProcess guest = start(first, results);
        List<String> second = new ArrayList<>(javisor.command(boot));
        second.add("--net=switch=%s,mac=%s2".formatted(lan, SWITCH_MAC));
        start(second, results);
        return guest;
    }

    private GuestProcess qemu(Boot boot, Path raw, Path qcow, Results results)
            throws SampleException, InterruptedException {
        String lan = workplace.directory().resolve("qemu-lan").toString();
        List<String> first = new ArrayList<>(engine.command(boot));
        first.addAll(qemuDisk("a", raw, "raw"));
        first.addAll(qemuDisk("b", qcow, "qcow2"));
        first.addAll(qemuCard("user", "user,id=user", USER_MAC));
        String stream = "stream,id=lan,addr.type=unix,addr.path=" + lan;
        first.addAll(qemuCard("lan", stream + ",server=on", SWITCH_MAC + "1"));
        GuestProcess guest = start(first, results);
        List<String> second = new ArrayList<>(engine.command(boot));
        second.addAll(qemuCard("lan", stream + ",server=off", SWITCH_MAC + "2"));
        start(second, results);
        return guest;
    }

    private static List<String> qemuDisk(String name, Path file, String format) {
        return List.of(
                "-drive",
                "if=none,id=%s,file=%s,format=%s".formatted(name, file, format),
                "-device",
                "virtio-blk-pci,drive=" + name);
    }

    private static List<String> qemuCard(String name, String network, String mac) {
        return List.of(
                "-netdev",
                network,
                "-device",
                "virtio-net-pci,romfile=,netdev=%s,mac=%s".formatted(name, mac));
    }

    private GuestProcess start(List<String> command, Results results)
            throws SampleException, InterruptedException {
        GuestProcess guest = new GuestProcess(workplace, command, "");
        processes.add(guest);
        String ready = guest.await("ready ", BOOT);
        results.guestKernel(Text.printable(ready.substring("ready ".length())));
        return guest;
    }

    String label() {
        return engine.label();
    }

    /**
     * Has the first guest do something, and notes how long that took, and the host's processors.
     */
    void measure(IoTest test, String command, Results results) throws InterruptedException {
        try {
            Duration before = processorTime();
            measured.send(command);
            String answer = measured.receive(ANSWER);
            String end = measured.await("end ", ANSWER);
            Duration after = processorTime();
            if (!end.equals("end 0")) {
                throw new SampleException(Text.printable(answer));
            }
            double units = test.units(answer);
            results.add(test.row(), label(), Sample.once(Math.round(IoTest.nanos(answer) / units)));
            results.add(
                    test.row() + ", CPU",
                    label(),
                    Sample.once(Math.round(after.minus(before).toNanos() / units)));
        } catch (SampleException e) {
            results.fail(test.row(), label(), e.getMessage());
        }
    }

    private Duration processorTime() {
        return processes.stream()
                .map(GuestProcess::processorTime)
                .reduce(Duration.ZERO, Duration::plus);
    }

    @Override
    public void close() {
        processes.reversed().forEach(GuestProcess::close);
    }
}
