/** Guest images: catalog, verified download, unpacking, initramfs. */
module org.javisor.image {
    requires org.javisor.firmware;
    requires aircompressor.v3;
    requires java.net.http;
    requires org.apache.commons.compress;
    requires org.bouncycastle.pg;
    requires org.bouncycastle.provider;
    requires org.tukaani.xz;

    exports org.javisor.image;
}
