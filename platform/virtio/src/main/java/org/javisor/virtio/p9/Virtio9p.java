package org.javisor.virtio.p9;

import java.nio.charset.StandardCharsets;
import org.javisor.device.DeviceState;
import org.javisor.share.P9Session;
import org.javisor.share.P9State;
import org.javisor.share.SharedFolder;
import org.javisor.virtio.ConfigImage;
import org.javisor.virtio.DriverSetup;
import org.javisor.virtio.VirtioDevice;
import org.javisor.virtio.VirtioSignals;

/** A shared folder. Takes over the folder, and closes it. */
public final class Virtio9p implements VirtioDevice {
    private static final int DEVICE_ID = 9;

    /** As many requests as Linux has under way. */
    private static final int QUEUE_SIZE = 128;

    private static final int MOUNT_TAG = 0;

    private final SharedFolder folder;
    private final P9Session session;
    private final RequestThreads threads;
    private final byte[] tag;

    /**
     * @param name of its threads
     * @param tag under which the guest mounts it
     */
    public Virtio9p(String name, SharedFolder folder, String tag) {
        this.folder = folder;
        this.tag = tag.getBytes(StandardCharsets.UTF_8);
        session = folder.newSession();
        threads = new RequestThreads(name, session);
    }

    @Override
    public int deviceId() {
        return DEVICE_ID;
    }

    @Override
    public long features() {
        return 1L << MOUNT_TAG;
    }

    @Override
    public int[] queueSizes() {
        return new int[] {QUEUE_SIZE};
    }

    @Override
    public int configSize() {
        return 2 + tag.length;
    }

    /** The tag's length, then the tag. */
    @Override
    public long readConfig(int offset, int size) {
        return new ConfigImage(configSize()).put(0, 2, tag.length).put(2, tag).get(offset, size);
    }

    @Override
    public void connect(VirtioSignals signals) {}

    @Override
    public void activate(DriverSetup setup) {
        threads.start(setup.queue(0));
    }

    @Override
    public void notified(int queue) {
        threads.notified();
    }

    @Override
    public void reset() {
        threads.stop();
        session.reset();
    }

    /**
     * @param session what the guest has open
     */
    public record State(P9State session) implements DeviceState {
        @Override
        public int version() {
            return 1;
        }
    }

    @Override
    public DeviceState save() {
        threads.finish();
        return new State(session.save());
    }

    @Override
    public void restore(DeviceState state) {
        session.restore(((State) state).session());
    }

    @Override
    public void close() {
        threads.close();
        session.close();
        folder.close();
    }
}
