package org.javisor.bench;

import java.io.IOException;
import java.util.Optional;
import org.javisor.image.CachedImage;
import org.javisor.image.Catalog;
import org.javisor.image.ImageDefinition;
import org.javisor.image.ImageStore;

/** The image that all guests are made from. */
final class BenchImage {
    static final String NAME = "tiny";

    private BenchImage() {}

    /** The image from the cache; the measured command fetches it if it is not there. */
    static CachedImage get(String launcher, Workplace workplace) throws InterruptedException {
        ImageDefinition definition = Catalog.named(NAME);
        ImageStore store = ImageStore.ofUser(System.getenv());
        Optional<CachedImage> cached = store.find(definition);
        if (cached.isPresent()) {
            return cached.get();
        }
        try {
            Process pull =
                    workplace.start(
                            new ProcessBuilder(launcher, "image", "pull", NAME)
                                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                                    .redirectError(ProcessBuilder.Redirect.INHERIT));
            int status = pull.waitFor();
            if (status != 0) {
                throw new BenchException(
                        status, "The benchmarks need the image %s".formatted(NAME));
            }
        } catch (IOException e) {
            throw new BenchException(
                    BenchException.HOST_CANNOT,
                    "Cannot start %s: %s".formatted(launcher, Text.reason(e)));
        }
        return store.find(definition)
                .orElseThrow(
                        () ->
                                new BenchException(
                                        BenchException.FAILURE,
                                        "The image %s did not arrive in the cache"
                                                .formatted(NAME)));
    }
}
