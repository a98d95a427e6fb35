package org.javisor.network;

/** What tells one conversation of the guest's from another. */
record Flow(IpAddress guest, int guestPort, IpAddress peer, int peerPort) {
    @Override
    public String toString() {
        return guest + ":" + guestPort + " <-> " + peer + ":" + peerPort;
    }
}
