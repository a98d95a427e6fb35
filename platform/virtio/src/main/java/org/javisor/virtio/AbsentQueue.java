package org.javisor.virtio;

import org.javisor.memory.GuestMemory;

/** A queue that the driver did not set up: always empty. */
final class AbsentQueue extends Virtqueue {
    AbsentQueue(GuestMemory memory) {
        super(memory, 0, () -> {}, VirtioSignals.UNCONNECTED);
        kill();
    }

    @Override
    public int size() {
        return 0;
    }

    @Override
    Position position() {
        return new Position(0, 0);
    }

    @Override
    boolean available() {
        return false;
    }

    @Override
    boolean take(DescriptorChain chain) {
        return false;
    }

    @Override
    void untake(DescriptorChain chain) {}

    @Override
    void put(DescriptorChain chain, int written) {}

    @Override
    boolean publish() {
        return false;
    }

    @Override
    void askForNotifications() {}

    @Override
    void declineNotifications() {}
}
