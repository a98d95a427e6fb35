package org.javisor.gdb;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.javisor.machine.EndReason;
import org.javisor.machine.MachineState;
import org.junit.jupiter.api.Test;

/** Debuggers that come and go, and machines that end under them. */
class GdbSessionTest extends ServedGuest {
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
}
