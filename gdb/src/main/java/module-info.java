/** The GDB remote protocol for a machine. */
module org.javisor.gdb {
    requires transitive org.javisor.machine;
    requires org.slf4j;

    exports org.javisor.gdb;
}
