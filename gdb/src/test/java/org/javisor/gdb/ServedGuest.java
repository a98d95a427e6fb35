package org.javisor.gdb;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.javisor.machine.Machine;
import org.javisor.machine.MachineEnd;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What tests of the server share: a {@link TinyGuest} that is served, and how to wait for it. */
@Timeout(60)
abstract class ServedGuest {
    /** Numbers of registers in gdb's protocol. */
    static final int RBX = 1,
            RSP = 7,
            R12 = 12,
            RIP = 16,
            EFLAGS = 17,
            CS = 18,
            ST0 = 24,
            XMM0 = 40,
            CR3 = 63;

    @TempDir Path directory;

    final BlockingQueue<String> notices = new LinkedBlockingQueue<>();
    Machine machine;
    GdbServer server;

    /** A paused machine at its first instruction, and a debugger of it. */
    ScriptedDebugger attach(int cpus) throws IOException {
        serve(cpus, true);
        return ScriptedDebugger.attached(server.port());
    }

    void serve(int cpus, boolean paused) throws IOException {
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

    void awaitNotice(String text) throws InterruptedException {
        String notice;
        do {
            notice = notices.poll(30, TimeUnit.SECONDS);
            assertThat(notice).as("waiting for '%s'", text).isNotNull();
        } while (!notice.contains(text));
    }

    /** Waits until the guest has counted on. */
    void awaitProgress() {
        long before = machine.memory().read64(TinyGuest.COUNTER);
        while (machine.memory().read64(TinyGuest.COUNTER) == before) {
            Thread.onSpinWait();
        }
    }

    static String breakAt(long address) {
        return "Z0,%x,1".formatted(address);
    }

    MachineEnd end() throws InterruptedException {
        Optional<MachineEnd> end = machine.awaitEnd(Duration.ofSeconds(30));
        assertThat(end).isPresent();
        return end.get();
    }
}
