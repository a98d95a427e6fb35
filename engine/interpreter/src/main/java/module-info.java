/** The interpreter engine: runs guest instructions in Java. */
module org.javisor.interpreter {
    requires transitive org.javisor.hypervisor;
    requires transitive org.javisor.x86;

    exports org.javisor.interpreter;
}
