package org.javisor.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;

/** Calls {@code qemu-img}; tests that need it are skipped, visibly, where it is missing. */
final class QemuImg {
    private QemuImg() {}

    static void assumePresent() {
        boolean present =
                List.of("/usr/bin/qemu-img", "/usr/local/bin/qemu-img").stream()
                        .anyMatch(path -> Files.isExecutable(Path.of(path)));
        Assumptions.assumeTrue(present, "qemu-img is not installed (package qemu-utils)");
    }

    /**
     * What a call ended with.
     *
     * @param status its exit status
     * @param output what it printed
     */
    record Result(int status, String output) {}

    static Result call(Object... words) {
        List<String> line = new ArrayList<>();
        for (Object word : words) {
            line.add(word.toString());
        }
        try {
            Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
            process.getOutputStream().close();
            String output = new String(process.getInputStream().readAllBytes());
            return new Result(process.waitFor(), output);
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** Calls {@code qemu-img} and wants it to succeed. */
    static String run(Object... words) {
        Object[] all = new Object[words.length + 1];
        all[0] = "qemu-img";
        System.arraycopy(words, 0, all, 1, words.length);
        Result result = call(all);
        assertThat(result.status()).as(result.output()).isZero();
        return result.output();
    }

    /** Calls {@code qemu-io} on a file. */
    static String io(Path file, String... commands) {
        List<Object> line = new ArrayList<>(List.of("qemu-io", "-f", "qcow2"));
        for (String command : commands) {
            line.add("-c");
            line.add(command);
        }
        line.add(file);
        Result result = call(line.toArray());
        assertThat(result.status()).as(result.output()).isZero();
        assertThat(result.output()).doesNotContain("failed");
        return result.output();
    }
}
