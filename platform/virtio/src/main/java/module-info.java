/** Virtio: queues, transports, and one package per device. */
module org.javisor.virtio {
    requires transitive org.javisor.device;
    requires transitive org.javisor.memory;
    requires transitive org.javisor.network;
    requires transitive org.javisor.pci;
    requires transitive org.javisor.share;
    requires transitive org.javisor.storage;

    exports org.javisor.virtio;
    exports org.javisor.virtio.balloon;
    exports org.javisor.virtio.blk;
    exports org.javisor.virtio.console;
    exports org.javisor.virtio.net;
    exports org.javisor.virtio.rng;
    exports org.javisor.virtio.vsock;
    exports org.javisor.virtio.p9;
}
