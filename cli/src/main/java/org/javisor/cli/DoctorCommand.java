package org.javisor.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code javisor doctor}. */
@Command(
        name = "doctor",
        description = "Check what this host offers and say what to do where something is missing.")
final class DoctorCommand implements Callable<Integer> {
    private final Surroundings surroundings;
    @Mixin private PullOptions pull = new PullOptions();
    @Spec private CommandSpec spec;

    DoctorCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        PrintWriter out = spec.commandLine().getOut();
        List<Finding> findings =
                HostChecks.all(surroundings, pull.settings(surroundings.environment()));
        boolean failed = false;
        for (Finding finding : findings) {
            out.printf(
                    "%-5s %-10s %s%n", finding.grade().label(), finding.subject(), finding.text());
            failed |= finding.grade() == Finding.Grade.FAIL;
        }
        out.flush();
        return failed ? ExitCode.HOST_CANNOT : ExitCode.OK;
    }
}
