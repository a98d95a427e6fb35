package org.javisor.image;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Locale;

/** Fetches files of a mirror, again where that may help, and checks what came. */
final class Download {

    private static final int ATTEMPTS = 3;
    private static final int BUFFER = 1 << 16;

    private final Transport transport;
    private final String mirror;
    private final FileSink sink;
    private final ProgressListener listener;
    private final Duration pause;

    /**
     * @param mirror the mirror's name for messages
     * @param pause before the second attempt; doubled before the third
     */
    Download(
            Transport transport,
            String mirror,
            FileSink sink,
            ProgressListener listener,
            Duration pause) {
        this.transport = transport;
        this.mirror = mirror;
        this.sink = sink;
        this.listener = listener;
        this.pause = pause;
    }

    /** What a file must be. */
    record Expectation(long size, String sha256) {}

    /** The mirror's name for messages. */
    String mirror() {
        return mirror;
    }

    /**
     * Fetches a small file whose content is not known beforehand.
     *
     * @throws ImageException {@code NETWORK}, {@code NOT_FOUND}, {@code HTML_ANSWER}, {@code
     *     MALFORMED} when it is longer than the limit
     */
    byte[] bytes(String path, int limit) {
        return attempts(
                path,
                () -> {
                    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
                    copy(path, bytes, limit, -1);
                    if (bytes.size() > limit) {
                        throw new ImageException(
                                ImageException.Code.MALFORMED,
                                "The file "
                                        + path
                                        + " from "
                                        + mirror
                                        + " is larger than any such file is");
                    }
                    return bytes.toByteArray();
                });
    }

    /**
     * Fetches a file and verifies it.
     *
     * @throws ImageException as {@link #bytes}; {@code CHECKSUM}, {@code TRUNCATED}, {@code
     *     DISK_FULL}, {@code CACHE}
     */
    void file(String path, Expectation expected, Path target) {
        attempts(
                path,
                () -> {
                    MessageDigest digest = sha256();
                    long received;
                    try (OutputStream out = sink.create(target)) {
                        OutputStream digesting = new java.security.DigestOutputStream(out, digest);
                        received = copy(path, digesting, expected.size(), expected.size());
                    }
                    verify(path, expected, received, HexFormat.of().formatHex(digest.digest()));
                    return target;
                });
    }

    private void verify(String path, Expectation expected, long received, String sha256)
            throws IOException {
        if (received < expected.size()) {
            throw new Truncated(received, expected.size());
        }
        if (received > expected.size() || !sha256.equals(expected.sha256())) {
            throw new ImageException(
                    ImageException.Code.CHECKSUM,
                    "The file "
                            + path
                            + " from "
                            + mirror
                            + " is not the file that the archive signed (SHA-256 differs);"
                            + " try again later or use another mirror");
        }
    }

    private interface Attempt<T> {
        T run() throws IOException;
    }

    private static final class Truncated extends IOException {
        private static final long serialVersionUID = 1;

        Truncated(long received, long expected) {
            super("ended after " + received + " of " + expected + " bytes");
        }
    }

    private <T> T attempts(String path, Attempt<T> attempt) {
        for (int number = 1; ; number++) {
            try {
                return attempt.run();
            } catch (Transport.NoSuchFileOnMirror e) {
                throw new ImageException(
                        ImageException.Code.NOT_FOUND,
                        "The mirror "
                                + mirror
                                + " has no file "
                                + path
                                + " ("
                                + Text.reason(e)
                                + "); check that it is a Debian mirror",
                        e);
            } catch (Transport.Refused e) {
                throw network(path, e);
            } catch (FileSink.WriteFailure e) {
                throw e.explain();
            } catch (IOException e) {
                if (number == ATTEMPTS) {
                    throw network(path, e);
                }
                listener.on(new ProgressEvent.Retry(fileName(path), number + 1, Text.reason(e)));
                pauseBefore(number + 1, path);
            }
        }
    }

    private ImageException network(String path, IOException e) {
        if (e instanceof Truncated) {
            return new ImageException(
                    ImageException.Code.TRUNCATED,
                    "The file "
                            + path
                            + " from "
                            + mirror
                            + " "
                            + Text.reason(e)
                            + "; try again later or use another mirror",
                    e);
        }
        return new ImageException(
                ImageException.Code.NETWORK,
                "Cannot fetch "
                        + path
                        + " from "
                        + mirror
                        + ": "
                        + Text.reason(e)
                        + "; check the network (and http_proxy) or use --mirror",
                e);
    }

    private void pauseBefore(int attempt, String path) {
        try {
            Thread.sleep(pause.multipliedBy(1L << (attempt - 2)));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw network(path, new IOException("interrupted", e));
        }
    }

    /** Copies at most one buffer more than the limit. */
    private long copy(String path, OutputStream out, long limit, long total) throws IOException {
        String name = fileName(path);
        long received = 0;
        try (InputStream in = transport.open(path)) {
            byte[] buffer = new byte[BUFFER];
            int length;
            while (received <= limit && (length = in.readNBytes(buffer, 0, BUFFER)) > 0) {
                if (received == 0 && looksLikeHtml(buffer, length)) {
                    throw new ImageException(
                            ImageException.Code.HTML_ANSWER,
                            "The mirror "
                                    + mirror
                                    + " answered with a web page instead of "
                                    + path
                                    + "; check the address, and for a login page of the network");
                }
                out.write(buffer, 0, length);
                received += length;
                listener.on(new ProgressEvent.Transfer(name, received, total));
            }
        }
        return received;
    }

    /** None of the formats fetched here begins with a '&lt;'. */
    private static boolean looksLikeHtml(byte[] buffer, int length) {
        String start =
                new String(buffer, 0, Math.min(length, 64), StandardCharsets.ISO_8859_1)
                        .stripLeading()
                        .toLowerCase(Locale.ROOT);
        return start.startsWith("<!") || start.startsWith("<html") || start.startsWith("<?xml");
    }

    private static String fileName(String path) {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }
}
