package org.javisor.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.hypervisor.ExitReason.FAILURE;
import static org.javisor.hypervisor.ExitReason.REQUESTED;
import static org.javisor.hypervisor.ExitReason.SHUTDOWN;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.javisor.hypervisor.ExitReason;
import org.javisor.machine.Machine;
import org.javisor.testkit.FakeVcpu;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class RunTest {
    private static final int COM2 = 0x2f8;

    @TempDir Path directory;
    private CliFixture cli;

    @BeforeEach
    void fixture() {
        cli = new CliFixture(directory);
    }

    private int runKernel(String... more) {
        String[] arguments = new String[more.length + 3];
        arguments[0] = "run";
        arguments[1] = "--kernel";
        arguments[2] = cli.kernel();
        System.arraycopy(more, 0, arguments, 3, more.length);
        return cli.run(arguments);
    }

    /** Sends a line on the second serial port, as tiny's scripts do. */
    private static void control(FakeVcpu cpu, String message) {
        for (byte b : ("\u001e" + message + "\n").getBytes(StandardCharsets.US_ASCII)) {
            cpu.out(COM2, 1, b);
        }
    }

    private static void listen(FakeVcpu cpu) {
        cpu.out(COM2 + 2, 1, 1);
        cpu.out(COM2 + 4, 1, 3);
    }

    private static char receive(FakeVcpu cpu) {
        while ((cpu.in(COM2 + 5, 1) & 1) == 0) {
            Thread.onSpinWait();
        }
        return (char) cpu.in(COM2, 1);
    }

    @Test
    void exitsWith0AndTheConsoleOnStandardOutput_whenTheGuestPowersOff() {
        cli.guest =
                (cpu, step) -> {
                    cpu.print("hello\r\n");
                    return CliFixture.powerOff(cpu);
                };
        assertThat(runKernel()).isEqualTo(0);
        assertThat(cli.output()).isEqualTo("hello\r\n");
        assertThat(cli.errors()).containsExactly("javisor: Engine: fake");
    }

    @Test
    void exitsWith1AndTheLastLines_whenTheKernelPanics() {
        cli.guest =
                (cpu, step) -> {
                    cpu.print("[1.0] Kernel panic - not syncing: VFS: no root\r\n\u001b[0mbye\r\n");
                    cpu.out(0xcf9, 1, 6);
                    return cpu.halt();
                };
        assertThat(runKernel()).isEqualTo(1);
        assertThat(cli.errors())
                .contains(
                        "javisor: The guest's kernel panicked: Kernel panic - not syncing: VFS: no"
                                + " root",
                        "  | bye");
    }

    @Test
    void exitsWith1_whenTheProcessorTripleFaults() {
        cli.guest = (cpu, step) -> SHUTDOWN;
        assertThat(runKernel()).isEqualTo(1);
        assertThat(cli.errors())
                .anyMatch(line -> line.startsWith("javisor: The guest's processor triple-faulted"));
    }

    @Test
    void exitsWith1AndNoStackTrace_whenTheEngineBreaks() {
        cli.guest =
                (cpu, step) -> {
                    throw new IllegalStateException("defect");
                };
        assertThat(runKernel()).isEqualTo(1);
        assertThat(cli.errors())
                .containsExactly(
                        "javisor: Engine: fake",
                        "javisor: The machine failed: Internal error, IllegalStateException: defect");
    }

    @Test
    void showsTheStackTrace_whenAskedForDebugOutput() {
        cli.guest =
                (cpu, step) -> {
                    throw new IllegalStateException("defect");
                };
        assertThat(runKernel("--log", "debug")).isEqualTo(1);
        assertThat(cli.errors()).anyMatch(line -> line.contains("at org.javisor."));
    }

    @Test
    void exitsWith6_whenTheTimeoutIsOver() {
        cli.guest = (cpu, step) -> cpu.halt();
        assertThat(runKernel("--timeout", "50ms")).isEqualTo(6);
        assertThat(cli.errors()).contains("javisor: The guest was ended after 50 ms");
    }

    @Test
    void exitsWith6AndSaysWhereItStopped_whenWhatIsWaitedForDoesNotCome() {
        CountDownLatch printed = new CountDownLatch(1);
        cli.guest =
                (cpu, step) -> {
                    if (printed.getCount() > 0) {
                        cpu.print("as far as this\r\n");
                        printed.countDown();
                    }
                    return cpu.halt();
                };
        assertThat(runKernel("--wait", "log:never", "--wait-timeout", "500ms")).isEqualTo(6);
        assertThat(cli.errors())
                .contains(
                        "javisor: Waited 500 ms in vain for 'never' on the guest's console; the"
                                + " console showed last: as far as this");
    }

    @Test
    void exitsWith1_whenTheGuestEndsBeforeWhatIsWaitedFor() {
        cli.guest =
                (cpu, step) -> {
                    cpu.print("hello\r\n");
                    return CliFixture.powerOff(cpu);
                };
        assertThat(runKernel("--wait", "log:hel+a")).isEqualTo(1);
        assertThat(cli.errors())
                .contains(
                        "javisor: The guest ended before 'hel+a' on the guest's console had come;"
                                + " the console showed last: hello");
    }

    @Test
    void saysReady_whenTheGuestEndsRightAfterIt() {
        cli.guest =
                (cpu, step) -> {
                    cpu.print("hello\r\n");
                    return CliFixture.powerOff(cpu);
                };
        assertThat(runKernel("--wait", "log:hel+o")).isEqualTo(0);
        assertThat(cli.errors())
                .anyMatch(line -> line.matches("javisor: Ready after .* s: 'hel\\+o' on the.*"));
    }

    @Test
    void exitsWith7_whenTheHostHasTooLittleMemory() {
        assertThat(runKernel("-m", "1000T")).isIn(2, 7);
        assertThat(runKernel("-m", "900G")).isEqualTo(7);
        assertThat(cli.errors()).allMatch(line -> line.startsWith("javisor: "));
    }

    @Test
    void exitsWithTheCommandsStatus_whenACommandRan() {
        cli.cacheImage();
        cli.guest =
                (cpu, step) -> {
                    cpu.print("6.12\n");
                    control(cpu, "exit 7");
                    return cpu.halt();
                };
        assertThat(cli.run("run", "tiny", "--", "sh", "-c", "uname -r; exit 7")).isEqualTo(7);
        assertThat(cli.output()).isEqualTo("6.12\n");
        assertThat(cli.errors()).isEmpty();
    }

    @Test
    void feedsTheCommand_whenStandardInputIsAPipe() {
        cli.cacheImage();
        cli.in = new ByteArrayInputStream("abc".getBytes(StandardCharsets.US_ASCII));
        StringBuilder received = new StringBuilder();
        cli.guest =
                (cpu, step) -> {
                    if (step == 0) {
                        listen(cpu);
                    }
                    control(cpu, "in");
                    StringBuilder length = new StringBuilder();
                    char c;
                    while ((c = receive(cpu)) != '\n') {
                        length.append(c);
                    }
                    int count = Integer.parseInt(length.toString());
                    for (int i = 0; i < count; i++) {
                        received.append(receive(cpu));
                    }
                    if (count > 0) {
                        return REQUESTED;
                    }
                    control(cpu, "exit 0");
                    return cpu.halt();
                };
        assertThat(cli.run("run", "--", "cat")).isEqualTo(0);
        assertThat(received).hasToString("abc");
    }

    @Test
    void exitsWith125_whenTheCommandsStatusIsNotKnown() {
        cli.cacheImage();
        assertThat(cli.run("run", "--", "true")).isEqualTo(125);
        cli.guest = (cpu, step) -> FAILURE;
        assertThat(cli.run("run", "--", "true")).isEqualTo(125);
        assertThat(cli.run("run", "-m", "900G", "--", "true")).isEqualTo(125);
        assertThat(cli.run("run", "tiny:bookworm", "--mirror", "/nowhere", "--", "true"))
                .isEqualTo(125);
    }

    @Test
    void exitsWith6_whenACommandTakesTooLong() {
        cli.cacheImage();
        cli.guest = (cpu, step) -> cpu.halt();
        assertThat(cli.run("run", "--timeout", "50ms", "--", "sleep", "9")).isEqualTo(6);
    }

    @Test
    void pressesThePowerButton_whenSigtermArrives() throws Exception {
        CountDownLatch up = new CountDownLatch(1);
        cli.guest =
                (cpu, step) -> {
                    up.countDown();
                    return (cpu.in(0x600, 2) & 1 << 8) == 0 ? REQUESTED : CliFixture.powerOff(cpu);
                };
        CompletableFuture<Integer> code = CompletableFuture.supplyAsync(this::runKernel);
        up.await();
        cli.send(HostSignals.Signal.TERM);
        assertThat(code.get(30, TimeUnit.SECONDS)).isEqualTo(0);
        assertThat(cli.errors())
                .anyMatch(line -> line.contains("pressing the guest's power button"));
    }

    @Test
    void goesOn_whenSigcontArrivesWhileItIsPaused() throws Exception {
        CountDownLatch up = new CountDownLatch(1);
        AtomicBoolean end = new AtomicBoolean();
        cli.guest =
                (cpu, step) -> {
                    up.countDown();
                    return end.get() ? CliFixture.powerOff(cpu) : REQUESTED;
                };
        CompletableFuture<Integer> code = CompletableFuture.supplyAsync(this::runKernel);
        up.await();
        Machine machine = cli.machine.get();
        machine.pause();
        end.set(true);
        cli.send(HostSignals.Signal.CONT);
        assertThat(code.get(30, TimeUnit.SECONDS)).isEqualTo(0);
    }

    @Test
    void endsTheGuestAtOnce_whenSigtermArrivesWhileItIsPaused() throws Exception {
        CountDownLatch up = new CountDownLatch(1);
        cli.guest = (cpu, step) -> running(cpu, up);
        CompletableFuture<Integer> code =
                CompletableFuture.supplyAsync(() -> runKernel("--grace", "1h"));
        up.await();
        cli.machine.get().pause();
        cli.send(HostSignals.Signal.TERM);
        assertThat(code.get(30, TimeUnit.SECONDS)).isEqualTo(128 + 15);
    }

    @Test
    void endsTheGuest_whenItIgnoresThePowerButton() throws Exception {
        CountDownLatch up = new CountDownLatch(1);
        cli.guest = (cpu, step) -> running(cpu, up);
        CompletableFuture<Integer> code =
                CompletableFuture.supplyAsync(() -> runKernel("--grace", "20ms"));
        up.await();
        cli.send(HostSignals.Signal.TERM);
        assertThat(code.get(30, TimeUnit.SECONDS)).isEqualTo(128 + 15);
    }

    @Test
    void endsTheGuestAtOnce_whenASecondSignalArrives() throws Exception {
        CountDownLatch up = new CountDownLatch(1);
        cli.guest = (cpu, step) -> running(cpu, up);
        CompletableFuture<Integer> code =
                CompletableFuture.supplyAsync(() -> runKernel("--grace", "1h"));
        up.await();
        cli.send(HostSignals.Signal.INT);
        cli.send(HostSignals.Signal.INT);
        assertThat(code.get(30, TimeUnit.SECONDS)).isEqualTo(128 + 2);
    }

    private static ExitReason running(FakeVcpu cpu, CountDownLatch up) {
        up.countDown();
        return cpu.halt();
    }

    @Test
    void endsTheGuest_whenNobodyReadsItsConsoleAnyMore() {
        cli.standardOutput =
                new OutputStream() {
                    @Override
                    public void write(int b) throws IOException {
                        throw new IOException("Broken pipe");
                    }
                };
        cli.guest =
                (cpu, step) -> {
                    cpu.print("y\n");
                    return REQUESTED;
                };
        assertThat(runKernel()).isEqualTo(1);
        assertThat(cli.errors())
                .contains("javisor: Standard output is closed; the guest was ended");
    }

    @Test
    void typesStandardInput_whenItIsNoTerminal() {
        cli.in = new ByteArrayInputStream("ls\n".getBytes(StandardCharsets.US_ASCII));
        StringBuilder typed = new StringBuilder();
        cli.guest =
                (cpu, step) -> {
                    if (step == 0) {
                        cpu.out(0x3fc, 1, 3);
                    }
                    if ((cpu.in(0x3fd, 1) & 1) != 0) {
                        typed.append((char) cpu.in(0x3f8, 1));
                    }
                    return typed.length() == 3 ? CliFixture.powerOff(cpu) : REQUESTED;
                };
        assertThat(runKernel()).isEqualTo(0);
        assertThat(typed).hasToString("ls\n");
    }

    @Test
    void reportsFigures_whenAsked() {
        assertThat(runKernel("--stats")).isEqualTo(0);
        assertThat(cli.errors())
                .anyMatch(line -> line.matches(" *instructions +[0-9,]+"))
                .anyMatch(line -> line.matches(" *port acpi-pm +[0-9,]+"));
    }

    @Test
    void rebootsOrEnds_whenTheGuestResets() {
        cli.guest =
                (cpu, step) -> {
                    if (cpu.events().contains("reset")) {
                        return CliFixture.powerOff(cpu);
                    }
                    cpu.out(0xcf9, 1, 6);
                    return cpu.halt();
                };
        assertThat(runKernel()).isEqualTo(0);
        assertThat(cli.errors()).contains("javisor: The guest reboots (reset control register)");
        assertThat(runKernel("--no-reboot")).isEqualTo(0);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "-c 0 | 2 | A machine has 1 to 255 processors, not 0",
                "-c 10000 | 2 | A machine has 1 to 255 processors, not 10000",
                "-c x | 2 | 'x' is not an int",
                "-m 1M | 2 | A machine needs at least 16 MiB of memory, not 1 MiB",
                "-m 0 | 2 | A machine needs at least 16 MiB",
                "-m 17000K | 2 | Memory must be a multiple of 1 MiB",
                "-m lots | 2 | 'lots' is not a size such as 512M or 2GiB",
                "-m -5 | 2 | '-5' is not a size",
                "-m 99999999T | 2 | is more than any machine has",
                "--timeout soon | 2 | 'soon' is not a time such as 30s or 5m",
                "--engine qemu | 2 | 'qemu' is not an engine",
                "--escape abc | 2 | 'abc' is not a control key",
                "--name a/b | 2 | A machine's name is letters",
                "--gdb 65536 | 2 | --gdb needs a TCP port",
                "--gdb-wait | 2 | --gdb-wait needs --gdb",
                "--verify | 2 | --verify needs --engine translator",
                "--engine translator --verify -c 2 | 2 | --verify compares one processor",
                "--engine interpreter --perf-map | 2 | --perf-map needs --engine translator",
                "--log loud | 2 | expected one of",
                "--disk /nowhere/disk.img | 2 | /nowhere/disk.img",
                "--disk disk.img,colour=red | 2 | 'colour=red' is not an option of a disk",
                "--disk disk.img,iops=many | 2 | 'iops' is a number, not 'many'",
                "--balloon big | 2 | 'big' is not a size such as 512M or 2GiB",
                "--virtio isa | 2 | 'isa' is not a bus of virtio devices: pci, mmio",
                "--vsock 2 | 2 | A guest's context ID is 3 to 4294967294, not 2",
                "--vsock seven | 2 | 'seven' is not a context ID",
                "--vsock 7, | 2 | '' is not the name of a socket",
                "--vsock 7,/nowhere/socket | 2 | Cannot make the vsock socket /nowhere/socket",
                "--initrd /nowhere/initrd | 1 | there is no such file",
                "--initrd / | 1 | it is a directory",
                "--frobnicate | 2 | Unknown option",
                "tiny | 2 | Take either an image or --kernel",
                "-- ls | 2 | A command after '--' needs an image",
                "-- | 2 | A command is missing after '--'",
            })
    void saysInOneLineWhatIsWrong_whenTheInputIsBad(String more, int code, String message) {
        assertThat(runKernel(more.split(" "))).isEqualTo(code);
        assertThat(cli.errors()).hasSize(1).first().asString().contains(message);
        assertThat(cli.output()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "run nosuch | 2 | No image is called 'nosuch'",
                "run --initrd x | 2 | --initrd needs --kernel",
                "run --kernel /nowhere/vmlinuz | 1 | /nowhere/vmlinuz",
                "run --kernel / | 1 | /",
                "run tiny extra | 2 | extra",
                "image | 2 | Say what to do, for example ls, pull",
                "image pull | 2 | NAME",
                "image pull nosuch | 2 | No image is called",
                "image rm tiny | 1 | The image tiny is not in the cache",
                "image pull tiny --mirror ftp://x | 2 | neither an http",
                "fly | 2 | fly",
                "help fly | 2 | There is no command 'fly'",
                "bench | 7 | source tree",
            })
    void saysInOneLineWhatIsWrong_whenTheCommandIs(String line, int code, String message) {
        assertThat(cli.run(line.split(" "))).isEqualTo(code);
        assertThat(cli.errors()).hasSize(1).first().asString().contains(message);
    }

    @Test
    void exitsWith2_whenThereIsNoCommand() {
        assertThat(cli.run()).isEqualTo(2);
        assertThat(cli.errors())
                .containsExactly("javisor: A command is missing; see 'javisor --help'");
    }
}
