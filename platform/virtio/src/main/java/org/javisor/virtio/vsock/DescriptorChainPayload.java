package org.javisor.virtio.vsock;

import org.javisor.virtio.DescriptorChain;

/** What follows the header in a packet of the guest's. */
record DescriptorChainPayload(DescriptorChain chain) {
    long length() {
        return chain.readableLength() - VsockPacket.HEADER;
    }

    void moveTo(ByteRing ring, int count) {
        ring.put(chain, VsockPacket.HEADER, count);
    }
}
