package org.javisor.guesttests;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import org.javisor.image.ImageStore;
import org.javisor.machine.EngineChoice;

/** A {@code javisor run} of a Debian in a process of its own, and the root shell on its console. */
final class DebianProcess implements AutoCloseable {
    /** Many times what it takes, for hosts that are busy. */
    static final Duration BOOT = Duration.ofMinutes(8);

    static final Duration ANSWER = Duration.ofMinutes(2);

    private final Console screen = new Console();
    private final Console messages = new Console();
    private final Process process;
    private int commands;

    private DebianProcess(Process process) {
        this.process = process;
        read(process.getInputStream(), screen);
        read(process.getErrorStream(), messages);
    }

    /** Why there can be none here. */
    static Optional<String> reasonToSkip(EngineChoice engine) {
        return reasonToSkip(engine, "debian", "debian");
    }

    /**
     * Why there can be none of that image.
     *
     * @param recipe what {@code image build} is to be given
     */
    static Optional<String> reasonToSkip(EngineChoice engine, String image, String recipe) {
        if (engine == EngineChoice.INTERPRETER) {
            return Optional.of(
                    "The interpreter needs minutes to boot Debian; other engines' runs do it");
        }
        ImageStore store = ImageStore.ofUser(System.getenv());
        return store.find(image).isPresent()
                ? Optional.empty()
                : Optional.of(
                        "No image '%s' in %s; './javisor image build %s' makes it"
                                .formatted(image, store.directory(), recipe));
    }

    /**
     * Starts one that keeps nothing.
     *
     * @param environment variables that are set for it
     */
    static DebianProcess start(
            EngineChoice engine, Map<String, String> environment, String... options)
            throws IOException {
        return start("debian", engine, environment, options);
    }

    /** As that, of another image. */
    static DebianProcess start(
            String image, EngineChoice engine, Map<String, String> environment, String... options)
            throws IOException {
        List<String> line = new ArrayList<>();
        line.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        line.add("-XX:+UseSerialGC");
        line.add("--enable-native-access=ALL-UNNAMED");
        line.add("-cp");
        line.add(
                System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path")));
        line.addAll(List.of("org.javisor.cli.Javisor", "run", image, "--ephemeral"));
        line.add("--engine=" + engine.label());
        line.addAll(List.of(options));
        ProcessBuilder builder = new ProcessBuilder(line);
        builder.environment().putAll(environment);
        return new DebianProcess(builder.start());
    }

    private static void read(InputStream stream, Console into) {
        Thread.ofPlatform()
                .name("reader")
                .daemon()
                .start(
                        () -> {
                            byte[] bytes = new byte[8192];
                            try (stream) {
                                for (int n; (n = stream.read(bytes)) >= 0; ) {
                                    into.write(bytes, 0, n);
                                }
                            } catch (IOException e) {
                                // The process is gone.
                            }
                            into.end();
                        });
    }

    /** What the guest's console shows. */
    Console screen() {
        return screen;
    }

    /** What Javisor says. */
    Console messages() {
        return messages;
    }

    void type(String text) throws IOException {
        process.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
    }

    /** Makes the shell show nothing but what commands print. */
    void quieten() throws IOException {
        type("stty -echo; PS1=; bind 'set enable-bracketed-paste off'\n");
    }

    /** What a command prints on the console, as the shell there runs it. */
    String output(String command) throws IOException, InterruptedException {
        int number = ++commands;
        // Split, so that an echo of the command would not look like the mark.
        type("echo @'begin'%d; { %s\n}; echo @'end'%d\n".formatted(number, command, number));
        Matcher matcher =
                screen.await("@begin%d\r\n((?s:.*?))@end%d\r\n".formatted(number, number), ANSWER);
        return matcher.group(1).replace("\r\n", "\n");
    }

    /**
     * Waits for the process's end.
     *
     * @return its status
     */
    int awaitExit() throws InterruptedException {
        if (!process.waitFor(ANSWER.toSeconds(), TimeUnit.SECONDS)) {
            throw new AssertionError("It did not end; the console showed:\n" + screen.text());
        }
        return process.exitValue();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
