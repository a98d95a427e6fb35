/** Guest images: catalog, verified download, unpacking, initramfs. */
module org.javisor.image {
    requires org.javisor.filesystem;
    requires org.javisor.firmware;
    requires aircompressor.v3;
    // For aircompressor, an automatic module, which does not say that it needs it.
    requires jdk.unsupported;
    requires java.net.http;
    requires org.apache.commons.compress;
    requires org.bouncycastle.pg;
    requires org.bouncycastle.provider;
    requires org.tukaani.xz;

    exports org.javisor.image;
}
