package org.javisor.cli;

import java.io.PrintWriter;
import org.javisor.image.MachineStore;
import org.javisor.storage.ByteSize;
import org.javisor.storage.DiskFormat;
import org.javisor.storage.DiskImages;
import org.javisor.storage.ImageInfo;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code javisor machine}: the machines that are kept by name. */
@Command(
        name = "machine",
        description = "List and remove the machines that 'run --name' keeps.",
        synopsisSubcommandLabel = "COMMAND")
final class MachineCommand implements Runnable {
    @Spec private CommandSpec spec;

    private MachineCommand() {}

    static CommandLine commandLine(Surroundings surroundings) {
        CommandLine line = new CommandLine(new MachineCommand());
        line.addSubcommand("ls", new Ls(surroundings));
        line.addSubcommand("rm", new Rm(surroundings));
        return line;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Say what to do: ls or rm");
    }

    @Command(name = "ls", description = "List the machines that are kept.")
    private static final class Ls implements Runnable {
        private final Surroundings surroundings;
        @Spec private CommandSpec spec;

        Ls(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public void run() {
            PrintWriter out = spec.commandLine().getOut();
            MachineStore store = MachineStore.ofUser(surroundings.environment());
            out.printf("%-24s%-16s%-12s%s%n", "NAME", "IMAGE", "DISK", "OWN");
            for (String name : store.names()) {
                store.find(name).ifPresent(machine -> out.printf("%s", line(machine)));
            }
        }

        private static String line(MachineStore.Kept machine) {
            ImageInfo info =
                    DiskImages.info(machine.disk(), java.util.Optional.of(DiskFormat.QCOW2));
            return "%-24s%-16s%-12s%s%n"
                    .formatted(
                            machine.name(),
                            machine.image().name(),
                            ByteSize.show(info.size()),
                            ByteSize.show(info.allocated()));
        }
    }

    @Command(name = "rm", description = "Remove a machine with all that is on its disk.")
    private static final class Rm implements Runnable {
        private final Surroundings surroundings;

        @Parameters(paramLabel = "NAME", description = "The machine, as 'machine ls' shows it.")
        private String name = "";

        Rm(Surroundings surroundings) {
            this.surroundings = surroundings;
        }

        @Override
        public void run() {
            if (!MachineStore.ofUser(surroundings.environment()).remove(name)) {
                throw new CliException(ExitCode.FAILURE, "No machine is called '" + name + "'");
            }
        }
    }
}
