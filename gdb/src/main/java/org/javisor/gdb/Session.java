package org.javisor.gdb;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.function.Consumer;
import org.javisor.gdb.TargetDescription.Architecture;
import org.javisor.hypervisor.VcpuState;
import org.javisor.machine.Machine;
import org.javisor.machine.MachineEnd;
import org.javisor.machine.MachineState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One debugger from its connection to its end. A thread of its own reads what it sends; everything
 * that happens, there and in the machine, comes to the session's thread as an {@link Event}, one
 * after the other.
 */
final class Session {
    private static final Logger LOG = LoggerFactory.getLogger(Session.class);

    /** How long a client may take to show that it is a debugger. */
    private static final int FIRST_PACKET_MILLIS = 10_000;

    /** Events from the client that may wait: beyond, reading waits. */
    private static final int EVENTS_AHEAD = 16;

    private sealed interface Event {
        record Packet(byte[] contents) implements Event {}

        record Damaged() implements Event {}

        record Oversized() implements Event {}

        record Refused() implements Event {}

        record Interrupted() implements Event {}

        /** A processor has met its debug request. */
        record Stopped() implements Event {}

        record Ended(MachineEnd end) implements Event {}

        /** The server is being closed. */
        record Finish() implements Event {}

        /** The client has left. */
        record Gone() implements Event {}
    }

    private final Socket socket;
    private final Machine machine;
    private final Consumer<String> notices;
    private final PacketWriter writer;
    private final Processors processors;
    private final RunControl control;
    private final Commands commands;

    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final Semaphore room = new Semaphore(EVENTS_AHEAD);

    // The session's thread only
    private boolean open = true;
    private boolean finishing;
    private boolean killed;
    private boolean tellsBreakpoints;
    private String lastStop = "";
    private Optional<MachineEnd> end = Optional.empty();

    Session(Socket socket, Machine machine, Architecture architecture, Consumer<String> notices)
            throws IOException {
        this.socket = socket;
        this.machine = machine;
        this.notices = notices;
        writer = new PacketWriter(socket.getOutputStream());
        processors = new Processors(machine.vcpus());
        Breakpoints breakpoints = new Breakpoints();
        commands = new Commands(machine, processors, breakpoints, architecture);
        control = new RunControl(machine, processors, breakpoints);
    }

