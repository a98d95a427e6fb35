package org.javisor.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import org.javisor.memory.GuestMemory;
import org.javisor.storage.MemoryDisk;
import org.javisor.testkit.FakeClock;
import org.javisor.virtio.blk.BlkConfig;
import org.javisor.virtio.blk.VirtioBlk;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FullDiskTest {
    private final FakeClock clock = new FakeClock();
    private final BlockingQueue<String> pauses = new LinkedBlockingQueue<>();
    private final List<String> others = new CopyOnWriteArrayList<>();
    private GuestMemory memory;
    private VirtioBlk device;
    private FullDisk full;

    private final GuestRequests requests =
            new GuestRequests() {
                @Override
                public void powerOff() {
                    others.add("power off");
                }

                @Override
                public void reset(String cause) {
                    others.add("reset");
                }

                @Override
                public void pause(String cause) {
                    pauses.add(cause);
                }

                @Override
                public void watchdogExpired(WatchdogAction action) {
                    others.add("watchdog");
                }
            };

    @BeforeEach
    void plug() {
        memory = GuestMemory.allocate(1 << 20);
        device =
                new VirtioBlk(
                        "disk",
                        new MemoryDisk(1 << 20, false),
                        BlkConfig.DEFAULT,
                        clock,
                        failure -> {});
        full =
                new FullDisk(
                        Path.of("disk.raw"),
                        new PciDevice.Surroundings("machine", 1, memory, clock, requests));
        full.connect(device);
    }

    @AfterEach
    void close() {
        device.close();
        memory.close();
        assertThat(others).isEmpty();
    }

    /** A request that finds the disk full until there is room. */
    private CompletableFuture<Boolean> write(AtomicBoolean room) {
        return CompletableFuture.supplyAsync(
                () -> {
                    while (!room.get()) {
                        if (!full.retryAfter("No space left")) {
                            return false;
                        }
                    }
                    return true;
                },
                task -> Thread.ofPlatform().daemon().start(task));
    }

    /** What the machine does with its clock when it goes on; again, as it is paused before that. */
    private void resumeUntil(BooleanSupplier seen) {
        while (!seen.getAsBoolean()) {
            clock.advance(1);
            Thread.onSpinWait();
        }
    }

    @Test
    void theMachinePausesAndTheWriteIsTriedAgain_whenItGoesOn() throws Exception {
        AtomicBoolean room = new AtomicBoolean();
        CompletableFuture<Boolean> write = write(room);
        assertThat(pauses.take())
                .isEqualTo("there is no room on the host for disk.raw (No space left)");
        assertThat(write).isNotDone();
        room.set(true);
        resumeUntil(write::isDone);
        assertThat(write.get()).isTrue();
        assertThat(pauses).isEmpty();
    }

    @Test
    void theMachinePausesAgain_whenThereIsStillNoRoom() throws Exception {
        AtomicBoolean room = new AtomicBoolean();
        CompletableFuture<Boolean> write = write(room);
        for (int i = 0; i < 3; i++) {
            pauses.take();
            assertThat(write).isNotDone();
            resumeUntil(() -> !pauses.isEmpty());
        }
        room.set(true);
        resumeUntil(write::isDone);
        assertThat(write.get()).isTrue();
    }

    @Test
    void allRequestsGoOn_whenSeveralFoundTheDiskFull() throws Exception {
        AtomicBoolean room = new AtomicBoolean();
        List<CompletableFuture<Boolean>> writes =
                List.of(write(room), write(room), write(room), write(room));
        pauses.take();
        room.set(true);
        // One that comes to the full disk only now pauses the machine once more.
        resumeUntil(() -> writes.stream().allMatch(CompletableFuture::isDone));
        assertThat(writes).allMatch(CompletableFuture::join);
    }

    @Test
    void theWriteFails_whenTheDeviceIsReset() throws Exception {
        CompletableFuture<Boolean> write = write(new AtomicBoolean());
        pauses.take();
        // It may not have begun to wait: a reset lets only requests fail that are under way.
        while (!write.isDone()) {
            device.reset();
        }
        assertThat(write.get()).isFalse();
    }
}
