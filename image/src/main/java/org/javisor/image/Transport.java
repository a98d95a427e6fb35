package org.javisor.image;

import java.io.IOException;
import java.io.InputStream;

/** Opens files of a mirror. */
interface Transport {

    /** The mirror does not have the file; another attempt would not change that. */
    final class NoSuchFileOnMirror extends IOException {
        private static final long serialVersionUID = 1;

        NoSuchFileOnMirror(String message) {
            super(message);
        }
    }

    /** The mirror refuses in a way that another attempt would not change. */
    final class Refused extends IOException {
        private static final long serialVersionUID = 1;

        Refused(String message) {
            super(message);
        }
    }

    /**
     * Opens a file.
     *
     * @param path relative to the archive's base, with slashes, such as {@code dists/sid/InRelease}
     * @return its bytes; reading fails rather than blocks for ever
     * @throws NoSuchFileOnMirror when there is no such file
     * @throws Refused when asking again is no use
     * @throws IOException when it may help to ask again
     */
    InputStream open(String path) throws IOException;

    /** The transport for a mirror. */
    static Transport of(Mirror mirror, java.util.Map<String, String> environment) {
        return mirror.isDirectory()
                ? new DirectoryTransport(mirror.directory())
                : new HttpTransport(mirror.base(), ProxySettings.of(environment));
    }
}
