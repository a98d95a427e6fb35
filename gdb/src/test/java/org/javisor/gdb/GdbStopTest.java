package org.javisor.gdb;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Breakpoints, watched data, single steps and interruptions, on one processor and on two. */
class GdbStopTest extends ServedGuest {
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
}
