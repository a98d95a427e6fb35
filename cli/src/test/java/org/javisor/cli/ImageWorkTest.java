package org.javisor.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.EnumMap;
import java.util.Map;
import org.javisor.image.ImageException;
import org.junit.jupiter.api.Test;

class ImageWorkTest {
    private final Map<HostSignals.Signal, Runnable> signals =
            new EnumMap<>(HostSignals.Signal.class);
    private final PrintStream err = new PrintStream(new ByteArrayOutputStream());
    private final Surroundings surroundings =
            new Surroundings(
                    InputStream.nullInputStream(),
                    OutputStream.nullOutputStream(),
                    err,
                    Map.of(),
                    false,
                    false,
                    false,
                    (signal, action) -> {
                        signals.put(signal, action);
                        return () -> signals.remove(signal);
                    },
                    config -> {
                        throw new AssertionError("No machine is needed");
                    });

    private static ImageException failure() {
        return new ImageException(ImageException.Code.CACHE, "A channel was closed");
    }

    @Test
    void endsWithTheSignalsStatus_whenInterrupted() {
        assertThatThrownBy(
                        () ->
                                ImageWork.run(
                                        surroundings,
                                        new Messages(err),
                                        progress -> {
                                            signals.get(HostSignals.Signal.INT).run();
                                            assertThat(Thread.currentThread().isInterrupted())
                                                    .isTrue();
                                            throw failure();
                                        }))
                .isInstanceOfSatisfying(
                        CliException.class, e -> assertThat(e.exitCode()).isEqualTo(130))
                .hasMessageStartingWith("Interrupted");
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
        assertThat(signals).isEmpty();
    }

    @Test
    void failsAsTheWorkDoes_whenNobodyInterrupts() {
        assertThatThrownBy(
                        () ->
                                ImageWork.run(
                                        surroundings,
                                        new Messages(err),
                                        progress -> {
                                            throw failure();
                                        }))
                .isInstanceOf(ImageException.class)
                .hasMessage("A channel was closed");
        assertThat(signals).isEmpty();
    }
}
