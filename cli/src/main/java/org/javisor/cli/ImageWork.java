package org.javisor.cli;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.javisor.image.ImageException;
import org.javisor.image.ProgressListener;

/**
 * Work on the image cache that shows its progress and that a signal ends in order: what was begun
 * is removed, and one line tells.
 */
final class ImageWork {
    private static final List<HostSignals.Signal> ENDING =
            List.of(HostSignals.Signal.HUP, HostSignals.Signal.INT, HostSignals.Signal.TERM);

    private ImageWork() {}

    /**
     * Carries the work out on this thread.
     *
     * @throws CliException with the signal's exit status if one has ended it
     * @throws ImageException what the work throws
     */
    static <T> T run(
            Surroundings surroundings, Messages messages, Function<ProgressListener, T> work) {
        Thread thread = Thread.currentThread();
        AtomicReference<Optional<HostSignals.Signal>> received =
                new AtomicReference<>(Optional.empty());
        List<HostSignals.Subscription> subscriptions =
                ENDING.stream()
                        .map(
                                signal ->
                                        surroundings
                                                .signals()
                                                .on(
                                                        signal,
                                                        () -> {
                                                            received.set(Optional.of(signal));
                                                            thread.interrupt();
                                                        }))
                        .toList();
        try (PullProgress progress = new PullProgress(surroundings, messages)) {
            return work.apply(progress);
        } catch (ImageException e) {
            // Whatever was going on may have failed in its own way when it was interrupted.
            throw received.get().<RuntimeException>map(ImageWork::ended).orElse(e);
        } finally {
            subscriptions.forEach(HostSignals.Subscription::close);
        }
    }

    private static CliException ended(HostSignals.Signal signal) {
        // The process is about to end: nobody else is to notice the interruption.
        boolean ignored = Thread.interrupted();
        return new CliException(
                ExitCode.signal(signal.number()),
                "Interrupted; the images are as they were, and packages that were fetched are kept");
    }
}
