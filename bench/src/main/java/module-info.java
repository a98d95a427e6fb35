/** Benchmarks, run by people. */
module org.javisor.bench {
    requires transitive org.javisor.machine;
    requires transitive org.javisor.image;

    exports org.javisor.bench;
}
