/** The javisor command. */
module org.javisor.cli {
    requires transitive org.javisor.machine;
    requires transitive org.javisor.image;
    requires transitive org.javisor.gdb;
    requires info.picocli;
    requires org.jline.terminal;
    requires org.slf4j;

    exports org.javisor.cli;
}
