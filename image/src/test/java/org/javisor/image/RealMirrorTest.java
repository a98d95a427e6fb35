package org.javisor.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Pulls from the mirror that this host's apt uses, or {@code JAVISOR_MIRROR}: {@code ./mvnw -pl
 * image test -Djavisor.excludedGroups= -Dtest=RealMirrorTest}.
 */
@Tag("network")
class RealMirrorTest {

    @TempDir private Path directory;

    @Test
    void tinyIsMade_whenMirrorIsReal() {
        CachedImage image =
                ImageStore.at(directory)
                        .obtain(
                                Catalog.named("tiny"),
                                PullSettings.of(
                                        Optional.empty(), Optional.empty(), System.getenv()),
                                ProgressListener.silent());
        assertThat(image.kernel().toFile().length()).isGreaterThan(1 << 20);
        assertThat(image.initramfs().toFile().length()).isGreaterThan(1 << 20);
    }
}
