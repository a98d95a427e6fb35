package org.javisor.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MachineStoreTest {
    private static final DebianRecipe RECIPE =
            new DebianRecipe("debian", "trixie", List.of("curl", "wget"), 2L << 30);

    @TempDir Path directory;

    private Path source;
    private CachedImage image;
    private MachineStore store;

    @BeforeEach
    void image() throws IOException {
        source = Files.createDirectory(directory.resolve("image"));
        for (String name : List.of(CachedImage.KERNEL, CachedImage.INITRAMFS, CachedImage.DISK)) {
            Files.writeString(source.resolve(name), name);
        }
        DiskFacts facts = new DiskFacts(RECIPE, UUID.randomUUID(), 5);
        Files.writeString(source.resolve(DiskFacts.FILE_NAME), facts.text());
        Instant time = Instant.parse("2026-01-01T00:00:00Z");
        Manifest manifest =
                new Manifest("debian", "trixie", "file:/m/", time, "key", time, List.of());
        Files.writeString(source.resolve(Manifest.FILE_NAME), manifest.text());
        image = new CachedImage(source, manifest);
        store = MachineStore.at(directory.resolve("machines"));
    }

    private MachineStore.Kept create(String name) {
        return store.create(
                name,
                image,
                (disk, base) -> {
                    try {
                        Files.copy(base, disk);
                    } catch (IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                });
    }

    @Test
    void isFoundAgain_whenCreated() {
        MachineStore.Kept made = create("web");
        assertThat(store.find("web")).contains(made);
        assertThat(store.names()).containsExactly("web");
        assertThat(made.disk()).content().isEqualTo(CachedImage.DISK);
        assertThat(made.image().recipe()).contains(RECIPE);
        assertThat(made.instance()).startsWith("web-");
    }

    @Test
    void eachHasAnIdentity_whenSeveralAreMadeOfOneImage() {
        assertThat(create("a").instance()).isNotEqualTo(create("b").instance());
    }

    @Test
    void outlivesItsImage_whenThatIsRemoved() throws IOException {
        create("web");
        ImageStore.delete(source);
        assertThat(store.find("web").orElseThrow().image().disk()).isPresent();
    }

    @Test
    void nothingHalfDoneStays_whenItsDiskCannotBeMade() throws IOException {
        assertThatExceptionOfType(IllegalStateException.class)
                .isThrownBy(
                        () ->
                                store.create(
                                        "web",
                                        image,
                                        (disk, base) -> {
                                            throw new IllegalStateException("no disk");
                                        }));
        assertThat(store.find("web")).isEmpty();
        try (Stream<Path> left = Files.list(directory.resolve("machines"))) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void goesWithItsDisk_whenRemoved() {
        create("web");
        assertThat(store.remove("web")).isTrue();
        assertThat(store.find("web")).isEmpty();
        assertThat(store.remove("web")).isFalse();
        assertThat(store.remove("../image")).isFalse();
        assertThat(source).exists();
    }
}
