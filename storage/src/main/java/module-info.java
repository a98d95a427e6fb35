/** Block back ends: raw and qcow2 files, overlays, file locks. */
module org.javisor.storage {
    requires aircompressor.v3;
    // For aircompressor, an automatic module, which does not say that it needs it.
    requires jdk.unsupported;

    exports org.javisor.storage;
}
