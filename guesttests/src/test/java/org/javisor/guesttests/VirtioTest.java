package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.javisor.machine.MachineConfig;
import org.javisor.machine.VirtioDevices;
import org.javisor.storage.DiskSpec;
import org.javisor.virtio.balloon.VirtioBalloon;
import org.javisor.virtio.balloon.VirtioBalloon.Statistic;
import org.javisor.virtio.console.ConsolePort;
import org.javisor.virtio.console.VirtioConsole;
import org.javisor.virtio.vsock.VirtioVsock;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A stock kernel's drivers on all the smaller virtio devices, by both transports. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class VirtioTest {
    private static final long MIB = 1 << 20;

    @TempDir Path directory;

    private final CompletableFuture<VirtioBalloon> balloon = new CompletableFuture<>();
    private final CompletableFuture<VirtioConsole> console = new CompletableFuture<>();
    private final CompletableFuture<VirtioVsock> vsock = new CompletableFuture<>();
    private final StringBuffer printed = new StringBuffer();
    private final StringBuffer agent = new StringBuffer();
    private final ConsolePort port = new ConsolePort("org.javisor.test", append(agent));

    private static ConsolePort.Sink append(StringBuffer to) {
        return (data, at, length) ->
                to.append(new String(data, at, length, StandardCharsets.US_ASCII));
    }

    private MachineConfig.Builder add(MachineConfig.Builder config, Path disk) {
        ConsolePort first = new ConsolePort("", append(printed));
        return config.device(VirtioDevices.disk(0, DiskSpec.parse(disk + ",format=raw")))
                .device(VirtioDevices.rng())
                .device(VirtioDevices.balloon(0, balloon::complete))
                .device(VirtioDevices.console(List.of(first, port), console::complete))
                .device(VirtioDevices.vsock(7, Optional.empty(), vsock::complete));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void stockDriversWork_onEitherTransport(boolean memoryMapped) throws Exception {
        Path disk = Files.write(directory.resolve("disk.img"), new byte[1 << 16]);
        try (DebianGuest guest =
                DebianGuest.start("tiny", config -> add(config, disk).virtioMmio(memoryMapped))) {
            guest.awaitPrompt();
            assertThat(guest.run("cat /proc/interrupts").output())
                    .contains(memoryMapped ? "IO-APIC  20-fasteoi   virtio0" : "PCI-MSIX");
            assertThat(guest.run("printf written | dd of=/dev/vda conv=fsync").status()).isZero();
            assertThat(Files.readAllBytes(disk)).startsWith("written".getBytes());
            assertThat(guest.run("head -c 40 /dev/hwrng | wc -c").output()).isEqualTo("40\n");
            console(guest);
            assertThatThrownBy(() -> vsock.get().connect(52, Duration.ofMinutes(1)))
                    .hasMessage("The guest refuses vsock port 52");
            balloon(guest, balloon.get());
        }
    }

    private void console(DebianGuest guest) throws Exception {
        console.get().resize(101, 43);
        assertThat(guest.run("echo from the guest >/dev/hvc0").status()).isZero();
        await(() -> printed.toString().contains("from the guest\r\n"));
        String open = "exec 5<>/dev/vport$(cd /sys/class/virtio-ports; echo *p1 | cut -c6-)";
        assertThat(guest.run("cat /sys/class/virtio-ports/*p1/name; " + open).output())
                .isEqualTo("org.javisor.test\n");
        await(port::guestOpen);
        port.send("from the host\n".getBytes(StandardCharsets.US_ASCII));
        assertThat(guest.run("read -r line <&5; echo $line; echo answer >&5").output())
                .isEqualTo("from the host\n");
        await(() -> agent.toString().equals("answer\n"));
    }

    private static void balloon(DebianGuest guest, VirtioBalloon balloon) throws Exception {
        assertThat(guest.run("dd if=/dev/zero of=/tmp/large bs=1M count=64").status()).isZero();
        long before = balloon.givenBack();
        assertThat(guest.run("rm /tmp/large").status()).isZero();
        await(() -> balloon.givenBack() - before >= 48 * MIB);
        balloon.setTarget(32 * MIB);
        await(() -> balloon.actual() == 32 * MIB);
        balloon.askForStatistics();
        await(() -> balloon.statistics().getOrDefault(Statistic.TOTAL, 0L) > 0);
        balloon.setTarget(0);
        await(() -> balloon.actual() == 0);
    }

    private static void await(BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + DebianGuest.ANSWER.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("It did not happen in time").isLessThan(end);
            LockSupport.parkNanos(10_000_000);
        }
    }
}
