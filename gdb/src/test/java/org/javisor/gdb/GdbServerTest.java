package org.javisor.gdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.gdb.ScriptedDebugger.littleEndian;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.javisor.machine.EndReason;
import org.javisor.machine.Machine;
import org.javisor.machine.MachineEnd;
import org.javisor.machine.MachineState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class GdbServerTest {
    private static final int RBX = 1, RSP = 7, R12 = 12, RIP = 16, EFLAGS = 17, CS = 18, ST0 = 24;
    private static final int XMM0 = 40, CR3 = 63;

    private static final Pattern REGISTER =
            Pattern.compile(
                    "<reg name=\"(\\w+)\" bitsize=\"(\\d+)\" type=\"\\w+\" regnum=\"(\\d+)\"");

    @TempDir Path directory;

    private final BlockingQueue<String> notices = new LinkedBlockingQueue<>();
    private Machine machine;
    private GdbServer server;

    /** A paused machine at its first instruction, and a debugger of it. */
    private ScriptedDebugger attach(int cpus) throws IOException {
        serve(cpus, true);
        return ScriptedDebugger.attached(server.port());
    }

    private void serve(int cpus, boolean paused) throws IOException {
        machine = TinyGuest.machine(directory, cpus);
        server = GdbServer.listen(0);
        if (paused) {
            machine.startPaused();
        } else {
            machine.start();
        }
        server.serve(machine, notices::add);
    }

    @AfterEach
    void close() {
        if (server != null) {
            server.close();
            machine.close();
        }
    }

    private void awaitNotice(String text) throws InterruptedException {
        String notice;
        do {
            notice = notices.poll(30, TimeUnit.SECONDS);
            assertThat(notice).as("waiting for '%s'", text).isNotNull();
        } while (!notice.contains(text));
    }

    /** Waits until the guest has counted on. */
    private void awaitProgress() {
        long before = machine.memory().read64(TinyGuest.COUNTER);
        while (machine.memory().read64(TinyGuest.COUNTER) == before) {
            Thread.onSpinWait();
        }
    }

    private static String breakAt(long address) {
        return "Z0,%x,1".formatted(address);
    }

    // Description and registers

    @Test
    void describesTheRegistersOfTheGPacket_whenAskedPieceByPiece() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            StringBuilder xml = new StringBuilder();
            String piece;
            do {
                piece = gdb.ask("qXfer:features:read:target.xml:%x,123".formatted(xml.length()));
                xml.append(piece.substring(1));
            } while (piece.startsWith("m"));
            assertThat(piece).startsWith("l");
            int bits = 0;
            int count = 0;
            Matcher register = REGISTER.matcher(xml);
            while (register.find()) {
                assertThat(register.group(3)).isEqualTo(Integer.toString(count));
                int size = Integer.parseInt(register.group(2));
                assertThat(gdb.ask("p%x".formatted(count))).as(register.group(1)).hasSize(size / 4);
                bits += size;
                count++;
            }
            assertThat(gdb.ask("g")).hasSize(bits / 4);
            assertThat(gdb.ask("p%x".formatted(count))).isEqualTo("E01");
            assertThat(gdb.ask("qXfer:features:read:other.xml:0,10")).isEqualTo("E00");
            assertThat(gdb.ask("qXfer:features:read:target.xml:fffff,10")).isEqualTo("l");
        }
    }

    @Test
    void startsBeforeTheFirstInstruction_whenTheMachineWaits() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            assertThat(gdb.ask("?")).isEqualTo("T05thread:01;");
            assertThat(gdb.register(RIP)).isEqualTo(TinyGuest.START);
            assertThat(machine.clock().nanos()).isZero();
            assertThat(gdb.ask("qAttached")).isEqualTo("1");
            assertThat(gdb.ask("vMustReplyEmpty")).isEmpty();
        }
    }

    @Test
    void changesRegisters_whenTheyAreWritten() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            assertThat(gdb.ask("P1=8877665544332211")).isEqualTo("OK");
            assertThat(gdb.register(RBX)).isEqualTo(0x1122334455667788L);
            assertThat(gdb.ask("P%x=%s".formatted(XMM0, "0f".repeat(16)))).isEqualTo("OK");
            assertThat(gdb.ask("p%x".formatted(XMM0))).isEqualTo("0f".repeat(16));
            // 1.0 in ST0, which so is no longer empty.
            assertThat(gdb.ask("P%x=0000000000000080ff3f".formatted(ST0))).isEqualTo("OK");
            assertThat(gdb.ask("P%x=fcff0000".formatted(ST0 + 10))).isEqualTo("OK");
            assertThat(littleEndian(gdb.ask("p%x".formatted(ST0 + 10)))).isEqualTo(0xfffc);
            String all = gdb.ask("g");
            assertThat(gdb.ask("G" + all)).isEqualTo("OK");
            assertThat(gdb.ask("g")).isEqualTo(all);
            assertThat(gdb.ask("G" + all.substring(2))).isEqualTo("E01");
            assertThat(gdb.ask("P1=00")).isEqualTo("E01");
            assertThat(gdb.ask("P1=zz77665544332211")).isEqualTo("E01");
            assertThat(gdb.ask("P%x=2b000000".formatted(CS))).isEqualTo("E01");
            assertThat(gdb.register(CS)).isEqualTo(0x10);
            assertThat(gdb.register(EFLAGS)).isEqualTo(2);
        }
    }

    // Memory

    @Test
    void readsWhatIsMapped_whenAddressesAreLinear() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            assertThat(gdb.ask("m100000,5")).isEqualTo("b834120000");
            assertThat(gdb.ask("m100000,0")).isEmpty();
            assertThat(gdb.ask("m%x,4".formatted(TinyGuest.NOWHERE))).isEqualTo("E0e");
            assertThat(gdb.ask("mfee00020,4")).as("a device").isEqualTo("E0e");
            long end = 32L << 20;
            assertThat(gdb.ask("m%x,8".formatted(end - 4))).hasSize(8);
            assertThat(gdb.ask("m100000,7fffffff").length()).isLessThan(PacketReader.LIMIT);
        }
    }

    @Test
    void writesAllOrNothing_whenMemoryIsWritten() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            assertThat(gdb.ask("M101100,3:0a0b0c")).isEqualTo("OK");
            assertThat(gdb.ask("X101103,4:}\u0003}\u0004\u0000\u00ff")).isEqualTo("OK");
            assertThat(gdb.ask("m101100,7")).isEqualTo("0a0b0c232400ff");
            assertThat(gdb.ask("X101103,0:")).isEqualTo("OK");
            assertThat(gdb.ask("M101100,4:0a0b0c")).isEqualTo("E01");
            long end = 32L << 20;
            assertThat(gdb.ask("M%x,2:0102".formatted(end - 1))).isEqualTo("E0e");
            assertThat(gdb.ask("m%x,1".formatted(end - 1))).isEqualTo("00");
        }
    }

    @Test
    void executesWhatWasWritten_whenCodeIsChanged() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            assertThat(gdb.ask(breakAt(TinyGuest.FUNCTION))).isEqualTo("OK");
            gdb.ask("vCont;c");
            gdb.ask("vCont;c");
            assertThat(gdb.register(R12)).isEqualTo(1);
            // inc r12 becomes dec r12.
            assertThat(gdb.ask("X%x,3:I\u00ff\u00cc".formatted(TinyGuest.INCREMENT)))
                    .isEqualTo("OK");
            gdb.ask("vCont;c");
            assertThat(gdb.register(R12)).isZero();
        }
    }

    @Test
    void addressesPhysicalMemory_whenAskedTo() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            // A fifth gigabyte that shows the first one.
            long pointers = gdb.memory(littleEndian(gdb.ask("p%x".formatted(CR3))), 8) & -4096;
            long first = gdb.memory(pointers, 8);
            machine.memory().write64(pointers + 8 * 5, first);
            assertThat(gdb.memory(TinyGuest.NOWHERE + TinyGuest.START, 1)).isEqualTo(0xb8);
            assertThat(gdb.ask("qqemu.PhyMemMode")).isEqualTo("0");
            assertThat(gdb.ask("Qqemu.PhyMemMode:1")).isEqualTo("OK");
            assertThat(gdb.ask("m%x,1".formatted(TinyGuest.NOWHERE + TinyGuest.START)))
                    .isEqualTo("E0e");
            assertThat(gdb.memory(TinyGuest.START, 1)).isEqualTo(0xb8);
            assertThat(gdb.monitor("physical off")).contains("linear");
            assertThat(gdb.monitor("xp 0x100000 4")).contains("b8 34 12 00");
            assertThat(gdb.monitor("translate 0x140100000")).contains("0x100000");
        }
    }

    // Stopping

    @Test
    void stopsBeforeTheInstruction_whenABreakpointIsSet() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            assertThat(gdb.ask(breakAt(TinyGuest.FUNCTION))).isEqualTo("OK");
            assertThat(gdb.ask("Z1,%x,1".formatted(TinyGuest.CALL))).isEqualTo("OK");
            assertThat(gdb.ask("c")).isEqualTo("T05hwbreak:;thread:01;");
            assertThat(gdb.register(RIP)).isEqualTo(TinyGuest.CALL);
            assertThat(gdb.memory(TinyGuest.CALL, 1)).as("untouched").isEqualTo(0xe8);
            assertThat(gdb.ask("c")).isEqualTo("T05swbreak:;thread:01;");
            assertThat(gdb.register(RIP)).isEqualTo(TinyGuest.FUNCTION);
            assertThat(gdb.ask("z1,%x,1".formatted(TinyGuest.CALL))).isEqualTo("OK");
            long before = gdb.memory(TinyGuest.COUNTER, 8);
            assertThat(gdb.ask("c")).isEqualTo("T05swbreak:;thread:01;");
            assertThat(gdb.memory(TinyGuest.COUNTER, 8)).isEqualTo(before + 1);
            assertThat(gdb.ask("?")).isEqualTo("T05swbreak:;thread:01;");
            assertThat(gdb.ask("Z7,0,1")).isEmpty();
        }
    }

    @Test
    void movesOneInstructionWithTheClockStanding_whenStepping() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            gdb.ask(breakAt(TinyGuest.CALL));
            gdb.ask("vCont;c");
            long now = machine.clock().nanos();
            assertThat(gdb.ask("vCont;s:1")).isEqualTo("T05thread:01;");
            assertThat(gdb.register(RIP)).isEqualTo(TinyGuest.FUNCTION);
            assertThat(gdb.ask("s")).isEqualTo("T05thread:01;");
            assertThat(gdb.register(RIP)).isEqualTo(TinyGuest.FUNCTION + 1);
            assertThat(
                            gdb.ask(
                                    "vCont;r%x,%x:1"
                                            .formatted(
                                                    TinyGuest.FUNCTION, TinyGuest.FUNCTION + 13)))
                    .isEqualTo("T05thread:01;");
            assertThat(gdb.register(RIP)).isEqualTo(TinyGuest.JUMP_BACK);
            assertThat(machine.clock().nanos()).isEqualTo(now);
        }
    }

    @Test
    void goesOnElsewhere_whenAnAddressIsGiven() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            assertThat(gdb.ask("s%x".formatted(TinyGuest.INCREMENT))).isEqualTo("T05thread:01;");
            assertThat(gdb.register(R12)).isEqualTo(1);
        }
    }

    @Test
    void stopsAfterTheAccess_whenDataIsWatched() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            assertThat(gdb.ask("Z2,%x,8".formatted(TinyGuest.VALUE))).isEqualTo("OK");
            assertThat(gdb.ask("c")).isEqualTo("T05watch:101000;thread:01;");
            assertThat(gdb.register(RIP)).isEqualTo(TinyGuest.STORE + 8);
            assertThat(gdb.memory(TinyGuest.VALUE, 8)).isEqualTo(0x1239);
            assertThat(gdb.ask("z2,%x,8".formatted(TinyGuest.VALUE))).isEqualTo("OK");
            assertThat(gdb.ask("Z3,%x,8".formatted(TinyGuest.VALUE))).isEqualTo("OK");
            assertThat(gdb.ask("c")).isEqualTo("T05rwatch:101000;thread:01;");
            assertThat(gdb.register(RIP)).isEqualTo(TinyGuest.CALL);
            assertThat(gdb.ask("Z4,%x,1".formatted(TinyGuest.COUNTER + 1))).isEqualTo("OK");
            assertThat(gdb.ask("c")).isEqualTo("T05awatch:101009;thread:01;");
            assertThat(gdb.ask("Z2,0,0")).isEqualTo("E01");
            assertThat(gdb.ask("Z2,0,7fffffff")).isEqualTo("E01");
        }
    }

    @Test
    void refusesMore_whenThereAreTooManyBreakpoints() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            for (int n = 0; n < Breakpoints.MAXIMUM; n++) {
                assertThat(gdb.ask(breakAt(0x200000 + n))).isEqualTo("OK");
            }
            assertThat(gdb.ask(breakAt(0x300000))).isEqualTo("E01");
            assertThat(gdb.ask("z0,200000,1")).isEqualTo("OK");
            assertThat(gdb.ask(breakAt(TinyGuest.CALL))).isEqualTo("OK");
            assertThat(gdb.ask("c")).isEqualTo("T05swbreak:;thread:01;");
        }
    }

    @Test
    void stops_whenInterrupted() throws Exception {
        try (ScriptedDebugger gdb = attach(2)) {
            gdb.send("vCont;c");
            awaitProgress();
            gdb.raw("\u0003");
            assertThat(gdb.reply()).startsWith("T02thread:0");
            long count = machine.memory().read64(TinyGuest.COUNTER);
            long now = machine.clock().nanos();
            assertThat(gdb.register(RIP)).isGreaterThan(0x8000);
            assertThat(machine.memory().read64(TinyGuest.COUNTER)).isEqualTo(count);
            assertThat(machine.clock().nanos()).isEqualTo(now);
            // Too late: nothing runs.
            gdb.raw("\u0003");
            assertThat(gdb.ask("qC")).startsWith("QC0");
        }
    }

    @Test
    void answersNothingElse_whileTheGuestRuns() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            gdb.send("c");
            assertThat(gdb.ask("g")).startsWith("E.");
            assertThat(gdb.ask("vCont;c")).startsWith("E.");
            assertThat(gdb.ask("vCtrlC")).isEqualTo("OK");
            assertThat(gdb.reply()).isEqualTo("T02thread:01;");
        }
    }

    // Processors

    @Test
    void showsProcessorsAsThreads_whenThereAreTwo() throws Exception {
        try (ScriptedDebugger gdb = attach(2)) {
            assertThat(gdb.ask("qfThreadInfo")).isEqualTo("m01,02");
            assertThat(gdb.ask("qsThreadInfo")).isEqualTo("l");
            assertThat(gdb.ask("qC")).isEqualTo("QC01");
            assertThat(gdb.ask("T02")).isEqualTo("OK");
            assertThat(gdb.ask("T03")).isEqualTo("E01");
            assertThat(gdb.ask("Hg02")).isEqualTo("OK");
            assertThat(gdb.ask("Hg03")).isEqualTo("E01");
            assertThat(gdb.ask("Hc-1")).isEqualTo("OK");
            assertThat(gdb.register(RIP)).as("its reset vector").isEqualTo(0xfff0);
            byte[] info = HexFormat.of().parseHex(gdb.ask("qThreadExtraInfo,02"));
            assertThat(new String(info))
                    .isEqualTo("vCPU 1, real mode, CPL 0, waiting for start-up");
            assertThat(gdb.monitor("info cpus")).contains("  vCPU 0, 64-bit").contains("* vCPU 1");
            assertThat(gdb.monitor("info registers -a")).contains("vCPU 1").contains("cr3");
        }
    }

    @Test
    void stopsAtTheLinearAddress_whenAProcessorIsInRealMode() throws Exception {
        try (ScriptedDebugger gdb = attach(2)) {
            gdb.ask(breakAt(TinyGuest.SECOND_LOOP));
            // No "swbreak": the program counter is an offset, which gdb would not find there.
            assertThat(gdb.ask("vCont;c")).isEqualTo("T05thread:02;");
            assertThat(gdb.register(RIP)).isEqualTo(1);
            assertThat(gdb.register(CS)).isEqualTo(0x800);
            long before = gdb.memory(TinyGuest.SECOND_COUNTER, 2);
            long first = gdb.memory(TinyGuest.COUNTER, 8);
            assertThat(gdb.ask("vCont;s:2")).isEqualTo("T05thread:02;");
            assertThat(gdb.register(RIP)).isEqualTo(5);
            assertThat(gdb.memory(TinyGuest.SECOND_COUNTER, 2)).isEqualTo(before + 1);
            assertThat(gdb.memory(TinyGuest.COUNTER, 8)).as("the other stays").isEqualTo(first);
        }
    }

    @Test
    void tellsOfBoth_whenTwoProcessorsMeetBreakpointsAtOnce() throws Exception {
        try (ScriptedDebugger gdb = attach(2)) {
            gdb.ask(breakAt(TinyGuest.SECOND_LOOP));
            gdb.ask(breakAt(TinyGuest.LOOP));
            Set<String> seen = new HashSet<>();
            for (int n = 0; n < 40; n++) {
                String stop = gdb.ask("vCont;c");
                String thread = stop.substring(stop.indexOf("thread:"));
                seen.add(thread);
                // Whoever is reported stands at its breakpoint.
                assertThat(gdb.register(RIP)).isIn(TinyGuest.LOOP, 1L);
            }
            assertThat(seen).containsExactlyInAnyOrder("thread:01;", "thread:02;");
            // Each time round the loop is one stop, told or still to be told.
            assertThat(gdb.memory(TinyGuest.COUNTER, 8) + gdb.memory(TinyGuest.SECOND_COUNTER, 2))
                    .isBetween(37L, 40L);
        }
    }

    // Coming and going

    @Test
    void stopsTheGuestAtTheFirstPacket_andLetsItGoOn_whenDetached() throws Exception {
        serve(1, false);
        try (ScriptedDebugger gdb = new ScriptedDebugger(server.port())) {
            awaitProgress();
            assertThat(gdb.ask("?")).isEqualTo("T05thread:01;");
            assertThat(machine.state()).isEqualTo(MachineState.PAUSED);
            gdb.ask(breakAt(TinyGuest.LOOP));
            assertThat(gdb.ask("D")).isEqualTo("OK");
            awaitNotice("goes on");
            awaitProgress();
            assertThat(machine.state()).isEqualTo(MachineState.RUNNING);
        }
    }

    @Test
    void letsTheGuestGoOn_whenTheConnectionIsLost() throws Exception {
        ScriptedDebugger gdb = attach(1);
        gdb.ask(breakAt(TinyGuest.LOOP));
        gdb.ask("vCont;c");
        gdb.close();
        awaitNotice("goes on");
        awaitProgress();
        try (ScriptedDebugger next = ScriptedDebugger.attached(server.port())) {
            assertThat(next.ask("?")).isEqualTo("T05thread:01;");
        }
    }

    @Test
    void waitsForItsReturn_whenTheDebuggerWantsAnotherArchitecture() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            assertThat(gdb.monitor("arch i8086")).contains("target remote");
        }
        try (ScriptedDebugger gdb = ScriptedDebugger.attached(server.port())) {
            assertThat(gdb.ask("qXfer:features:read:target.xml:0,2000"))
                    .contains("<architecture>i8086</architecture>")
                    .contains("\"eax\" bitsize=\"32\"");
            awaitNotice("come back");
            assertThat(gdb.register(8)).as("eip").isEqualTo(TinyGuest.START);
        }
    }

    @Test
    void refusesTheSecond_whenADebuggerIsAttached() throws Exception {
        try (ScriptedDebugger gdb = attach(1);
                ScriptedDebugger second = new ScriptedDebugger(server.port())) {
            assertThat(second.reply()).startsWith("E.Another debugger");
            assertThat(second.read()).isEqualTo(-1);
            assertThat(gdb.register(RIP)).isEqualTo(TinyGuest.START);
        }
    }

    @Test
    void neverStopsTheGuest_whenTheClientIsNoDebugger() throws Exception {
        serve(1, false);
        try (ScriptedDebugger browser = new ScriptedDebugger(server.port())) {
            browser.raw("POST / HTTP/1.1\r\n\r\n$k#6b$g#67");
            assertThat(browser.read()).isEqualTo(-1);
        }
        awaitProgress();
        assertThat(machine.state()).isEqualTo(MachineState.RUNNING);
        assertThat(notices).isEmpty();
    }

    @Test
    void endsTheMachine_whenItIsKilled() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            gdb.send("k");
            awaitNotice("ends the guest");
            assertThat(end().reason()).isEqualTo(EndReason.STOPPED);
        }
    }

    private MachineEnd end() throws InterruptedException {
        Optional<MachineEnd> end = machine.awaitEnd(Duration.ofSeconds(30));
        assertThat(end).isPresent();
        return end.get();
    }

    @Test
    void showsTheTripleFault_beforeTheMachineEndsOfIt() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            // ud2, without an interrupt descriptor table.
            assertThat(gdb.ask("M%x,2:0f0b".formatted(TinyGuest.CALL))).isEqualTo("OK");
            assertThat(gdb.ask("vCont;c")).isEqualTo("T0bthread:01;");
            assertThat(gdb.register(RIP)).isEqualTo(TinyGuest.CALL);
            assertThat(gdb.monitor("info cpus")).contains("shut down");
            assertThat(gdb.ask("vCont;c")).isEqualTo("X06");
            assertThat(end().reason()).isEqualTo(EndReason.TRIPLE_FAULT);
        }
    }

    @Test
    void tellsTheDebugger_whenTheMachineEnds() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            gdb.send("vCont;c");
            awaitProgress();
            machine.powerOff();
            assertThat(gdb.reply()).isEqualTo("W00");
            assertThat(gdb.ask("vCont;c")).isEqualTo("W00");
        }
    }

    @Test
    void startsOver_whenTheDebuggerResetsTheMachine() throws Exception {
        try (ScriptedDebugger gdb = attach(2)) {
            gdb.ask(breakAt(TinyGuest.CALL));
            gdb.ask("vCont;c");
            gdb.ask("z0,%x,1".formatted(TinyGuest.CALL));
            assertThat(gdb.monitor("reset")).contains("reset");
            assertThat(gdb.register(RIP)).isEqualTo(TinyGuest.START);
            assertThat(gdb.register(RSP)).isNotZero();
            gdb.ask(breakAt(TinyGuest.STORE));
            assertThat(gdb.ask("vCont;c")).isEqualTo("T05swbreak:;thread:01;");
        }
    }

    @Test
    void saysWhatIsWrong_whenAMonitorCommandMakesNoSense() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            assertThat(gdb.monitor("help")).contains("info registers").contains("xp ADDRESS");
            for (String command :
                    List.of("frobnicate", "xp", "xp 0 99999", "xp zz", "translate", "arch vax")) {
                assertThat(gdb.monitor(command)).as(command).endsWith("\n").hasLineCount(1);
            }
            assertThat(gdb.ask("qRcmd,6")).isEqualTo("E01");
        }
    }

    // The line

    @Test
    void asksAgain_whenAPacketIsDamaged() throws Exception {
        serve(1, true);
        try (ScriptedDebugger gdb = new ScriptedDebugger(server.port())) {
            assertThat(gdb.ask("qC")).isEqualTo("QC01");
            gdb.raw("$qC#00");
            assertThat(gdb.read()).isEqualTo('-');
            gdb.raw("$garb$qC#b4");
            assertThat(gdb.read()).isEqualTo('+');
            assertThat(gdb.reply()).isEqualTo("QC01");
            gdb.raw("-");
            assertThat(gdb.reply()).as("sent again").isEqualTo("QC01");
            gdb.raw("$q");
            gdb.raw("C");
            gdb.raw("#");
            gdb.raw("b4");
            assertThat(gdb.reply()).isEqualTo("QC01");
        }
    }

    @Test
    void refusesIt_whenAPacketIsTooLong() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            assertThat(gdb.ask("M100000,1:" + "0".repeat(PacketReader.LIMIT))).startsWith("E.");
            gdb.raw("$qC#00");
            assertThat(gdb.reply()).startsWith("E.");
            assertThat(gdb.ask("qC")).isEqualTo("QC01");
        }
    }

    @Test
    void survivesAnything_whenPacketsAreRandom() throws Exception {
        long seed = Long.getLong("javisor.seed", 20260707);
        System.out.println("Random packets with seed " + seed);
        RandomGenerator random = new Random(seed);
        String[] beginnings = {
            "g",
            "G",
            "p",
            "P",
            "m",
            "M100",
            "X100",
            "Z",
            "z",
            "H",
            "T",
            "q",
            "Q",
            "qRcmd,",
            "vCont",
            "vCont;",
            "qXfer:features:read:",
            "qThreadExtraInfo,",
            "Z0,",
            "Z2,",
            "m100000,",
            "v",
            "P10=",
            "!",
            "b",
            "i",
            "?",
            "qSupported"
        };
        String likely = "0123456789abcdef,;:=-xsr}";
        try (ScriptedDebugger gdb = attach(2)) {
            for (int n = 0; n < 4000; n++) {
                StringBuilder packet =
                        new StringBuilder(beginnings[random.nextInt(beginnings.length)]);
                for (int length = random.nextInt(24); length > 0; length--) {
                    char c =
                            random.nextInt(8) == 0
                                    ? (char) random.nextInt(256)
                                    : likely.charAt(random.nextInt(likely.length()));
                    packet.append(c == '#' || c == '$' ? 'x' : c);
                }
                gdb.send(packet.toString());
                if (packet.indexOf("vCont") == 0) {
                    // In case it makes sense.
                    gdb.raw("\u0003");
                }
                String reply;
                do {
                    reply = gdb.reply();
                } while (reply.startsWith("O") && !reply.equals("OK"));
                assertThat(reply).as(packet.toString()).doesNotContain("Internal");
            }
            assertThat(gdb.ask("qC")).startsWith("QC");
        }
    }

    @Test
    void keepsTheMachineSound_whenRegistersAreSetAtRandom() throws Exception {
        long seed = Long.getLong("javisor.seed", 20260709);
        System.out.println("Random registers with seed " + seed);
        RandomGenerator random = new Random(seed);
        int[] numbers = {RIP, RSP, EFLAGS, CS, 58, 59, 60, 61, 62, CR3, 64, 65, 66};
        try (ScriptedDebugger gdb = attach(2)) {
            for (int round = 0; round < 200; round++) {
                gdb.monitor("reset");
                for (int n = 0; n < 8; n++) {
                    int number = numbers[random.nextInt(numbers.length)];
                    byte[] value = HexFormat.of().parseHex(gdb.ask("p%x".formatted(number)));
                    // One bit, or all of them.
                    if (random.nextBoolean()) {
                        value[random.nextInt(value.length)] ^= (byte) (1 << random.nextInt(8));
                    } else {
                        random.nextBytes(value);
                    }
                    String write = "P%x=%s".formatted(number, HexFormat.of().formatHex(value));
                    assertThat(gdb.ask(write)).isIn("OK", "E01");
                    assertThat(gdb.ask("m100000,10")).doesNotContain("Internal");
                    String stop = gdb.ask("vCont;s:1");
                    assertThat(stop).as("round %d: %s", round, write).startsWith("T");
                    if (stop.startsWith("T0b")) {
                        break;
                    }
                }
            }
        }
    }
}
