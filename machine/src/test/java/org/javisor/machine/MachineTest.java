package org.javisor.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.javisor.hypervisor.ExitReason.DEBUG;
import static org.javisor.hypervisor.ExitReason.FAILURE;
import static org.javisor.hypervisor.ExitReason.REQUESTED;
import static org.javisor.hypervisor.ExitReason.SHUTDOWN;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.javisor.hypervisor.ExitReason;
import org.javisor.pci.PciAddress;
import org.javisor.pci.PciFunction;
import org.javisor.pci.PciIdentity;
import org.javisor.testkit.FakeGuest;
import org.javisor.testkit.FakeHypervisor;
import org.javisor.testkit.FakeKernel;
import org.javisor.testkit.FakeVcpu;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class MachineTest {
    private static final int PM1A_CONTROL = 0x604;
    private static final int SOFT_OFF = 5 << 10 | 1 << 13;

    @TempDir Path directory;

    private final ByteArrayOutputStream output = new ByteArrayOutputStream();
    private final BlockingQueue<String> events = new ArrayBlockingQueue<>(1000);

    private final MachineListener listener =
            new MachineListener() {
                @Override
                public void reset(String cause) {
                    events.add("reset: " + cause);
                }

                @Override
                public void panicked(String line) {
                    events.add("panicked: " + line);
                }

                @Override
                public void ended(MachineEnd end) {
                    events.add("ended: " + end.reason());
                }
            };

    private MachineConfig.Builder config() {
        return MachineConfig.builder(FakeKernel.in(directory))
                .memory(32L << 20)
                .listener(listener)
                .console(output::write);
    }

    private static Machine create(MachineConfig.Builder config, FakeGuest guest) {
        return Machine.create(
                config.build(), new EngineSelection(new FakeHypervisor(guest), "fake"));
    }

    private MachineEnd run(MachineConfig.Builder config, FakeGuest guest) throws Exception {
        try (Machine machine = create(config, guest)) {
            machine.start();
            return machine.awaitEnd();
        }
    }

    private static ExitReason powerOff(FakeVcpu cpu) {
        cpu.out(PM1A_CONTROL, 2, SOFT_OFF);
        return REQUESTED;
    }

    private String console() {
        return output.toString(StandardCharsets.ISO_8859_1);
    }

    @Test
    void endsWithAllOutputDelivered_whenTheGuestPowersOff() throws Exception {
        MachineEnd end =
                run(
                        config(),
                        (cpu, step) -> {
                            if (step == 0) {
                                cpu.print("hello\r\nworld");
                                return REQUESTED;
                            }
                            return powerOff(cpu);
                        });
        assertThat(end.reason()).isEqualTo(EndReason.POWER_OFF);
        assertThat(end.consoleTail()).containsExactly("hello", "world");
        assertThat(console()).isEqualTo("hello\r\nworld");
        assertThat(events).containsExactly("ended: POWER_OFF");
    }

    @Test
    void startsOver_whenTheGuestResets() throws Exception {
        AtomicInteger boots = new AtomicInteger();
        MachineEnd end =
                run(
                        config().cpus(2),
                        (cpu, step) -> {
                            switch (step == 0 ? boots.incrementAndGet() : 0) {
                                case 1 -> cpu.out(0xcf9, 1, 6);
                                case 2 -> cpu.out(0x64, 1, 0xfe);
                                case 3 -> cpu.out(0x92, 1, 1);
                                case 4 -> powerOff(cpu);
                                default -> cpu.halt();
                            }
                            return REQUESTED;
                        });
        assertThat(end.reason()).isEqualTo(EndReason.POWER_OFF);
        assertThat(events)
                .containsExactly(
                        "reset: reset control register",
                        "reset: keyboard controller",
                        "reset: port 92h",
                        "ended: POWER_OFF");
    }

    @Test
    void resetsDevicesAndInstallsTheKernelAgain_whenTheGuestResets() throws Exception {
        List<Object> seen = new ArrayList<>();
        AtomicInteger boots = new AtomicInteger();
        try (Machine machine =
                create(
                        config(),
                        (cpu, step) -> {
                            seen.add(cpu.in(0x3ff, 1));
                            cpu.out(0x3ff, 1, 0x5a);
                            if (boots.incrementAndGet() == 1) {
                                cpu.out(0xcf9, 1, 6);
                                return cpu.halt();
                            }
                            return powerOff(cpu);
                        })) {
            long entry = machine.vcpus().getFirst().state().rip;
            int code = machine.memory().read8(0x100000);
            machine.memory().write8(0x100000, 0);
            machine.start();
            machine.awaitEnd();
            assertThat(seen).containsExactly(0, 0);
            assertThat(machine.memory().read8(0x100000)).isEqualTo(code);
            assertThat(machine.vcpus().getFirst().state().rip).isEqualTo(entry);
            assertThat(machine.statistics().resets()).isEqualTo(1);
        }
    }

    @Test
    void endsInsteadOfRebooting_whenToldSo() throws Exception {
        MachineEnd end =
                run(
                        config().rebootOnReset(false),
                        (cpu, step) -> {
                            cpu.out(0xcf9, 1, 6);
                            return cpu.halt();
                        });
        assertThat(end.reason()).isEqualTo(EndReason.RESET);
    }

    @Test
    void reportsWhere_whenTheProcessorTripleFaults() throws Exception {
        MachineEnd end = run(config(), (cpu, step) -> SHUTDOWN);
        assertThat(end.reason()).isEqualTo(EndReason.TRIPLE_FAULT);
        assertThat(end.detail()).matches("vCPU 0 at [0-9a-f]{4}:[0-9a-f]{16}");
    }

    @Test
    void reboots_whenATripleFaultFollowsAnAnnouncedRestart() throws Exception {
        AtomicInteger boots = new AtomicInteger();
        MachineEnd end =
                run(
                        config(),
                        (cpu, step) -> {
                            if (boots.incrementAndGet() > 1) {
                                return powerOff(cpu);
                            }
                            cpu.print("[    9.1] reboot: Restarting system\n");
                            return SHUTDOWN;
                        });
        assertThat(end.reason()).isEqualTo(EndReason.POWER_OFF);
        assertThat(events).first().isEqualTo("reset: triple fault");
    }

    @Test
    void endsWithPanic_whenTheKernelResetsAfterOne() throws Exception {
        MachineEnd end =
                run(
                        config(),
                        (cpu, step) -> {
                            cpu.print("[    1.0] Kernel panic - not syncing: no init\r\n");
                            cpu.print("[    1.1] Rebooting in 1 seconds..\r\n");
                            cpu.out(0xcf9, 1, 6);
                            return cpu.halt();
                        });
        assertThat(end.reason()).isEqualTo(EndReason.PANIC);
        assertThat(end.detail()).isEqualTo("Kernel panic - not syncing: no init");
        assertThat(end.consoleTail()).hasSize(2);
        assertThat(events)
                .containsExactly("panicked: Kernel panic - not syncing: no init", "ended: PANIC");
    }

    @Test
    void endsWithPanic_whenTheKernelHangsAfterOne() throws Exception {
        MachineEnd end =
                run(
                        config(),
                        (cpu, step) -> {
                            if (step == 0) {
                                cpu.print("[ 1.0] Kernel panic - not syncing: hung\r\n");
                                cpu.print(
                                        "[ 1.0] ---[ end Kernel panic - not syncing: hung ]---\r\n");
                            }
                            return cpu.halt();
                        });
        assertThat(end.reason()).isEqualTo(EndReason.PANIC);
    }

    @Test
    void goesOn_whenAPanicsTextIsOnlyPrinted() throws Exception {
        AtomicInteger boots = new AtomicInteger();
        MachineEnd end =
                run(
                        config(),
                        (cpu, step) -> {
                            if (boots.incrementAndGet() > 1) {
                                return powerOff(cpu);
                            }
                            cpu.print("Kernel panic - not syncing: old log\n");
                            cpu.print("---[ end Kernel panic - not syncing: old log ]---\n");
                            cpu.print("[   90.0] reboot: Restarting system\n");
                            cpu.out(0xcf9, 1, 6);
                            return cpu.halt();
                        });
        assertThat(end.reason()).isEqualTo(EndReason.POWER_OFF);
    }

    @Test
    void reportsOneLine_whenTheEngineFailsOrThrows() throws Exception {
        assertThat(run(config(), (cpu, step) -> FAILURE).detail())
                .startsWith("The fake guest failed, vCPU 0 at ");
        MachineEnd end =
                run(
                        config().cpus(2),
                        (cpu, step) -> {
                            throw new IllegalStateException("defect");
                        });
        assertThat(end.reason()).isEqualTo(EndReason.FAILURE);
        assertThat(end.detail()).isEqualTo("Internal error, IllegalStateException: defect");
    }

    @Test
    void standsStill_whilePaused() throws Exception {
        try (Machine machine = create(config().cpus(2), (cpu, step) -> REQUESTED)) {
            machine.start();
            machine.pause();
            assertThat(machine.state()).isEqualTo(MachineState.PAUSED);
            long instructions = machine.statistics().engine().instructions();
            long time = machine.clock().nanos();
            machine.pause();
            assertThat(machine.statistics().engine().instructions()).isEqualTo(instructions);
            assertThat(machine.clock().nanos()).isEqualTo(time);
            machine.resume();
            while (machine.statistics().engine().instructions() == instructions) {
                Thread.onSpinWait();
            }
            assertThat(machine.state()).isEqualTo(MachineState.RUNNING);
        }
    }

    @Test
    void resetsLater_whenResetWhilePaused() throws Exception {
        try (Machine machine = create(config(), (cpu, step) -> cpu.halt())) {
            machine.start();
            machine.pause();
            machine.reset();
            machine.resume();
            assertThat(events.poll(30, TimeUnit.SECONDS)).isEqualTo("reset: reset button");
        }
    }

    @Test
    void canBeStopped_whenTheGuestNeverPauses() throws Exception {
        try (Machine machine = create(config(), (cpu, step) -> REQUESTED)) {
            machine.start();
            machine.stop();
            assertThat(machine.awaitEnd().reason()).isEqualTo(EndReason.STOPPED);
        }
    }

    @Test
    void canBeStoppedAndPaused_whenTheSinkBlocks() throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        ByteSink stuck =
                (data, offset, length) -> {
                    try {
                        never.await();
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                };
        try (Machine machine =
                create(
                        config().console(stuck),
                        (cpu, step) -> {
                            cpu.print("flood");
                            return REQUESTED;
                        })) {
            machine.start();
            machine.pause();
            machine.resume();
            machine.stop();
            assertThat(machine.awaitEnd().reason()).isEqualTo(EndReason.STOPPED);
        }
        never.countDown();
    }

    @Test
    void ends_whenClosedBeforeItStarted() throws Exception {
        Machine machine = create(config(), (cpu, step) -> REQUESTED);
        machine.close();
        machine.close();
        assertThat(machine.awaitEnd().reason()).isEqualTo(EndReason.STOPPED);
        assertThatThrownBy(machine::start).isInstanceOf(MachineException.class);
    }

    @Test
    void startsTheOthers_whenTheFirstProcessorSendsInitAndStartup() throws Exception {
        List<FakeVcpu> seen = new ArrayList<>();
        MachineEnd end =
                run(
                        config().cpus(2),
                        (cpu, step) -> {
                            if (cpu.index() == 1) {
                                seen.add(cpu);
                                return powerOff(cpu);
                            }
                            if (step == 0) {
                                cpu.store(0xfee00310L, 4, 1L << 24);
                                cpu.store(0xfee00300L, 4, 0x4500);
                                cpu.store(0xfee00300L, 4, 0x4600 | 0x9f);
                            }
                            return cpu.halt();
                        });
        assertThat(end.reason()).isEqualTo(EndReason.POWER_OFF);
        assertThat(seen.getFirst().events()).containsExactly("init", "startup 9f");
    }

    @Test
    void tellsTheGuest_whenThePowerButtonIsPressed() throws Exception {
        CountDownLatch listening = new CountDownLatch(1);
        try (Machine machine =
                create(
                        config(),
                        (cpu, step) -> {
                            if (step == 0) {
                                cpu.out(0x602, 2, 1 << 8);
                                listening.countDown();
                            }
                            return (cpu.in(0x600, 2) & 1 << 8) != 0 ? powerOff(cpu) : REQUESTED;
                        })) {
            machine.start();
            listening.await();
            machine.pressPowerButton();
            assertThat(machine.awaitEnd().reason()).isEqualTo(EndReason.POWER_OFF);
        }
    }

    @Test
    void echoes_whenTheHostSendsMoreThanTheChipHolds() throws Exception {
        byte[] sent = new byte[100_000];
        for (int i = 0; i < sent.length; i++) {
            sent[i] = (byte) ('a' + i % 26);
        }
        AtomicInteger received = new AtomicInteger();
        try (Machine machine =
                create(
                        config(),
                        (cpu, step) -> {
                            if (step == 0) {
                                cpu.out(0x3fa, 1, 1);
                                cpu.out(0x3fc, 1, 3);
                            }
                            while ((cpu.in(0x3fd, 1) & 1) != 0) {
                                cpu.out(0x3f8, 1, cpu.in(0x3f8, 1));
                                received.incrementAndGet();
                            }
                            return received.get() == sent.length ? powerOff(cpu) : REQUESTED;
                        })) {
            machine.start();
            machine.console().send(sent);
            machine.awaitEnd();
        }
        assertThat(output.toByteArray()).isEqualTo(sent);
    }

    @Test
    void stopsAllProcessors_whenADebuggerIsAttachedAndOneStops() throws Exception {
        try (Machine machine =
                create(config().cpus(2), (cpu, step) -> step == 5 ? DEBUG : REQUESTED)) {
            machine.attachDebugger(vcpu -> events.add("stopped: " + vcpu));
            machine.start();
            assertThat(events.poll(30, TimeUnit.SECONDS)).isEqualTo("stopped: 0");
            long before = machine.statistics().engine().instructions();
            assertThat(before).isEqualTo(6);
            machine.resume();
            while (machine.statistics().engine().instructions() == before) {
                Thread.onSpinWait();
            }
        }
    }

    @Test
    void runsBesideAnother_whenTwoAreInOneProcess() throws Exception {
        CountDownLatch both = new CountDownLatch(2);
        FakeGuest guest =
                (cpu, step) -> {
                    if (step == 0) {
                        both.countDown();
                    }
                    return both.getCount() == 0 ? powerOff(cpu) : REQUESTED;
                };
        try (Machine first = create(config().name("first"), guest);
                Machine second = create(config().name("second"), guest)) {
            first.start();
            second.start();
            assertThat(first.awaitEnd().reason()).isEqualTo(EndReason.POWER_OFF);
            assertThat(second.awaitEnd().reason()).isEqualTo(EndReason.POWER_OFF);
        }
    }

    @Test
    void countsAccessesByDevice() throws Exception {
        try (Machine machine =
                create(
                        config(),
                        (cpu, step) -> {
                            cpu.in(0x3fd, 1);
                            cpu.load(0xfee00020L, 4);
                            cpu.load(0xfec00000L, 4);
                            return powerOff(cpu);
                        })) {
            machine.start();
            machine.awaitEnd();
            MachineStatistics statistics = machine.statistics();
            assertThat(statistics.portAccesses())
                    .containsEntry("com1", 1L)
                    .containsEntry("pit", 0L);
            assertThat(statistics.mmioAccesses())
                    .containsEntry("local-apic", 1L)
                    .containsEntry("io-apic", 1L);
        }
    }

    @Test
    void readsAllOnes_whenNothingIsThere() throws Exception {
        List<Object> read = new ArrayList<>();
        run(
                config(),
                (cpu, step) -> {
                    read.add(cpu.in(0xcfc, 4));
                    read.add(cpu.load(0xf0000000L, 8));
                    read.add(cpu.load(0xfee00ffcL, 8));
                    return powerOff(cpu);
                });
        assertThat(read.subList(0, 2)).containsExactly(-1, -1L);
    }

    /** Lets the watchdog of slot 1 run out after the shortest time. */
    private static void startWatchdog(FakeVcpu cpu) {
        cpu.out(0xcf8, 4, 0x8000_0810);
        long bar = cpu.in(0xcfc, 4) & 0xffff_ffffL;
        for (int register = 0; register < 8; register += 4) {
            cpu.store(bar + 0xc, 2, 0x80);
            cpu.store(bar + 0xc, 2, 0x86);
            cpu.store(bar + register, 4, 1);
        }
        cpu.out(0xcf8, 4, 0x8000_0868);
        cpu.out(0xcfc, 1, 2);
    }

    @Test
    void endsAsFailed_whenTheWatchdogRunsOut() throws Exception {
        MachineEnd end =
                run(
                        config().watchdog(WatchdogAction.POWEROFF),
                        (cpu, step) -> {
                            if (step == 0) {
                                startWatchdog(cpu);
                            }
                            return cpu.halt();
                        });
        assertThat(end.reason()).isEqualTo(EndReason.WATCHDOG);
    }

    @Test
    void startsOver_whenTheWatchdogRunsOut() throws Exception {
        AtomicInteger boots = new AtomicInteger();
        run(
                config().watchdog(WatchdogAction.RESET),
                (cpu, step) -> {
                    if (step == 0 && boots.incrementAndGet() == 2) {
                        return powerOff(cpu);
                    }
                    if (step == 0) {
                        startWatchdog(cpu);
                    }
                    return cpu.halt();
                });
        assertThat(events).containsExactly("reset: watchdog", "ended: POWER_OFF");
    }

    @Test
    void pausesUntilResumed_whenTheWatchdogRunsOut() throws Exception {
        AtomicInteger steps = new AtomicInteger();
        CountDownLatch paused = new CountDownLatch(1);
        MachineListener tells =
                new MachineListener() {
                    @Override
                    public void paused(String cause) {
                        events.add("paused: " + cause);
                        paused.countDown();
                    }
                };
        FakeGuest guest =
                (cpu, step) -> {
                    if (steps.getAndIncrement() == 0) {
                        startWatchdog(cpu);
                    }
                    return events.isEmpty() ? cpu.halt() : powerOff(cpu);
                };
        try (Machine machine =
                create(config().listener(tells).watchdog(WatchdogAction.PAUSE), guest)) {
            machine.start();
            paused.await();
            assertThat(machine.state()).isEqualTo(MachineState.PAUSED);
            machine.resume();
            assertThat(machine.awaitEnd().reason()).isEqualTo(EndReason.POWER_OFF);
        }
        assertThat(events).containsExactly("paused: watchdog");
    }

    @Test
    void isRefused_whenTwoDevicesWantOneSlot() {
        PciFunction function =
                PciFunction.builder("card", PciIdentity.of(0x1234, 1, 0xff0000)).build();
        MachineConfig.Builder config =
                config().device(new PciAddress(0, 0), parts -> PciDevice.of(function));
        assertThatThrownBy(() -> create(config, (cpu, step) -> powerOff(cpu)))
                .isInstanceOf(MachineException.class)
                .hasMessage("PCI slot 00:00.0 belongs to pci-host");
    }

    @Test
    void closesItsDevices_whenItEnds() throws Exception {
        PciFunction function =
                PciFunction.builder("card", PciIdentity.of(0x1234, 1, 0xff0000)).build();
        PciDevice device =
                new PciDevice() {
                    @Override
                    public PciFunction function() {
                        return function;
                    }

                    @Override
                    public void close() {
                        events.add("closed");
                    }
                };
        run(config().device(parts -> device), (cpu, step) -> powerOff(cpu));
        assertThat(events).containsExactly("ended: POWER_OFF", "closed");
    }
}
