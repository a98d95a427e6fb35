/** Benchmarks, run by people. */
module org.javisor.bench {
    requires transitive org.javisor.machine;
    requires transitive org.javisor.image;
    requires org.javisor.kvm;
    requires info.picocli;
    // Only for those in this module that JMH runs, and JMH runs them from the class path.
    requires static jmh.core;

    exports org.javisor.bench;

    opens org.javisor.bench to
            info.picocli;
}
