package org.javisor.image;

import java.util.List;

/**
 * What the archive's index says of a binary package.
 *
 * @param name the package's name
 * @param version its version
 * @param path its file below the archive's base
 * @param size the file's size in bytes
 * @param sha256 the file's checksum, lower-case hexadecimal
 * @param depends the names of the packages it depends on, of alternatives the first
 */
public record PackageRecord(
        String name, String version, String path, long size, String sha256, List<String> depends) {

    /** What the file must be. */
    Download.Expectation expectation() {
        return new Download.Expectation(size, sha256);
    }
}
