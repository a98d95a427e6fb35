package org.javisor.gdb;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.javisor.gdb.TargetDescription.Architecture;
import org.javisor.machine.Machine;

/**
 * Answers the packets that look at the stopped machine or change it, those that make it go on
 * excepted (GDB manual, E.2 and E.4).
 */
final class Commands {
    static final String OK = "OK";
    static final String UNSUPPORTED = "";

    /** What a packet of a right kind but with wrong contents is answered. */
    static final String MALFORMED = "E01";

    /** EFAULT. */
    private static final String NO_MEMORY = "E0e";

    /** Room for the letter before and the checksum behind. */
    private static final int LONGEST_READ = (PacketReader.LIMIT - 8) / 2;

    private static final int OUTPUT_PIECE = 2048;

    private final Processors processors;
    private final ThreadIds threads;
    private final Breakpoints breakpoints;
    private final MemoryView memory;
    private final Monitor monitor;
    private final TargetDescription description;
    private int selected;

    Commands(
            Machine machine,
            Processors processors,
            Breakpoints breakpoints,
            Architecture architecture) {
        this.processors = processors;
        this.threads = new ThreadIds(processors.count());
        this.breakpoints = breakpoints;
        this.memory = new MemoryView(machine.memory());
        this.monitor = new Monitor(machine, processors, memory);
        this.description = architecture.description();
    }

    /** The processor that the next packets are about. */
    int selected() {
        return selected;
    }

    void select(int vcpu) {
        selected = vcpu;
    }

    ThreadIds threads() {
        return threads;
    }

    /** How the debugger wants to see the guest next time. */
    Optional<Architecture> nextArchitecture() {
        return monitor.nextArchitecture();
    }

    /**
     * @return what to send, in order; {@link #UNSUPPORTED} for a packet that is none of these
     * @throws MalformedPacketException if the packet's contents make no sense
     */
    List<String> answer(PacketText packet) {
        int kind = packet.next();
        return switch (kind) {
            case 'g' -> List.of(HexText.of(processors.registers(selected, description)));
            case 'G' -> List.of(setRegisters(packet));
            case 'p' -> List.of(readRegister(packet));
            case 'P' -> List.of(writeRegister(packet));
            case 'm' -> List.of(readMemory(packet));
            case 'M', 'X' -> List.of(writeMemory(packet, kind == 'X'));
            case 'Z', 'z' -> List.of(breakpoint(packet, kind == 'Z'));
            case 'H' -> List.of(selectThread(packet));
            case 'T' -> List.of(threadAlive(packet));
            case 'q' -> query(packet);
            case 'Q' -> List.of(set(packet));
            default -> List.of(UNSUPPORTED);
        };
    }

    // Registers

    private String setRegisters(PacketText packet) {
        return processors.setRegisters(selected, description, packet.hexBytes()) ? OK : MALFORMED;
    }

    private Register register(PacketText packet) {
        int number = packet.count();
        if (number >= description.registers().size()) {
            throw new MalformedPacketException("There is no such register");
        }
        return description.registers().get(number);
    }

    private String readRegister(PacketText packet) {
        Register register = register(packet);
        packet.expectEnd();
        return HexText.of(register.value(processors.state(selected)));
    }

    private String writeRegister(PacketText packet) {
        Register register = register(packet);
        packet.expect('=');
        return processors.setRegister(selected, register, packet.hexBytes()) ? OK : MALFORMED;
    }

    // Memory

    private String readMemory(PacketText packet) {
        long address = packet.number();
        packet.expect(',');
        int length = Math.min(packet.count(), LONGEST_READ);
        packet.expectEnd();
        byte[] bytes = memory.read(processors.vcpu(selected), address, length);
        return bytes.length == 0 && length != 0 ? NO_MEMORY : HexText.of(bytes);
    }

