package org.javisor.cli;

import java.util.List;
import java.util.concurrent.Callable;
import org.javisor.machine.EngineChoice;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code javisor run}. */
@Command(
        name = "run",
        description = "Run a guest on this terminal.",
        customSynopsis = {
            "javisor run [OPTIONS] [IMAGE]",
            "       javisor run [OPTIONS] [IMAGE] -- COMMAND [ARGUMENT...]",
            "       javisor run [OPTIONS] --kernel FILE [--initrd FILE] [--append WORDS]"
        },
        sortOptions = false)
final class RunCommand implements Callable<Integer> {
    private final Surroundings surroundings;
    private final Messages messages;
    private final List<String> guestCommand;
    private final boolean commandGiven;

    @Mixin private RunOptions options = new RunOptions();
    @Spec private CommandSpec spec;

    /**
     * @param commandGiven whether there was a {@code --}, be it with nothing behind
     */
    RunCommand(
            Surroundings surroundings,
            Messages messages,
            List<String> guestCommand,
            boolean commandGiven) {
        this.surroundings = surroundings;
        this.messages = messages;
        this.guestCommand = guestCommand;
        this.commandGiven = commandGiven;
    }

    @Override
    public Integer call() throws InterruptedException {
        refuse(commandGiven && guestCommand.isEmpty(), "A command is missing after '--'");
        refuse(
                commandGiven && options.kernel.isPresent(),
                "A command after '--' needs an image; with --kernel nobody in the guest would run it");
        refuse(
                options.kernel.isPresent() && options.image.isPresent(),
                "Take either an image or --kernel, not both");
        refuse(
                options.initrd.isPresent() && options.kernel.isEmpty(),
                "--initrd needs --kernel; an image has its own");
        refuse(
                options.gdb.isPresent() && (options.gdb.get() < 0 || options.gdb.get() > 65535),
                "--gdb needs a TCP port, 1 to 65535, or 0 for any that is free");
        refuse(
                options.gdbWait && options.gdb.isEmpty(),
                "--gdb-wait needs --gdb, which says where to wait");
        refuse(
                options.kernel.isPresent()
                        && options.waitFor.filter(WaitFor.Boot.class::isInstance).isPresent(),
                "'--wait boot' needs an image; a kernel of one's own says nothing: use log:REGEX");
        refuse(
                options.translation.verify && options.engine != EngineChoice.TRANSLATOR,
                "--verify needs --engine translator, which is what it compares");
        refuse(
                options.translation.verify && options.cpus > 1,
                "--verify compares one processor; take --cpus 1");
        refuse(
                options.translation.perfMap
                        && (options.engine == EngineChoice.KVM
                                || options.engine == EngineChoice.INTERPRETER),
                "--perf-map needs --engine translator, which is what it tells of");
        boolean disk =
                options.kernel.isEmpty()
                        && DebianGuest.named(
                                surroundings, options.image.orElse(RunOptions.DEFAULT_IMAGE));
        refuse(
                options.debian.any() && !disk,
                "--ephemeral, --hostname, --user, --ssh-key, --first-boot and --cloud-init need an"
                        + " image with a disk of its own, such as debian");
        refuse(
                options.devices.sharesNameTwice(),
                "Two shared folders have the same name; give one another: DIR:NAME");
        LogSetup.apply(options.log, messages);
        return new GuestRun(surroundings, messages, options, guestCommand).execute();
    }

    private void refuse(boolean wrong, String message) {
        if (wrong) {
            throw new ParameterException(spec.commandLine(), message);
        }
    }
}
