package org.javisor.bench;

import java.nio.file.Path;

/**
 * What a guest is started from; the same for every engine. The guest's console of interest is its
 * first serial port, on the process's standard streams.
 *
 * @param memory in MiB
 */
record Boot(Path kernel, Path initrd, String commandLine, int memory, int cpus) {}
