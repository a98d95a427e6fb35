/** Shared test fixtures: native execution on the host's processor, small guests, fakes. */
module org.javisor.testkit {
    requires transitive org.javisor.hypervisor;
    requires transitive org.javisor.memory;
    requires transitive org.javisor.x86;
    requires transitive org.junit.jupiter.api;
    requires transitive org.junit.jupiter.params;
    requires transitive org.assertj.core;

    exports org.javisor.testkit;
}
