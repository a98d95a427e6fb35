package org.javisor.network;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * A learning Ethernet switch (IEEE 802.1D, without the spanning tree: its ports are machines).
 * Frames go to the port where their target was last heard of, and to all others until it was. Ports
 * that are isolated reach those that are not, and nobody else.
 */
public final class Switch {
    /** Addresses that are remembered; a guest that makes up others pushes out the oldest. */
    private static final int MAXIMUM_ADDRESSES = 4096;

    private final String name;
    private final List<Port> ports = new CopyOnWriteArrayList<>();
    private final Map<Long, Port> places =
            new LinkedHashMap<>(64, 0.75f, true) {
                private static final long serialVersionUID = 1;

                @Override
                protected boolean removeEldestEntry(Map.Entry<Long, Port> eldest) {
                    return size() > MAXIMUM_ADDRESSES;
                }
            };

    public Switch(String name) {
        this.name = name;
    }

    public String name() {
        return name;
    }

    /** A new port, for one card. */
    public Network newPort(boolean isolated) {
        return new Port(isolated);
    }

    /** How many cards are plugged in. */
    public int cards() {
        return ports.size();
    }

    private final class Port implements Network, LinkEnd {
        private final boolean isolated;
        private final SwitchQueue queue = new SwitchQueue();
        private volatile LinkEnd card;

        Port(boolean isolated) {
            this.isolated = isolated;
        }

        @Override
        public LinkEnd connect(LinkEnd end) {
            if (card != null) {
                throw new IllegalStateException("A card is plugged in already");
            }
            card = end;
            queue.connect(end);
            ports.add(this);
            return this;
        }

        @Override
        public boolean deliver(Frame frame) {
            if (frame.part(0).remaining() < IpOutput.ETHERNET) {
                return true;
            }
            int at = frame.part(0).position();
            long target = MacAddress.read(frame.part(0), at);
            learn(MacAddress.read(frame.part(0), at + 6));
            Port place = place(target);
            if (place == null) {
                for (Port port : ports) {
                    pass(frame, port);
                }
            } else {
                pass(frame, place);
            }
            // What has no room is lost, so that a slow guest does not hold up the others.
            return true;
        }

        private void learn(long source) {
            if (!MacAddress.isGroup(source)) {
                synchronized (places) {
                    places.put(source, this);
                }
            }
        }

        /** Where the target is; null for all. */
        private Port place(long target) {
            synchronized (places) {
                return MacAddress.isGroup(target) ? null : places.get(target);
            }
        }

        private void pass(Frame frame, Port to) {
            if (to != this && !(isolated && to.isolated)) {
                to.queue.deliver(frame);
            }
        }

        @Override
        public void flush() {
            for (Port port : ports) {
                if (port != this) {
                    port.queue.flush();
                }
            }
        }

        @Override
        public void roomAgain() {
            queue.roomAgain();
        }

        @Override
        public int offloads() {
            return ALL_OFFLOADS;
        }

        @Override
        public String description() {
            return "switch " + name + (isolated ? ", isolated" : "");
        }

        @Override
        public void close() {
            ports.remove(this);
            synchronized (places) {
                places.values().removeIf(place -> place == this);
            }
            queue.close();
        }
    }

    /** The addresses that have been heard, with the index of their port; for display and tests. */
    Map<MacAddress, Integer> addresses() {
        Map<MacAddress, Integer> result = new LinkedHashMap<>();
        List<Port> all = new ArrayList<>(ports);
        synchronized (places) {
            places.forEach((mac, port) -> result.put(new MacAddress(mac), all.indexOf(port)));
        }
        return result;
    }
}
