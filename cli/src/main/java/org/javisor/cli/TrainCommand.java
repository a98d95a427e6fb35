package org.javisor.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.Callable;
import org.javisor.image.Catalog;
import org.javisor.image.ImageStore;
import org.javisor.machine.EngineChoice;
import org.javisor.machine.Machine;
import org.javisor.machine.MachineConfig;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/**
 * {@code javisor train}: does what users do, so that the JVM can write down for later starts what
 * that needs and where its time goes: boots {@code tiny} if that is in the cache, else a loop of
 * its own. The launcher runs it after a build, and again when there is an image.
 */
@Command(name = "train", hidden = true, description = "Prepare faster starts.")
final class TrainCommand implements Callable<Integer> {
    /** A broken engine must not keep the launcher waiting. */
    private static final Duration LIMIT = Duration.ofSeconds(20);

    /** Exit status: something was learned, but a real guest was not there to learn more from. */
    private static final int WITHOUT_IMAGE = 3;

    private static final int HEADER = 0x1f1;
    private static final int KERNEL = 1024;

    /**
     * Loops over arithmetic and memory, then switches the machine off; 32-bit code, entered by the
     * boot protocol.
     */
    private static final int[] CODE = {
        0xb9,
        0x00,
        0x00,
        0x20,
        0x00, // mov ecx, 200000h
        0x01,
        0xc8, // again: add eax, ecx
        0xc1,
        0xc0,
        0x05, // rol eax, 5
        0xa3,
        0x00,
        0x00,
        0x20,
        0x00, // mov [200000h], eax
        0x03,
        0x05,
        0x00,
        0x00,
        0x20,
        0x00, // add eax, [200000h]
        0x49, // dec ecx
        0x75,
        0xed, // jnz again
        0x66,
        0xba,
        0xf8,
        0x03, // mov dx, 3f8h
        0xb0,
        0x0a, // mov al, 10
        0xee, // out dx, al
        0x66,
        0xba,
        0x04,
        0x06, // mov dx, 604h
        0x66,
        0xb8,
        0x00,
        0x34, // mov ax, 3400h
        0x66,
        0xef, // out dx, ax
        0xf4 // hlt
    };

    private final Surroundings surroundings;

    @Spec private CommandSpec spec;

    TrainCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        CommandLine root = spec.root().commandLine();
        root.usage(spec.commandLine().getOut());
        root.getSubcommands().get("run").usage(spec.commandLine().getOut());
        root.getSubcommands().get("version").execute();
        boolean image =
                ImageStore.ofUser(surroundings.environment())
                        .find(Catalog.named(RunOptions.DEFAULT_IMAGE))
                        .isPresent();
        if (image) {
            return runImage();
        }
        runLoop();
        return WITHOUT_IMAGE;
    }

    /** What people do, from the options to the guest's end; a slow engine is not waited for. */
    private int runImage() {
        return Javisor.execute(
                surroundings,
                "run",
                "--timeout=" + LIMIT.toSeconds() + "s",
                RunOptions.DEFAULT_IMAGE,
                "--",
                "true");
    }

    private static void runLoop() throws IOException, InterruptedException {
        Path kernel = Files.createTempFile("javisor-train", ".img");
        try {
            Files.write(kernel, image());
            MachineConfig config =
                    MachineConfig.builder(kernel)
                            .engine(EngineChoice.INTERPRETER)
                            .memory(64L << 20)
                            .build();
            try (Machine machine = Machine.create(config)) {
                machine.start();
                machine.awaitEnd(LIMIT);
            }
        } finally {
            Files.deleteIfExists(kernel);
        }
    }

    /** A bzImage of boot protocol 2.02 around the code (Linux, Documentation/arch/x86/boot.rst). */
    private static byte[] image() {
        ByteBuffer image = ByteBuffer.allocate(2 * KERNEL).order(ByteOrder.LITTLE_ENDIAN);
        image.put(HEADER, (byte) 1); // setup sectors
        image.putShort(0x1fe, (short) 0xaa55);
        image.putShort(0x200, (short) 0x30eb); // jump over the header
        image.putInt(0x202, 0x53726448); // "HdrS"
        image.putShort(0x206, (short) 0x202);
        image.put(0x211, (byte) 1); // loaded high
        image.putInt(0x214, 0x100000); // entry
        byte[] bytes = image.array();
        Arrays.fill(bytes, KERNEL, bytes.length, (byte) 0xf4);
        for (int i = 0; i < CODE.length; i++) {
            bytes[KERNEL + i] = (byte) CODE[i];
        }
        return bytes;
    }
}
