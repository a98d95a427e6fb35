package org.javisor.image;

import java.nio.file.Path;

/** What a pull is doing, for whoever shows it to a person. */
public sealed interface ProgressEvent {

    /**
     * A new step begins.
     *
     * @param text one line such as {@code Verifying the archive's signature}
     */
    record Step(String text) implements ProgressEvent {}

    /**
     * Bytes have arrived. Sent at most once for each 64 KiB and once at the end.
     *
     * @param name the file's last path component
     * @param received bytes so far
     * @param total bytes expected, or -1 when unknown
     */
    record Transfer(String name, long received, long total) implements ProgressEvent {}

    /**
     * A transfer failed in a way that may pass and is tried again.
     *
     * @param name the file's last path component
     * @param attempt the attempt that comes now, from 2
     * @param reason why the last one failed
     */
    record Retry(String name, int attempt, String reason) implements ProgressEvent {}

    /**
     * Another process or thread is pulling into the same cache; this one waits for it. Sent once.
     *
     * @param lock the lock file
     */
    record Waiting(Path lock) implements ProgressEvent {}
}
