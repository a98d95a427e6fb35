/** The KVM engine: runs guest instructions on the host's processor through Linux's /dev/kvm. */
module org.javisor.kvm {
    requires transitive org.javisor.hypervisor;
    requires org.javisor.interpreter;

    exports org.javisor.kvm;
}
