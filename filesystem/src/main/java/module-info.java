/** File systems written on the host, without mounting and without root: ext4. */
module org.javisor.filesystem {
    exports org.javisor.filesystem;
}
