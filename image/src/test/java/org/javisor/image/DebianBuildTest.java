package org.javisor.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Builds of a miniature Debian; the guest is played by the test. */
class DebianBuildTest {
    private static final DebianRecipe RECIPE =
            new DebianRecipe("debian", "trixie", List.of("wanted"), 1L << 30);

    @TempDir Path directory;

    private MiniatureMirror mirror;
    private ImageStore store;
    private final List<String> steps = new ArrayList<>();
    private final ProgressListener listener =
            event -> {
                if (event instanceof ProgressEvent.Step step) {
                    steps.add(step.text());
                }
            };

    @BeforeEach
    void archive() {
        mirror = new MiniatureMirror(directory);
        for (String name :
                List.of(
                        "systemd-sysv",
                        "udev",
                        "dbus",
                        "libpam-systemd",
                        "systemd-resolved",
                        "ca-certificates",
                        "openssh-server",
                        "sudo",
                        "kmod")) {
            mirror.systemPackages.put(
                    control(name, ""), Map.of("./usr/share/" + name, bytes(name)));
        }
        Map<String, byte[]> base = new LinkedHashMap<>();
        base.put("DEBIAN/conffiles", bytes("/etc/base.conf\n"));
        base.put("DEBIAN/preinst", bytes("#!/bin/sh\n"));
        base.put("DEBIAN/triggers", bytes("interest-noawait /usr/lib\ninterest act\n"));
        base.put("./etc/base.conf", bytes("a=b\n"));
        base.put("./lib/old-path", bytes("x"));
        mirror.systemPackages.put(control("base", "Essential: yes\nMulti-Arch: same\n"), base);
        mirror.systemPackages.put(control("wanted", "Depends: also\n"), Map.of());
        mirror.systemPackages.put(control("also", ""), Map.of());
        String kernel = "Depends: " + MiniatureMirror.KERNEL_PACKAGE + "\n";
        mirror.systemPackages.put(control("linux-image-amd64", kernel), Map.of());
        mirror.publish();
        store = ImageStore.at(directory.resolve("cache"));
    }

    private static String control(String name, String more) {
        return "Package: " + name + "\nVersion: 1\nArchitecture: amd64\n" + more;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static GuestLauncher guest(String console, String control) {
        return (files, disk, com1, com2) -> {
            com1.received(bytes(console), 0, console.length());
            com2.received(bytes(control), 0, control.length());
        };
    }

    private CachedImage build(GuestLauncher guest) {
        return store.build(RECIPE, mirror.settings(), guest, listener);
    }

    @Test
    void theImageIsWhole_whenTheGuestSucceeds() {
        List<BootFiles> started = new ArrayList<>();
        CachedImage image =
                build(
                        (files, disk, com1, com2) -> {
                            started.add(files);
                            assertThat(disk).isRegularFile();
                            guest("Setting up base\n", "\u001eexit 0\n")
                                    .run(files, disk, com1, com2);
                        });
        assertThat(image.disk()).isPresent();
        assertThat(image.recipe()).contains(RECIPE);
        assertThat(image.manifest().packages())
                .extracting(PackageRecord::name)
                .contains("base", "wanted", "also", "linux-image-amd64")
                .contains(MiniatureMirror.KERNEL_PACKAGE);
        assertThat(store.list()).extracting(CachedImage::name).containsExactly("debian");
        assertThat(store.find("debian")).contains(image);
        int packages = image.manifest().packages().size();
        assertThat(steps).contains("Configuring 1 of %d: Setting up base".formatted(packages));
        assertThat(started.getFirst().commandLine()).contains("root=UUID=", "javisor.second-stage");
    }

    @Test
    void nothingHalfDoneStays_whenTheGuestFails() throws IOException {
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> build(guest("it broke\r\n", "\u001eexit 3\n")))
                .withMessageContaining("ended with status 3")
                .withMessageContaining("it broke")
                .extracting(ImageException::code)
                .isEqualTo(ImageException.Code.SECOND_STAGE);
        assertThat(store.find("debian")).isEmpty();
        assertThat(store.directory().resolve(ImageStore.BUILD_LOG)).content().contains("it broke");
        try (Stream<Path> left = Files.list(store.directory())) {
            assertThat(left.filter(path -> path.getFileName().toString().startsWith(".tmp")))
                    .isEmpty();
        }
    }

    @Test
    void aGuestThatSaysNothingHasFailed_whenItEnds() {
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> build(guest("", "")))
                .withMessageContaining("ended before it was done");
    }

    @Test
    void theFormerImageStays_whenANewBuildFails() {
        CachedImage first = build(guest("", "\u001eexit 0\n"));
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> build(guest("", "\u001eexit 1\n")));
        assertThat(store.find("debian")).contains(first);
    }

    @Test
    void packagesAreNotFetchedAgain_whenABuildWasInterrupted() throws IOException {
        assertThatExceptionOfType(ImageException.class).isThrownBy(() -> build(guest("", "")));
        try (Stream<Path> pool = Files.walk(mirror.root.resolve("pool"))) {
            for (Path deb : pool.filter(Files::isRegularFile).toList()) {
                Files.delete(deb);
            }
        }
        assertThat(build(guest("", "\u001eexit 0\n")).disk()).isPresent();
    }

    @Test
    void aPackageIsFetchedAgain_whenItsCopyWasDamaged() throws IOException {
        build(guest("", "\u001eexit 0\n"));
        Path packages = store.directory().resolve(ImageStore.PACKAGES);
        try (Stream<Path> kept = Files.list(packages)) {
            for (Path deb : kept.toList()) {
                MiniatureMirror.damage(deb);
            }
        }
        assertThat(build(guest("", "\u001eexit 0\n")).disk()).isPresent();
    }

    @Test
    void refusesInOneLine_whenAPackageIsUnknown() {
        DebianRecipe recipe = new DebianRecipe("debian", "trixie", List.of("nonsense"), 1L << 30);
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> store.build(recipe, mirror.settings(), guest("", ""), listener))
                .withMessageContaining("no package nonsense");
    }

    @Test
    void isNotBuiltAgain_whenItIsThere() {
        CachedImage first = build(guest("", "\u001eexit 0\n"));
        assertThat(store.obtain(RECIPE, mirror.settings(), guest("", ""), listener))
                .isEqualTo(first);
    }

    @Test
    void namesTheSuite_whenTheMirrorHasNoSuch() {
        DebianRecipe recipe = new DebianRecipe("debian", "trixy", List.of(), 1L << 30);
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> store.build(recipe, mirror.settings(), guest("", ""), listener))
                .withMessageContaining("no suite trixy");
    }

    @Test
    void refusesRecipesThatMakeNoSense() {
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> new DebianRecipe("tiny", "trixie", List.of(), 1L << 30))
                .withMessageContaining("'tiny' is an image of another kind");
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> new DebianRecipe("big", "trixie", List.of(), 9L << 40))
                .withMessageContaining("9216 GiB is too large");
    }

    @Test
    void theImageGoes_whenRemoved() {
        build(guest("", "\u001eexit 0\n"));
        assertThat(store.remove("debian", listener)).isTrue();
        assertThat(store.find("debian")).isEmpty();
        assertThat(store.remove("debian", listener)).isFalse();
        assertThat(store.remove("../cache", listener)).isFalse();
    }
}
