/** Folders of the host, served to guests over 9P2000.L. */
module org.javisor.share {
    exports org.javisor.share;
}
