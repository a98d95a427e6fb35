/** The GDB remote protocol for a machine. */
module org.javisor.gdb {
    requires transitive org.javisor.machine;

    exports org.javisor.gdb;
}
