package org.javisor.virtio.net;

import java.util.HashSet;
import java.util.Set;
import org.javisor.virtio.DescriptorChain;
import org.javisor.virtio.Virtqueue;

/** Carries out the driver's commands (virtio 1.2, 5.1.6.5). Called under its device's lock. */
final class ControlQueue {
    private static final int OK = 0;
    private static final int ERROR = 1;

    private static final int CLASS_RX = 0;
    private static final int CLASS_MAC = 1;
    private static final int CLASS_VLAN = 2;
    private static final int CLASS_MQ = 4;
    private static final int CLASS_GUEST_OFFLOADS = 5;

    /** Addresses that a filter may list; a driver with more asks for everything. */
    private static final int MAXIMUM_ADDRESSES = 256;

    private static final int MAXIMUM_VLAN = 4095;

    /** What commands change. */
    interface Settings {
        ReceiveFilter filter();

        void setFilter(ReceiveFilter filter);

        /**
         * @return false for a number that is not possible
         */
        boolean usePairs(int count);

        /**
         * @return false if something was not negotiated
         */
        boolean setOffloads(long features);
    }

    private final Settings settings;
    private final DescriptorChain chain = new DescriptorChain();

    ControlQueue(Settings settings) {
        this.settings = settings;
    }

    /** Carries out what there is. */
    void work(Virtqueue queue, long features) {
        while (queue.next(chain)) {
            int result = execute(features) ? OK : ERROR;
            // The answer is the last byte there is room for; a driver gives one.
            long place = chain.writableLength();
            if (place > 0) {
                chain.writeNumber(0, 1, result);
            }
            queue.addUsed(chain, place > 0 ? 1 : 0);
        }
        queue.flushUsed();
    }

    private boolean execute(long features) {
        if (chain.readableLength() < 2) {
            return false;
        }
        int command = (int) chain.readNumber(1, 1);
        return switch ((int) chain.readNumber(0, 1)) {
            case CLASS_RX -> NetFeature.in(features, NetFeature.CTRL_RX) && mode(command);
            case CLASS_MAC -> address(command, features);
            case CLASS_VLAN -> NetFeature.in(features, NetFeature.CTRL_VLAN) && vlan(command);
            case CLASS_MQ ->
                    command == 0
                            && has(2)
                            && NetFeature.in(features, NetFeature.MQ)
                            && settings.usePairs((int) chain.readNumber(2, 2));
            case CLASS_GUEST_OFFLOADS ->
                    command == 0
                            && has(8)
                            && NetFeature.in(features, NetFeature.CTRL_GUEST_OFFLOADS)
                            && settings.setOffloads(chain.readNumber(2, 8));
            default -> false;
        };
    }

    private boolean has(int length) {
        return chain.readableLength() >= 2 + length;
    }

    private boolean mode(int command) {
        if (!has(1)) {
            return false;
        }
        boolean on = chain.readNumber(2, 1) != 0;
        ReceiveFilter filter = settings.filter();
        switch (command) {
            case 0 -> settings.setFilter(filter.withEverything(on));
            case 1 -> settings.setFilter(filter.withAllGroups(on));
            default -> {
                return false;
            }
        }
        return true;
    }

    private boolean address(int command, long features) {
        if (command == 1 && NetFeature.in(features, NetFeature.CTRL_MAC_ADDR) && has(6)) {
            settings.setFilter(settings.filter().withMac(mac(2)));
            return true;
        }
        if (command != 0 || !NetFeature.in(features, NetFeature.CTRL_RX)) {
            return false;
        }
        // Two tables, of unicast and of multicast addresses, each after its number of entries.
        Set<Long> addresses = new HashSet<>();
        long at = 2;
        for (int table = 0; table < 2; table++) {
            if (at + 4 > chain.readableLength()) {
                return false;
            }
            long entries = chain.readNumber(at, 4);
            at += 4;
            if (entries > MAXIMUM_ADDRESSES || at + 6 * entries > chain.readableLength()) {
                return false;
            }
            for (int i = 0; i < entries; i++, at += 6) {
                addresses.add(mac(at));
            }
        }
        settings.setFilter(settings.filter().withAddresses(addresses));
        return true;
    }

    private long mac(long offset) {
        return Long.reverseBytes(chain.readNumber(offset, 6)) >>> 16;
    }

    private boolean vlan(int command) {
        int id = has(2) ? (int) chain.readNumber(2, 2) : MAXIMUM_VLAN + 1;
        if (id > MAXIMUM_VLAN || command > 1) {
            return false;
        }
        settings.setFilter(settings.filter().withVlan(id, command == 0));
        return true;
    }
}
