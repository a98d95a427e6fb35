package org.javisor.guesttests;

import java.util.Optional;
import org.javisor.image.CachedImage;
import org.javisor.image.Catalog;
import org.javisor.image.ImageStore;
import org.junit.jupiter.api.Assumptions;

/** Images that were pulled before; tests use no network. */
final class GuestImage {
    private GuestImage() {}

    /** The image from the user's cache; where it is absent the test is skipped and says so. */
    static CachedImage require(String name) {
        ImageStore store = ImageStore.ofUser(System.getenv());
        Optional<CachedImage> image = store.find(Catalog.named(name));
        Assumptions.assumeTrue(
                image.isPresent(),
                () ->
                        "No image '%s' in %s; './javisor image pull %s' makes it"
                                .formatted(name, store.directory(), name));
        return image.get();
    }
}