    /**
     * Serves the client until it or the machine has gone, and lets the guest go on.
     *
     * @return how the debugger wants to see the guest next time, if it said so
     */
    Optional<Architecture> serve() {
        Thread reader = Thread.ofVirtual().name("gdb-reader").start(this::read);
        Thread watcher = null;
        try {
            Event first = events.take();
            if (!(first instanceof Event.Packet)) {
                return Optional.empty();
            }
            watcher = Thread.ofVirtual().name("gdb-watcher").start(this::awaitEnd);
            attach();
            handle(first);
            while (open) {
                handle(events.take());
            }
        } catch (IOException e) {
            LOG.debug("The debugger's connection", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            close();
            reader.interrupt();
            if (watcher != null) {
                watcher.interrupt();
                release();
            }
        }
        return commands.nextArchitecture();
    }

    /** Ends the session, after the debugger has been told how the machine ended if it has. */
    void finish() {
        events.add(new Event.Finish());
    }

    /** Ends the connection; the session notices. From any thread. */
    void close() {
        try {
            socket.close();
        } catch (IOException e) {
            LOG.debug("Closing a debugger's connection", e);
        }
        events.add(new Event.Gone());
    }

    // Other threads

    private void read() {
        try {
            socket.setSoTimeout(FIRST_PACKET_MILLIS);
            InputStream in = new BufferedInputStream(socket.getInputStream());
            PacketReader packets = new PacketReader();
            boolean known = false;
            int value;
            while ((value = in.read()) >= 0) {
                PacketReader.Outcome outcome = packets.accept(value);
                if (!known && outcome == PacketReader.Outcome.STRAY) {
                    // A browser that was lured here, say; no debugger begins like that.
                    break;
                }
                if (!known && outcome == PacketReader.Outcome.PACKET) {
                    known = true;
                    socket.setSoTimeout(0);
                }
                if (known) {
                    pass(outcome, packets);
                }
            }
        } catch (IOException e) {
            LOG.debug("Reading from a debugger", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        events.add(new Event.Gone());
    }

    private void pass(PacketReader.Outcome outcome, PacketReader packets)
            throws InterruptedException {
        Optional<Event> event =
                switch (outcome) {
                    case NOTHING, STRAY -> Optional.empty();
                    case PACKET -> Optional.of(new Event.Packet(packets.packet()));
                    case DAMAGED -> Optional.of(new Event.Damaged());
                    case OVERSIZED -> Optional.of(new Event.Oversized());
                    case REFUSED -> Optional.of(new Event.Refused());
                    case INTERRUPTED -> Optional.of(new Event.Interrupted());
                };
        if (event.isPresent()) {
            room.acquire();
            events.add(event.get());
        }
    }

    private void awaitEnd() {
        try {
            events.add(new Event.Ended(machine.awaitEnd()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    // Coming and going

    private void attach() {
        control.attach(() -> events.add(new Event.Stopped()));
        lastStop = stopReply(commands.selected(), new StopCause.Stepped());
        notices.accept("A debugger has attached; the guest stands still");
    }

    private void release() {
        control.detach();
        if (end.isPresent() || killed) {
            return;
        }
        if (commands.nextArchitecture().isPresent()) {
            notices.accept("The debugger has gone and is to come back; the guest waits for it");
        } else {
            notices.accept("The debugger has gone; the guest goes on");
            machine.resume();
        }
    }

    // Events

    private void handle(Event event) throws IOException {
        switch (event) {
            case Event.Packet packet -> {
                room.release();
                writer.acknowledge(true);
                obey(new PacketText(packet.contents()));
            }
            case Event.Damaged damaged -> {
                room.release();
                if (writer.acknowledging()) {
                    writer.acknowledge(false);
                } else {
                    writer.send("E.Bad checksum");
                }
            }
            case Event.Oversized oversized -> {
                room.release();
                writer.acknowledge(true);
                writer.send("E.The packet is too long");
            }
            case Event.Refused refused -> {
                room.release();
                writer.repeat();
            }
            case Event.Interrupted interrupted -> {
                room.release();
                tell(control.interrupt(commands.selected()));
            }
            case Event.Stopped stopped -> tell(control.afterStop());
            case Event.Ended ended -> {
                end = Optional.of(ended.end());
                if (control.running()) {
                    control.ended();
                    writer.send(exitReply());
                }
                open &= !finishing;
            }
            case Event.Finish finish -> {
                finishing = true;
                open &= end.isEmpty() && machine.state() == MachineState.ENDED;
            }
            case Event.Gone gone -> open = false;
        }
    }

    private void obey(PacketText packet) throws IOException {
        try {
            if (control.running()
                    && packet.peek() != 'k'
                    && packet.peek() != 'D'
                    && packet.peek() != 'v') {
                writer.send("E.The guest is running");
                return;
            }
            switch (packet.peek()) {
                case '?' -> writer.send(end.isPresent() ? exitReply() : lastStop);
                case 'c', 's', 'C', 'S' -> resume(oldResumption(packet));
                case 'v' -> obeyVerbose(packet);
                case 'D' -> {
                    writer.send(Commands.OK);
                    open = false;
                }
                case 'k' -> kill();
                default -> answer(packet);
            }
        } catch (MalformedPacketException e) {
            LOG.debug("{}: {}", packet, e.getMessage());
            writer.send(Commands.MALFORMED);
        } catch (RuntimeException e) {
            LOG.warn("A debugger's packet failed: {}", packet, e);
            writer.send("E.Internal error");
        }
    }

    private void kill() {
        notices.accept("The debugger ends the guest");
        killed = true;
        open = false;
        machine.stop();
    }

    private void obeyVerbose(PacketText packet) throws IOException {
        if (packet.take("vKill")) {
            writer.send(Commands.OK);
            kill();
        } else if (packet.take("vCtrlC")) {
            writer.send(Commands.OK);
            tell(control.interrupt(commands.selected()));
        } else if (control.running()) {
            writer.send("E.The guest is running");
        } else if (packet.take("vCont?")) {
            writer.send("vCont;c;C;s;S;r");
        } else if (packet.take("vCont")) {
            resume(ResumeRequest.parse(packet, commands.threads(), commands.selected()));
        } else {
            writer.send(Commands.UNSUPPORTED);
        }
    }

    private void answer(PacketText packet) throws IOException {
        if (packet.take("QStartNoAckMode")) {
            writer.send(Commands.OK);
            writer.stopAcknowledging();
            return;
        }
        if (packet.toString().startsWith("qSupported")) {
            tellsBreakpoints = packet.toString().contains("swbreak+");
        }
        for (String reply : commands.answer(packet)) {
            writer.send(reply);
        }
    }

    // Going on and stopping

    private ResumeRequest oldResumption(PacketText packet) {
        int kind = packet.next();
        if (kind == 'C' || kind == 'S') {
            packet.number();
            packet.take(";");
        }
        int vcpu = commands.selected();
        if (!packet.atEnd()) {
            VcpuState state = processors.state(vcpu);
            state.rip = packet.number();
            processors.vcpu(vcpu).setState(state);
        }
        return kind == 'c' || kind == 'C'
                ? ResumeRequest.continueAll(processors.count())
                : ResumeRequest.step(vcpu, processors.count());
    }

    private void resume(ResumeRequest request) throws IOException {
        if (end.isPresent()) {
            writer.send(exitReply());
        } else {
            tell(control.resume(request));
        }
    }

    private void tell(Optional<RunControl.Stop> stop) throws IOException {
        if (stop.isPresent()) {
            commands.select(stop.get().vcpu());
            lastStop = stopReply(stop.get().vcpu(), stop.get().cause());
            writer.send(lastStop);
        }
    }

    private String stopReply(int vcpu, StopCause cause) {
        String signalAndReason =
                switch (cause) {
                    case StopCause.Asked asked -> "02";
                    case StopCause.ShutDown shutDown -> "0b";
                    case StopCause.Stepped stepped -> "05";
                    case StopCause.Breakpoint breakpoint -> "05" + reason(vcpu, breakpoint);
                    case StopCause.Watched watched ->
                            "05%s:%x;".formatted(watched.word(), watched.linear());
                };
        return "T" + signalAndReason + "thread:" + ThreadIds.name(vcpu) + ";";
    }

    /**
     * With a segment base, the program counter is not the breakpoint's address; gdb would find no
     * breakpoint there and go on silently if it were told that there is one.
     */
    private String reason(int vcpu, StopCause.Breakpoint breakpoint) {
        if (!tellsBreakpoints || !processors.flat(vcpu)) {
            return "";
        }
        return breakpoint.hardware() ? "hwbreak:;" : "swbreak:;";
    }

    /** Exit status 0, or ended by SIGABRT. */
    private String exitReply() {
        return switch (end.orElseThrow().reason()) {
            case POWER_OFF, RESET, STOPPED -> "W00";
            case WATCHDOG, PANIC, TRIPLE_FAULT, FAILURE -> "X06";
        };
    }
}