    private String writeMemory(PacketText packet, boolean binary) {
        long address = packet.number();
        packet.expect(',');
        int length = packet.count();
        packet.expect(':');
        byte[] bytes = binary ? packet.binary() : packet.hexBytes();
        if (bytes.length != length) {
            return MALFORMED;
        }
        return memory.write(processors.vcpu(selected), address, bytes) ? OK : NO_MEMORY;
    }

    // Breakpoints

    private String breakpoint(PacketText packet, boolean insert) {
        int type = packet.count();
        packet.expect(',');
        long address = packet.number();
        packet.expect(',');
        int length = packet.count();
        if (type > 4) {
            return UNSUPPORTED;
        }
        // Conditions and commands may follow, which only a target that announced them must obey.
        if (!insert) {
            breakpoints.remove(type, address, length);
            return OK;
        }
        return breakpoints.insert(type, address, length) ? OK : MALFORMED;
    }

    // Threads

    private String selectThread(PacketText packet) {
        int purpose = packet.next();
        int thread = threads.parse(packet);
        if (purpose == 'g' && thread >= 0) {
            selected = thread;
        }
        // With Hc, the old way to resume, what is selected for it is what was selected before.
        return OK;
    }

    private String threadAlive(PacketText packet) {
        return threads.parse(packet) >= 0 ? OK : MALFORMED;
    }

    private String threadList() {
        StringBuilder list = new StringBuilder("m");
        for (int n = 0; n < threads.count(); n++) {
            list.append(n == 0 ? "" : ",").append(ThreadIds.name(n));
        }
        return list.toString();
    }

    private String threadInfo(PacketText packet) {
        int thread = threads.parse(packet);
        return thread < 0 ? MALFORMED : HexText.of(processors.describe(thread));
    }

    // Queries

    private List<String> query(PacketText packet) {
        if (packet.take("Rcmd,")) {
            return monitor(packet);
        }
        if (packet.take("Xfer:features:read:")) {
            return List.of(describe(packet));
        }
        if (packet.take("ThreadExtraInfo,")) {
            return List.of(threadInfo(packet));
        }
        return List.of(
                switch (packet.until(':')) {
                    case "Supported" ->
                            "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;vContSupported+"
                                            .formatted(PacketReader.LIMIT)
                                    + ";swbreak+;hwbreak+";
                    case "fThreadInfo" -> threadList();
                    case "sThreadInfo" -> "l";
                    case "C" -> "QC" + ThreadIds.name(selected);
                    // A guest that was there before the debugger stays when it goes.
                    case "Attached" -> "1";
                    case "Symbol" -> OK;
                    case "qemu.PhyMemMode" -> memory.physical() ? "1" : "0";
                    default -> UNSUPPORTED;
                });
    }

    private String set(PacketText packet) {
        if (packet.take("qemu.PhyMemMode:")) {
            memory.setPhysical(packet.count() != 0);
            return OK;
        }
        return UNSUPPORTED;
    }

    /** A piece of the target description. */
    private String describe(PacketText packet) {
        String annex = packet.until(':');
        long offset = packet.number();
        packet.expect(',');
        int length = packet.count();
        if (!annex.equals("target.xml")) {
            return "E00";
        }
        String xml = description.xml();
        if (offset < 0 || offset >= xml.length()) {
            return "l";
        }
        int from = (int) offset;
        int room = Math.min(length, LONGEST_READ);
        int to = Math.min(xml.length(), from + room);
        return (to < xml.length() ? "m" : "l") + PacketWriter.escape(xml.substring(from, to));
    }

    private List<String> monitor(PacketText packet) {
        String command = new String(packet.hexBytes(), StandardCharsets.UTF_8);
        String output = monitor.execute(command, selected);
        List<String> replies = new ArrayList<>();
        for (int from = 0; from < output.length(); from += OUTPUT_PIECE) {
            int to = Math.min(output.length(), from + OUTPUT_PIECE);
            replies.add("O" + HexText.of(output.substring(from, to)));
        }
        replies.add(OK);
        return replies;
    }
}
