package org.javisor.bench;

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

    /**
     * How often QEMU's guests are started again that panicked or hang. Version 7.2's do now and
     * then ("Fatal exception in interrupt"), which is not what is measured here.
     */
    private static final int RESTARTS = 12;

    /** First of the user-mode network's cards and of the switch's; the last byte is the guest's. */
    private static final String USER_MAC = "52:54:00:00:00:01", SWITCH_MAC = "52:54:00:00:01:0";

    private final Engine.OfGuests engine;
    private final String launcher;
    private final Boot boot;
    private final Workplace workplace;
    private final Results results;
    private final Path raw;
    private final Path qcow;
    private final List<GuestProcess> processes = new ArrayList<>();
    private GuestProcess measured;
    private int restarts;

    /**
     * Boots them.
     *
     * @param launcher the javisor command, which makes the disks
     * @param results for the kernel's name, what went wrong, and the measurements
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
        this.boot = boot;
        this.workplace = workplace;
        this.results = results;
        raw = disk("raw", mebibytes);
        qcow = disk("qcow2", mebibytes);
        measured = start();
    }

    private GuestProcess start() throws SampleException, InterruptedException {
        while (true) {
            try {
                return switch (engine) {
                    case Engine.Javisor javisor -> javisor(javisor);
                    case Engine.Qemu ignored -> qemu();
                };
            } catch (SampleException e) {
                close();
                noteRestart(e);
            }
        }
    }

    /**
     * @throws SampleException the same again, if that was often enough, or if it is a defect of
     *     ours
     */
    private void noteRestart(SampleException why) throws SampleException {
        boolean ours = engine instanceof Engine.Javisor;
        if (ours || restarts == RESTARTS || workplace.closed()) {
            throw new SampleException(engine.label() + ": " + why.getMessage());
        }
        restarts++;
        results.note(engine.label() + " started again: " + why.getMessage());
    }

    private Path disk(String format, int mebibytes) throws SampleException, InterruptedException {
        Path file = workplace.directory().resolve(engine.label() + "." + format);
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

    private GuestProcess javisor(Engine.Javisor javisor)
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
        GuestProcess guest = boot(first);
        List<String> second = new ArrayList<>(javisor.command(boot));
        second.add("--net=switch=%s,mac=%s2".formatted(lan, SWITCH_MAC));
        boot(second);
        return guest;
    }

    private GuestProcess qemu() throws SampleException, InterruptedException {
        String lan = workplace.directory().resolve("qemu-lan").toString();
        List<String> first = new ArrayList<>(engine.command(boot));
        first.addAll(qemuDisk("a", raw, "raw"));
        first.addAll(qemuDisk("b", qcow, "qcow2"));
        first.addAll(qemuCard("user", "user,id=user", USER_MAC));
        String stream = "stream,id=lan,addr.type=unix,addr.path=" + lan;
        first.addAll(qemuCard("lan", stream + ",server=on", SWITCH_MAC + "1"));
        GuestProcess guest = boot(first);
        List<String> second = new ArrayList<>(engine.command(boot));
        second.addAll(qemuCard("lan", stream + ",server=off", SWITCH_MAC + "2"));
        boot(second);
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

    private GuestProcess boot(List<String> command) throws SampleException, InterruptedException {
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
     * Has the first guest do something, and notes in a measured round how long that took, and the
     * host's processors. QEMU's are started again when they have ended, or say nothing.
     *
     * @param patience how long that may take at most
     */
    void carryOut(IoTest test, String command, Duration patience, Round round)
            throws InterruptedException {
        while (true) {
            Answer answer;
            try {
                answer = ask(command, patience);
            } catch (SampleException e) {
                if (restarted(e)) {
                    continue;
                }
                results.fail(test.row(), label(), e.getMessage());
                return;
            }
            if (round == Round.MEASURED) {
                note(test, answer);
            }
            return;
        }
    }

    /**
     * Whether it counts. What is done for the first time has code compiled and translated on the
     * way, and starts with TCP's smallest window.
     */
    enum Round {
        REHEARSAL,
        MEASURED
    }

    /** What the guest said, and the host's processor time that it took. */
    private record Answer(String line, String end, Duration processor) {}

    private Answer ask(String command, Duration patience)
            throws SampleException, InterruptedException {
        Duration before = processorTime();
        measured.send(command);
        String line = measured.receive(patience);
        String end = measured.await("end ", patience);
        return new Answer(line, end, processorTime().minus(before));
    }

    private void note(IoTest test, Answer answer) {
        try {
            if (!answer.end.equals("end 0")) {
                throw new SampleException(Text.printable(answer.line));
            }
            double units = test.units(answer.line);
            long nanos = Math.round(IoTest.nanos(answer.line) / units);
            long processor = Math.round(answer.processor.toNanos() / units);
            results.add(test.row(), label(), Sample.once(nanos));
            results.add(test.row() + ", CPU", label(), Sample.once(processor));
        } catch (SampleException e) {
            results.fail(test.row(), label(), e.getMessage());
        }
    }

    private boolean restarted(SampleException why) throws InterruptedException {
        try {
            noteRestart(why);
            close();
            measured = start();
            return true;
        } catch (SampleException e) {
            return false;
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
        processes.clear();
    }
}
