/** Virtio: queues, transports, and one package per device. */
module org.javisor.virtio {
    requires transitive org.javisor.device;
    requires transitive org.javisor.memory;

    exports org.javisor.virtio;
}
