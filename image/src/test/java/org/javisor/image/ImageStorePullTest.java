package org.javisor.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.commons.compress.archivers.cpio.CpioArchiveEntry;
import org.apache.commons.compress.archivers.cpio.CpioArchiveInputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ImageStorePullTest {

    private static final ImageDefinition TINY = Catalog.named("tiny");

    @TempDir private Path directory;
    private MiniatureMirror mirror;
    private ImageStore store;

    @BeforeEach
    void publish() {
        mirror = new MiniatureMirror(directory);
        store = ImageStore.at(directory.resolve("cache"));
    }

    private CachedImage obtain() {
        return store.obtain(TINY, mirror.settings(), ProgressListener.silent());
    }

    private ImageException failure() {
        return failure(mirror.settings());
    }

    /** Every failed pull must leave the cache as if it had not been. */
    private ImageException failure(PullSettings settings) {
        ImageException e =
                catchThrowableOfType(
                        ImageException.class,
                        () -> store.obtain(TINY, settings, ProgressListener.silent()));
        assertThat(e).as("the pull should fail").isNotNull();
        assertThat(e.getMessage()).doesNotContain("\n").matches("[A-Z].*");
        assertThat(left()).isEmpty();
        return e;
    }

    private List<String> left() {
        if (!Files.isDirectory(store.directory())) {
            return List.of();
        }
        try (var entries = Files.list(store.directory())) {
            return entries.map(p -> p.getFileName().toString())
                    .filter(name -> !name.equals(".lock"))
                    .toList();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void imageIsMade_whenMirrorIsGood() throws IOException {
        mirror.publish();
        CachedImage image = obtain();
        assertThat(image.kernel()).hasContent("a kernel");
        assertThat(image.config()).hasContent("CONFIG_X=y\n");
        assertThat(image.systemMap()).hasContent("symbols");
        assertThat(left()).containsExactly("tiny");
        Manifest manifest = image.manifest();
        assertThat(manifest.signer()).isEqualTo(mirror.key.signingFingerprint());
        assertThat(manifest.releaseDate()).isEqualTo(mirror.date);
        assertThat(manifest.packages())
                .extracting(PackageRecord::name)
                .containsExactly(MiniatureMirror.KERNEL_PACKAGE, "busybox-static");
        assertThat(store.list()).containsExactly(image);
        assertThat(Manifest.parse(manifest.text()).text()).isEqualTo(manifest.text());
    }

    @Test
    void initramfsHoldsBusyboxItsAppletsAndModules_whenPulled() throws IOException {
        mirror.publish();
        List<String> names = new ArrayList<>();
        try (InputStream in = Files.newInputStream(obtain().initramfs());
                CpioArchiveInputStream cpio = new CpioArchiveInputStream(in)) {
            for (CpioArchiveEntry entry; (entry = cpio.getNextEntry()) != null; ) {
                names.add(entry.getName());
                if (entry.getName().equals("bin/busybox")) {
                    assertThat(cpio.readAllBytes()).isEqualTo(MiniatureMirror.busybox());
                }
                if (entry.getName().equals("lib/modules/6.12.9/button.ko")) {
                    assertThat(cpio.readAllBytes()).asString().isEqualTo("button");
                }
            }
        }
        assertThat(names)
                .contains(
                        "bin/busybox",
                        "bin/sh",
                        "bin/[[",
                        "bin/ax",
                        "bin/zx",
                        "dev/console",
                        "lib/modules/6.12.9/button.ko",
                        "lib/modules/6.12.9/evdev.ko",
                        "lib/modules/6.12.9/modules.dep",
                        "tmp")
                .doesNotHaveDuplicates();
    }

    @Test
    void cachedImageIsUsed_whenMirrorAndKeyringAreGone() throws IOException {
        mirror.publish();
        CachedImage image = obtain();
        PullSettings nowhere =
                new PullSettings(
                        Optional.empty(),
                        Optional.of(directory.resolve("none")),
                        Map.of(),
                        directory.resolve("none"),
                        mirror.settings().clock(),
                        Duration.ZERO);
        assertThat(store.obtain(TINY, nowhere, ProgressListener.silent())).isEqualTo(image);
        assertThat(store.find(TINY)).contains(image);
    }

    @Test
    void pullKeepsImage_whenMirrorOffersTheSame() throws IOException {
        mirror.publish();
        CachedImage first = obtain();
        Files.delete(mirror.kernelDeb());
        assertThat(store.pull(TINY, mirror.settings(), ProgressListener.silent())).isEqualTo(first);
    }

    @Test
    void pullReplacesImage_whenMirrorOffersNewer() {
        mirror.publish();
        obtain();
        mirror.kernelVersion = "6.12.9-2";
        mirror.kernelContent = "a newer kernel";
        mirror.publish();
        assertThat(obtain().kernel()).hasContent("a kernel");
        CachedImage newer = store.pull(TINY, mirror.settings(), ProgressListener.silent());
        assertThat(newer.kernel()).hasContent("a newer kernel");
        assertThat(obtain()).isEqualTo(newer);
        assertThat(left()).containsExactly("tiny");
    }

    @Test
    void oldImageStays_whenRefreshFails() throws IOException {
        mirror.publish();
        CachedImage old = obtain();
        mirror.kernelContent = "a newer kernel";
        mirror.publish();
        MiniatureMirror.damage(mirror.kernelDeb());
        assertThatThrownBy(() -> store.pull(TINY, mirror.settings(), ProgressListener.silent()))
                .isInstanceOf(ImageException.class);
        assertThat(store.find(TINY)).contains(old);
        assertThat(old.kernel()).hasContent("a kernel");
        assertThat(left()).containsExactly("tiny");
    }

    @Test
    void signatureIsRefused_whenInReleaseWasTamperedWith() throws IOException {
        mirror.publish();
        Path file = mirror.root.resolve("dists/trixie/InRelease");
        String text = Files.readString(file, StandardCharsets.ISO_8859_1);
        Files.writeString(
                file,
                text.replace("Origin: Debian", "Origin: debian"),
                StandardCharsets.ISO_8859_1);
        ImageException e = failure();
        assertThat(e.code()).isEqualTo(ImageException.Code.SIGNATURE);
        assertThat(e).hasMessageContaining("is bad");
    }

    @Test
    void signatureIsRefused_whenKeyIsNotInKeyring() throws IOException {
        mirror.publish();
        SigningKey.made(MiniatureMirror.NOW.minus(Duration.ofDays(9)), 0)
                .writeKeyring(mirror.keyring);
        ImageException e = failure();
        assertThat(e.code()).isEqualTo(ImageException.Code.SIGNATURE);
        assertThat(e).hasMessageContaining("not in the keyring");
    }

    @Test
    void keyringIsMissed_whenFileIsNotThere() {
        mirror.publish();
        assertThat(mirror.keyring.toFile().delete()).isTrue();
        assertThat(failure().code()).isEqualTo(ImageException.Code.KEYRING);
    }

    @Test
    void checksumFails_whenPackagesWasTamperedWith() throws IOException {
        mirror.byHash = false;
        mirror.publish();
        MiniatureMirror.damage(mirror.root.resolve("dists/trixie/main/binary-amd64/Packages.xz"));
        assertThat(failure().code()).isEqualTo(ImageException.Code.CHECKSUM);
    }

    @Test
    void checksumFails_whenPackageWasTamperedWith() throws IOException {
        mirror.publish();
        MiniatureMirror.damage(mirror.kernelDeb());
        ImageException e = failure();
        assertThat(e.code()).isEqualTo(ImageException.Code.CHECKSUM);
        assertThat(e).hasMessageContaining(MiniatureMirror.KERNEL_PACKAGE);
    }

    @Test
    void truncationIsNamed_whenPackageIsCutOff() throws IOException {
        mirror.publish();
        byte[] deb = Files.readAllBytes(mirror.kernelDeb());
        Files.write(mirror.kernelDeb(), java.util.Arrays.copyOf(deb, deb.length / 2));
        assertThat(failure().code()).isEqualTo(ImageException.Code.TRUNCATED);
    }

    @Test
    void expiryIsNamed_whenValidUntilHasPassed() {
        mirror.validUntil = Optional.of(MiniatureMirror.NOW.minusSeconds(1));
        mirror.publish();
        assertThat(failure().code()).isEqualTo(ImageException.Code.EXPIRED);
    }

    @Test
    void expiryIsNamed_whenReleaseIsFromTheFuture() {
        mirror.date = MiniatureMirror.NOW.plus(Duration.ofDays(30));
        mirror.publish();
        // The signature is from the future too, and that is found first.
        assertThat(failure())
                .hasMessageContaining("future")
                .hasMessageContaining("check this host's clock");
    }

    @Test
    void imageIsMade_whenValidUntilIsAhead() {
        mirror.validUntil = Optional.of(MiniatureMirror.NOW.plusSeconds(1));
        mirror.publish();
        assertThat(obtain().kernel()).exists();
    }

    @Test
    void gzipIndexIsTaken_whenMirrorLacksXz() throws IOException {
        mirror.byHash = false;
        mirror.publish();
        Files.delete(mirror.root.resolve("dists/trixie/main/binary-amd64/Packages.xz"));
        assertThat(obtain().kernel()).exists();
    }

    @Test
    void packageIsMissed_whenIndexLacksTheKernel() {
        mirror.publish();
        ImageDefinition other =
                new ImageDefinition("tiny", "trixie", "linux-image-none", "nothing");
        assertThatThrownBy(() -> store.obtain(other, mirror.settings(), ProgressListener.silent()))
                .isInstanceOfSatisfying(
                        ImageException.class,
                        e -> assertThat(e.code()).isEqualTo(ImageException.Code.PACKAGE_MISSING))
                .hasMessageContaining("linux-image-none");
    }

    @Test
    void mirrorIsQuestioned_whenDirectoryHasNoArchive() {
        mirror.publish();
        ImageException e = failure(mirror.settings(directory.resolve("cache").toString()));
        assertThat(e.code()).isIn(ImageException.Code.NOT_FOUND, ImageException.Code.NETWORK);
    }

    @Test
    void diskFullIsNamed_whenQuotaIsTooSmall() {
        mirror.publish();
        // Enough for the index, the packages and the image need more.
        for (int quota : new int[] {0, 100, 1000, 5000}) {
            store = new ImageStore(directory.resolve("cache"), quota(quota));
            assertThat(failure().code())
                    .as("quota %d", quota)
                    .isEqualTo(ImageException.Code.DISK_FULL);
        }
        store = new ImageStore(directory.resolve("cache"), quota(1 << 20));
        assertThat(obtain().kernel()).exists();
    }

    private static FileSink quota(int bytes) {
        AtomicInteger left = new AtomicInteger(bytes);
        FileSink disk = FileSink.disk();
        return file -> {
            OutputStream out = disk.create(file);
            return new FileSink.Guarded(
                    file,
                    new OutputStream() {
                        @Override
                        public void write(int value) throws IOException {
                            write(new byte[] {(byte) value}, 0, 1);
                        }

                        @Override
                        public void write(byte[] b, int offset, int length) throws IOException {
                            if (left.addAndGet(-length) < 0) {
                                throw new IOException("No space left on device");
                            }
                            out.write(b, offset, length);
                        }

                        @Override
                        public void close() throws IOException {
                            out.close();
                        }
                    });
        };
    }

    @Test
    void cacheIsBlamed_whenItsPlaceIsAFile() throws IOException {
        mirror.publish();
        Path file = Files.writeString(directory.resolve("file"), "x");
        store = ImageStore.at(file);
        assertThatThrownBy(this::obtain)
                .isInstanceOfSatisfying(
                        ImageException.class,
                        e -> assertThat(e.code()).isEqualTo(ImageException.Code.CACHE));
    }

    @Test
    void leftoversVanish_whenPullWasInterruptedBefore() throws IOException {
        mirror.publish();
        Path stale = store.directory().resolve(".tmp-1234");
        Files.createDirectories(stale.resolve("image"));
        Files.writeString(stale.resolve("image/vmlinuz"), "half a kernel");
        assertThat(store.list()).isEmpty();
        obtain();
        assertThat(left()).containsExactly("tiny");
    }

    @Test
    void imageIsPulledAnew_whenItsManifestIsOfAnotherFormat() throws IOException {
        mirror.publish();
        Path manifest = obtain().directory().resolve(Manifest.FILE_NAME);
        Files.writeString(manifest, Files.readString(manifest).replace("format=1", "format=0"));
        assertThat(store.list()).isEmpty();
        assertThat(obtain().kernel()).exists();
    }

    @Test
    void imageIsGone_whenRemoved() {
        mirror.publish();
        obtain();
        assertThat(store.remove(TINY, ProgressListener.silent())).isTrue();
        assertThat(store.find(TINY)).isEmpty();
        assertThat(left()).isEmpty();
        assertThat(store.remove(TINY, ProgressListener.silent())).isFalse();
    }

    @Test
    void onePullFetchesForAll_whenThreadsPullTogether() throws Exception {
        mirror.publish();
        List<String> fetched = Collections.synchronizedList(new ArrayList<>());
        AtomicInteger waited = new AtomicInteger();
        CountDownLatch secondWaits = new CountDownLatch(1);
        ProgressListener first =
                event -> {
                    switch (event) {
                        case ProgressEvent.Transfer transfer -> {
                            fetched.add(transfer.name());
                            await(secondWaits);
                        }
                        case ProgressEvent.Step s -> {}
                        case ProgressEvent.Retry r -> {}
                        case ProgressEvent.Waiting w -> {}
                    }
                };
        CountDownLatch firstRuns = new CountDownLatch(1);
        CompletableFuture<CachedImage> one =
                CompletableFuture.supplyAsync(
                        () ->
                                store.obtain(
                                        TINY,
                                        mirror.settings(),
                                        event -> {
                                            firstRuns.countDown();
                                            first.on(event);
                                        }));
        await(firstRuns);
        ImageStore other = ImageStore.at(directory.resolve("cache"));
        CachedImage second =
                other.obtain(
                        TINY,
                        mirror.settings(),
                        event -> {
                            if (event instanceof ProgressEvent.Waiting) {
                                waited.incrementAndGet();
                                secondWaits.countDown();
                            } else {
                                fetched.add("by the second: " + event);
                            }
                        });
        assertThat(second).isEqualTo(one.get(30, TimeUnit.SECONDS));
        assertThat(waited).hasValue(1);
        assertThat(fetched).noneMatch(name -> name.startsWith("by the second"));
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A process that holds the cache's lock until it is killed, as a pull that crashes does. */
    private static final String HOLDER =
            """
            import java.nio.channels.FileChannel;
            import java.nio.file.*;
            class Holder {
                public static void main(String[] arguments) throws Exception {
                    FileChannel.open(Path.of(arguments[0]), StandardOpenOption.WRITE).lock();
                    System.out.println("locked");
                    System.in.read();
                }
            }
            """;

    @Test
    void pullWaitsAndGoesOn_whenAnotherProcessHoldsTheCacheAndDies() throws Exception {
        mirror.publish();
        Files.createDirectories(store.directory());
        Path lock = Files.createFile(store.directory().resolve(".lock"));
        Path source = Files.writeString(directory.resolve("Holder.java"), HOLDER);
        Path java = Path.of(System.getProperty("java.home"), "bin", "java");
        Process holder =
                new ProcessBuilder(java.toString(), "-Xint", source.toString(), lock.toString())
                        .redirectError(ProcessBuilder.Redirect.INHERIT)
                        .start();
        try {
            assertThat(holder.inputReader().readLine()).isEqualTo("locked");
            CachedImage image =
                    store.obtain(
                            TINY,
                            mirror.settings(),
                            event -> {
                                if (event instanceof ProgressEvent.Waiting) {
                                    holder.destroyForcibly();
                                }
                            });
            assertThat(image.kernel()).exists();
            assertThat(holder.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(holder.exitValue()).isNotZero();
        } finally {
            holder.destroyForcibly();
        }
    }
}
