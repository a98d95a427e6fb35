/** Guest-physical memory: regions, checked access, dirty and code tracking, host mappings. */
module org.javisor.memory {
    exports org.javisor.memory;
}
