package org.javisor.bench;

import java.nio.file.Path;
import java.util.List;

/** Runs programs on the host. */
record NativeRunner(Path binary, Workplace workplace) implements Runner {
    private static final int SECONDS = 60;

    @Override
    public Sample run(GuestProgram program, int milliseconds)
            throws SampleException, InterruptedException {
        List<String> command =
                List.of(binary.toString(), program.name(), String.valueOf(milliseconds));
        HostCommand ended =
                HostCommand.run(workplace, SECONDS + milliseconds / 100, command)
                        .orElseThrow(() -> new SampleException("the host does not execute it"));
        if (ended.status() != 0) {
            throw new SampleException("status %d: %s".formatted(ended.status(), ended.firstLine()));
        }
        return Sample.parse(program.name(), ended.firstLine());
    }

    @Override
    public void close() {}
}
