package org.javisor.cli;

import picocli.CommandLine.Command;

/**
 * {@code javisor bench}, for the list of commands: the benchmarks are a module of their own, which
 * the launcher of the source tree starts.
 */
@Command(
        name = "bench",
        description = "Measure guests under each engine; see 'javisor bench --help'.")
final class BenchCommand implements Runnable {
    @Override
    public void run() {
        throw new CliException(
                ExitCode.HOST_CANNOT,
                "The benchmarks need the source tree; start them with its './javisor bench'");
    }
}
