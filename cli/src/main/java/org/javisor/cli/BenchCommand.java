package org.javisor.cli;

import picocli.CommandLine.Command;

/**
 * {@code javisor bench}: the benchmarks are a module of their own, which is not on this command's
 * module path.
 */
@Command(name = "bench", description = "Say how to run the benchmarks.")
final class BenchCommand implements Runnable {
    @Override
    public void run() {
        throw new CliException(
                ExitCode.HOST_CANNOT,
                "The benchmarks are not installed; see bench/ in the sources");
    }
}
