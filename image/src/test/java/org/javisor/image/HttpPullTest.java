package org.javisor.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.InputStream;
import java.net.ProxySelector;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.javisor.image.LoopbackHttp.Answer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class HttpPullTest {

    private static final ImageDefinition TINY = Catalog.named("tiny");

    @TempDir private Path directory;
    private MiniatureMirror mirror;
    private ImageStore store;

    @BeforeEach
    void publish() {
        mirror = MiniatureMirror.published(directory);
        store = ImageStore.at(directory.resolve("cache"));
    }

    private CachedImage obtain(LoopbackHttp server, ProgressListener listener) {
        return store.obtain(TINY, mirror.settings(server.address()), listener);
    }

    private ImageException failure(LoopbackHttp server) {
        ImageException e =
                catchThrowableOfType(
                        ImageException.class, () -> obtain(server, ProgressListener.silent()));
        assertThat(e).isNotNull();
        assertThat(store.list()).isEmpty();
        return e;
    }

    @Test
    void imageIsMadeByHash_whenServerIsGood() {
        List<ProgressEvent.Transfer> transfers = new ArrayList<>();
        try (LoopbackHttp server =
                new LoopbackHttp((path, n) -> LoopbackHttp.file(mirror.root, path))) {
            CachedImage image =
                    obtain(
                            server,
                            event -> {
                                if (event instanceof ProgressEvent.Transfer transfer) {
                                    transfers.add(transfer);
                                }
                            });
            assertThat(image.kernel()).hasContent("a kernel");
            assertThat(server.requests).anyMatch(path -> path.contains("/by-hash/SHA256/"));
            assertThat(transfers.getLast().received()).isEqualTo(transfers.getLast().total());
        }
    }

    @Test
    void webPageIsNamed_whenPortalAnswersEverything() {
        byte[] page = "\n<!DOCTYPE html><html>Log in".getBytes(StandardCharsets.UTF_8);
        try (LoopbackHttp server = new LoopbackHttp((path, n) -> Answer.ok(page))) {
            assertThat(failure(server).code()).isEqualTo(ImageException.Code.HTML_ANSWER);
            assertThat(server.requests).hasSize(1);
        }
    }

    @Test
    void webPageIsNamed_whenItComesInPlaceOfAPackage() {
        byte[] page = "<html>moved</html>".getBytes(StandardCharsets.UTF_8);
        try (LoopbackHttp server =
                new LoopbackHttp(
                        (path, n) ->
                                path.endsWith(".deb")
                                        ? Answer.ok(page)
                                        : LoopbackHttp.file(mirror.root, path))) {
            assertThat(failure(server).code()).isEqualTo(ImageException.Code.HTML_ANSWER);
        }
    }

    @Test
    void transferIsRepeated_whenServerFailsTwice() {
        List<ProgressEvent.Retry> retries = new ArrayList<>();
        try (LoopbackHttp server =
                new LoopbackHttp(
                        (path, attempt) -> {
                            Answer good = LoopbackHttp.file(mirror.root, path);
                            return switch (attempt) {
                                case 1 -> Answer.status(503);
                                case 2 ->
                                        new Answer(
                                                200,
                                                good.claimedLength(),
                                                Arrays.copyOf(good.body(), good.body().length / 2),
                                                false);
                                default -> good;
                            };
                        })) {
            obtain(
                    server,
                    event -> {
                        if (event instanceof ProgressEvent.Retry retry) {
                            retries.add(retry);
                        }
                    });
            assertThat(retries).extracting(ProgressEvent.Retry::attempt).contains(2, 3);
        }
    }

    @Test
    void networkIsBlamed_whenServerKeepsFailing() {
        try (LoopbackHttp server = new LoopbackHttp((path, n) -> Answer.status(500))) {
            ImageException e = failure(server);
            assertThat(e.code()).isEqualTo(ImageException.Code.NETWORK);
            assertThat(e).hasMessageContaining("500").hasMessageContaining("--mirror");
            assertThat(server.requests).hasSize(3);
        }
    }

    @Test
    void networkIsBlamedAtOnce_whenServerForbids() {
        try (LoopbackHttp server = new LoopbackHttp((path, n) -> Answer.status(403))) {
            assertThat(failure(server).code()).isEqualTo(ImageException.Code.NETWORK);
            assertThat(server.requests).hasSize(1);
        }
    }

    @Test
    void mirrorIsQuestioned_whenItHasNoInRelease() {
        try (LoopbackHttp server = new LoopbackHttp((path, n) -> Answer.status(404))) {
            ImageException e = failure(server);
            assertThat(e.code()).isEqualTo(ImageException.Code.NOT_FOUND);
            assertThat(e).hasMessageContaining("Debian mirror");
        }
    }

    @Test
    void networkIsBlamed_whenNobodyListens() throws Exception {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        assertThatThrownBy(
                        () ->
                                store.obtain(
                                        TINY,
                                        mirror.settings("http://127.0.0.1:" + port),
                                        ProgressListener.silent()))
                .isInstanceOfSatisfying(
                        ImageException.class,
                        e -> assertThat(e.code()).isEqualTo(ImageException.Code.NETWORK))
                .hasMessageContaining("cannot connect");
    }

    @Test
    void pullStops_whenServerSendsWithoutEnd() {
        try (LoopbackHttp server =
                new LoopbackHttp(
                        (path, n) -> {
                            Answer good = LoopbackHttp.file(mirror.root, path);
                            byte[] longer =
                                    Arrays.copyOf(good.body(), good.body().length + (1 << 20));
                            return path.endsWith(".deb") ? Answer.ok(longer) : good;
                        })) {
            assertThat(failure(server).code()).isEqualTo(ImageException.Code.CHECKSUM);
        }
    }

    @Test
    void readEnds_whenServerStalls() throws Exception {
        byte[] half = new byte[100];
        try (LoopbackHttp server =
                        new LoopbackHttp((path, n) -> new Answer(200, 1000, half, true));
                InputStream in =
                        new HttpTransport(
                                        URI.create(server.address()),
                                        ProxySelector.of(null),
                                        Duration.ofMillis(100))
                                .open("file")) {
            assertThat(in.readNBytes(100)).hasSize(100);
            assertThatThrownBy(in::read).hasMessageContaining("no data");
        }
    }

    @Test
    void nothingIsLeft_whenPullIsInterrupted() throws Exception {
        CompletableFuture<String> stalled = new CompletableFuture<>();
        try (LoopbackHttp server =
                new LoopbackHttp(
                        (path, n) -> {
                            if (path.endsWith(".deb")) {
                                stalled.complete(path);
                                return new Answer(200, 1000, new byte[0], true);
                            }
                            return LoopbackHttp.file(mirror.root, path);
                        })) {
            CompletableFuture<Throwable> failure = new CompletableFuture<>();
            Thread puller =
                    Thread.ofPlatform()
                            .start(
                                    () -> {
                                        try {
                                            obtain(server, ProgressListener.silent());
                                            failure.complete(null);
                                        } catch (ImageException e) {
                                            failure.complete(e);
                                        }
                                    });
            stalled.get(30, TimeUnit.SECONDS);
            puller.interrupt();
            assertThat(failure.get(30, TimeUnit.SECONDS)).isInstanceOf(ImageException.class);
            try (var entries = Files.list(store.directory())) {
                assertThat(entries.map(p -> p.getFileName().toString())).containsExactly(".lock");
            }
        }
    }

    @Test
    void proxyIsAsked_whenEnvironmentNamesOne() {
        try (LoopbackHttp proxy =
                new LoopbackHttp(
                        (path, n) ->
                                LoopbackHttp.file(
                                        mirror.root, path.replace("http://mirror.invalid", "")))) {
            PullSettings direct = mirror.settings("http://mirror.invalid/");
            PullSettings proxied =
                    new PullSettings(
                            direct.mirror(),
                            direct.keyring(),
                            Map.of("http_proxy", proxy.address()),
                            direct.apt(),
                            direct.clock(),
                            direct.retryPause());
            assertThat(store.obtain(TINY, proxied, ProgressListener.silent()).kernel()).exists();
            assertThat(proxy.requests).allMatch(path -> path.startsWith("http://mirror.invalid/"));
        }
    }

    @Test
    void proxyIsPassedBy_whenHostIsExcepted() {
        ProxySelector proxies =
                ProxySettings.of(
                        Map.of("HTTP_PROXY", "proxy.invalid:8080", "no_proxy", "a.invalid, .b.x"));
        assertThat(address(proxies, "http://mirror.invalid/")).contains("proxy.invalid");
        assertThat(address(proxies, "https://mirror.invalid/")).isEqualTo("DIRECT");
        assertThat(address(proxies, "http://a.invalid/")).isEqualTo("DIRECT");
        assertThat(address(proxies, "http://deep.a.invalid/")).isEqualTo("DIRECT");
        assertThat(address(proxies, "http://c.b.x/")).isEqualTo("DIRECT");
        assertThat(address(proxies, "http://cb.x/")).contains("proxy.invalid");
    }

    private static String address(ProxySelector proxies, String uri) {
        return proxies.select(URI.create(uri)).getFirst().toString();
    }
}
