package org.javisor.gdb;

/** Threads as the protocol names them: processor n is thread n + 1. */
record ThreadIds(int count) {
    static final int ALL = -1;
    static final int ANY = -2;

    /**
     * Takes a thread's name from a packet.
     *
     * @return a processor's index, {@link #ALL} or {@link #ANY}
     * @throws MalformedPacketException if there is no such thread
     */
    int parse(PacketText packet) {
        if (packet.take("-1")) {
            return ALL;
        }
        long id = packet.number();
        if (id < 0 || id > count) {
            throw new MalformedPacketException("There is no such thread");
        }
        return id == 0 ? ANY : (int) id - 1;
    }

    static String name(int vcpu) {
        return "%02x".formatted(vcpu + 1);
    }
}
