package org.javisor.machine;

import java.nio.file.Path;
import java.util.Optional;
import org.javisor.device.Clock;
import org.javisor.storage.FullDiskHandler;
import org.javisor.virtio.blk.VirtioBlk;

/**
 * Pauses the machine when the host's disk is full, and holds the guest's writes up until it goes
 * on; then they are tried again. The guest notices nothing. A reset of the device lets them fail.
 */
final class FullDisk implements FullDiskHandler {
    private final Path file;
    private final GuestRequests requests;
    private final Clock clock;

    /** Machine time stands still while the machine is paused, so that it fires when it goes on. */
    private final Clock.Alarm goesOn;

    private volatile Optional<VirtioBlk> device = Optional.empty();
    private volatile int resumes;

    /** The value of {@link #resumes} for which the machine has been paused already. */
    private int pausedFor = -1;

    FullDisk(Path file, PciDevice.Surroundings surroundings) {
        this.file = file;
        requests = surroundings.requests();
        clock = surroundings.clock();
        goesOn = clock.newAlarm(this::resumed);
    }

    void connect(VirtioBlk disk) {
        device = Optional.of(disk);
    }

    @Override
    public boolean retryAfter(String message) {
        int before;
        synchronized (this) {
            before = resumes;
            if (pausedFor != before) {
                pausedFor = before;
                requests.pause("there is no room on the host for %s (%s)".formatted(file, message));
                goesOn.arm(clock.nanos());
            }
        }
        return device.map(disk -> disk.hold(() -> resumes != before)).orElse(false);
    }

    private void resumed() {
        synchronized (this) {
            resumes++;
        }
        device.ifPresent(VirtioBlk::lookAgain);
    }
}
