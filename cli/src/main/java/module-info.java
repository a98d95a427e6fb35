/**
 * The javisor command. Reads signals through sun.misc.Signal, which JLine reaches by reflection.
 */
module org.javisor.cli {
    requires transitive org.javisor.machine;
    requires transitive org.javisor.image;
    requires org.javisor.storage;
    requires org.javisor.gdb;
    requires ch.qos.logback.classic;
    requires ch.qos.logback.core;
    requires info.picocli;
    requires jdk.unsupported;
    requires org.jline.terminal;
    requires org.slf4j;

    exports org.javisor.cli to
            ch.qos.logback.classic;

    opens org.javisor.cli to
            info.picocli;

    provides ch.qos.logback.classic.spi.Configurator with
            org.javisor.cli.LogSetup;
}
