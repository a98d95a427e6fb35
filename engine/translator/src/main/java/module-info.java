/** The translator engine: runs guest instructions as translated host code. */
module org.javisor.translator {
    requires transitive org.javisor.hypervisor;
    requires org.javisor.interpreter;
    requires org.javisor.x86;

    exports org.javisor.translator;
}
