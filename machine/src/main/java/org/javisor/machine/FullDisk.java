package org.javisor.machine;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.javisor.storage.FullDiskHandler;
import org.javisor.virtio.blk.VirtioBlk;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Holds a guest's write up while the host's disk is full, and tries it again each second. To the
 * guest its disk is very slow; nothing is lost. A reset of the device lets the write fail.
 */
final class FullDisk implements FullDiskHandler {
    private static final Logger LOG = LoggerFactory.getLogger(FullDisk.class);
    private static final Duration PAUSE = Duration.ofSeconds(1);

    private final Path file;
    private volatile Optional<VirtioBlk> device = Optional.empty();
    private boolean told;

    FullDisk(Path file) {
        this.file = file;
    }

    void connect(VirtioBlk disk) {
        device = Optional.of(disk);
    }

    @Override
    public boolean retryAfter(String message) {
        synchronized (this) {
            if (!told) {
                told = true;
                LOG.warn("{}; the guest's writes to {} wait until there is room", message, file);
            }
        }
        return device.map(disk -> disk.pause(PAUSE)).orElse(false);
    }
}
