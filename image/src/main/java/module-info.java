/** Guest images: catalog, verified download, unpacking, initramfs. */
module org.javisor.image {

    exports org.javisor.image;
}
