package org.javisor.image;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/** A mirror behind HTTP. */
final class HttpTransport implements Transport {

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(15);
    private static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(30);

    private final URI base;
    private final HttpClient client;
    private final Duration stallTimeout;

    HttpTransport(URI base, ProxySelector proxies) {
        this(base, proxies, Duration.ofSeconds(30));
    }

    HttpTransport(URI base, ProxySelector proxies, Duration stallTimeout) {
        this.base = base;
        this.stallTimeout = stallTimeout;
        this.client =
                HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .followRedirects(HttpClient.Redirect.NORMAL)
                        .connectTimeout(CONNECT_TIMEOUT)
                        .proxy(proxies)
                        .build();
    }

    @Override
    public InputStream open(String path) throws IOException {
        HttpRequest request =
                HttpRequest.newBuilder(base.resolve(encoded(path)))
                        .timeout(ANSWER_TIMEOUT)
                        .header("User-Agent", "javisor")
                        .build();
        HttpResponse<InputStream> response = send(request);
        int status = response.statusCode();
        if (status == 200) {
            return new StallGuard(response.body(), stallTimeout);
        }
        response.body().close();
        if (status == 404 || status == 410) {
            throw new NoSuchFileOnMirror("HTTP status " + status);
        }
        boolean passing = status >= 500 || status == 408 || status == 429;
        if (passing) {
            throw new IOException("HTTP status " + status);
        }
        throw new Refused("HTTP status " + status);
    }

    private HttpResponse<InputStream> send(HttpRequest request) throws IOException {
        try {
            return client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new Refused("interrupted");
        } catch (ConnectException e) {
            // The client's own exception has no message when the name does not resolve.
            throw new IOException("cannot connect to " + request.uri().getAuthority(), e);
        } catch (HttpTimeoutException e) {
            throw new IOException("no answer from " + request.uri().getAuthority(), e);
        }
    }

    /** A pool path holds characters such as '+', '~' and '%' that mean something in a URL. */
    private static String encoded(String path) {
        StringBuilder url = new StringBuilder();
        for (byte b : path.getBytes(StandardCharsets.UTF_8)) {
            char c = (char) (b & 0xff);
            boolean plain =
                    c >= 'a' && c <= 'z'
                            || c >= 'A' && c <= 'Z'
                            || c >= '0' && c <= '9'
                            || "/-._~+".indexOf(c) >= 0;
            url.append(plain ? String.valueOf(c) : String.format("%%%02X", (int) c));
        }
        return url.toString();
    }

    /** Ends a read during which nothing arrives for too long: the client has no limit for that. */
    private static final class StallGuard extends FilterInputStream {

        private final Duration limit;

        StallGuard(InputStream in, Duration limit) {
            super(in);
            this.limit = limit;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
            if (in.available() > 0) {
                return in.read(buffer, offset, length);
            }
            AtomicBoolean stalled = new AtomicBoolean();
            CompletableFuture<Void> alarm = new CompletableFuture<>();
            alarm.orTimeout(limit.toMillis(), TimeUnit.MILLISECONDS)
                    .exceptionally(
                            timeout -> {
                                stalled.set(true);
                                closeQuietly();
                                return null;
                            });
            try {
                return in.read(buffer, offset, length);
            } catch (IOException e) {
                throw stalled.get()
                        ? new IOException("no data for " + limit.toSeconds() + " s", e)
                        : e;
            } finally {
                alarm.complete(null);
            }
        }

        private void closeQuietly() {
            try {
                in.close();
            } catch (IOException e) {
                // The reader is told of the stall, which says more.
            }
        }
    }
}
