package org.javisor.gdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.javisor.machine.Machine;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The same as gdb does it. */
@Timeout(120)
class RealGdbTest {
    private static final Path GDB = Path.of("/usr/bin/gdb");

    @TempDir Path directory;

    @BeforeEach
    void needsGdb() {
        assumeTrue(Files.isExecutable(GDB), "gdb is not installed");
    }

    /** Runs gdb with a script against a machine that waits; what it prints. */
    private List<String> gdb(int cpus, String script) throws Exception {
        Path commands = directory.resolve("script.gdb");
        Path output = directory.resolve("output");
        try (Machine machine = TinyGuest.machine(directory, cpus);
                GdbServer server = GdbServer.listen(0)) {
            machine.startPaused();
            server.serve(machine, notice -> {});
            Files.writeString(commands, prologue(server.port()) + script);
            Process gdb = start(commands, output);
            try {
                assertThat(gdb.waitFor(90, TimeUnit.SECONDS)).as("gdb ends").isTrue();
            } finally {
                gdb.destroyForcibly();
            }
        }
        return Files.readAllLines(output);
    }

    private static String prologue(int port) {
        return """
               set pagination off
               set confirm off
               set style enabled off
               set remotetimeout 30
               set tcp connect-timeout 30
               target remote 127.0.0.1:%d
               """
                .formatted(port);
    }

    private Process start(Path commands, Path output) throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(GDB.toString(), "-nx", "-batch", "-x", commands.toString());
        builder.environment().put("HOME", directory.toString());
        builder.environment().put("DEBUGINFOD_URLS", "");
        return builder.redirectErrorStream(true).redirectOutput(output.toFile()).start();
    }

    @Test
    void debugsTheGuest_whenThereIsOneProcessor() throws Exception {
        List<String> output =
                gdb(
                        1,
                        """
                        print/x $pc
                        x/2i $pc
                        stepi
                        print/x $rax
                        break *0x100060
                        continue
                        print/x $rdi
                        x/i $pc
                        stepi
                        stepi
                        print/x $rbp == $rsp
                        info registers cr0 efer eflags
                        set var *(long *) 0x101000 = 0x4321
                        print/x *(long *) 0x101000
                        continue
                        print/x $rdi
                        set var $rdi = 0x77
                        print $r12
                        delete
                        stepi 4
                        print/x $rax
                        print $xmm1.uint128
                        set var $xmm1.uint128 = 5
                        print $xmm1.uint128
                        set var $st0 = 1.5
                        print $st0
                        set var $ymm2.v4_int64[3] = 7
                        print $ymm2.v4_int64
                        watch *(long *) 0x101008
                        continue
                        continue
                        delete
                        rwatch *(long *) 0x101000
                        continue
                        x/i $pc
                        print *(int *) 0x140000000
                        """);
        assertThat(output)
                .containsSubsequence(
                        "$1 = 0x100000",
                        "=> 0x100000:\tmov    $0x1234,%eax",
                        "   0x100005:\tmov    $0x5,%ebx",
                        "0x0000000000100005 in ?? ()",
                        "$2 = 0x1234",
                        "Breakpoint 1 at 0x100060",
                        "Breakpoint 1, 0x0000000000100060 in ?? ()",
                        "$3 = 0x1239",
                        "=> 0x100060:\tpush   %rbp",
                        "0x0000000000100061 in ?? ()",
                        "0x0000000000100064 in ?? ()",
                        "$4 = 0x1",
                        "cr0            0x80000011          [ PE ET PG ]",
                        "efer           0x500               [ LME LMA ]",
                        "$5 = 0x4321",
                        "Breakpoint 1, 0x0000000000100060 in ?? ()",
                        "$6 = 0x4321",
                        "$7 = 1",
                        "0x000000000010006b in ?? ()",
                        "$8 = 0x78",
                        "$9 = 0",
                        "$10 = 5",
                        "$11 = 1.5",
                        "$12 = {0, 0, 0, 7}",
                        "Hardware watchpoint 2: *(long *) 0x101008",
                        "Old value = 2",
                        "New value = 3",
                        "Old value = 3",
                        "New value = 4",
                        "Hardware read watchpoint 3: *(long *) 0x101000",
                        "Value = 17185",
                        "=> 0x100050:\tcall   0x100060");
        assertThat(output.getLast()).contains("detached");
        assertThat(output).anyMatch(line -> line.contains("Cannot access memory at address"));
    }

    @Test
    void showsThreads_whenThereAreTwoProcessors() throws Exception {
        List<String> output =
                gdb(
                        2,
                        """
                        info threads
                        break *0x8001
                        continue
                        info threads
                        thread 2
                        print/x $pc
                        print/x $cs
                        set scheduler-locking on
                        set $before = *(long *) 0x101008
                        stepi
                        print/x $pc
                        print *(long *) 0x101008 - $before
                        delete
                        set scheduler-locking off
                        break *0x100060 thread 1
                        continue
                        print/x $pc
                        monitor info cpus
                        detach
                        """);
        assertThat(output)
                .containsSubsequence(
                        "* 1    Thread 1 (vCPU 0, 64-bit, CPL 0, running)                 "
                                + "0x0000000000100000 in ?? ()",
                        "  2    Thread 2 (vCPU 1, real mode, CPL 0, waiting for start-up) "
                                + "0x000000000000fff0 in ?? ()",
                        "Thread 2 received signal SIGTRAP, Trace/breakpoint trap.",
                        "$1 = 0x1",
                        "$2 = 0x800",
                        "$3 = 0x5",
                        "$4 = 0",
                        "$5 = 0x100060",
                        "* vCPU 0, 64-bit, CPL 0, running, at 100060",
                        "[Inferior 1 (Remote target) detached]");
    }
}
