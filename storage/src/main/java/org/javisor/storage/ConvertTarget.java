package org.javisor.storage;

import java.nio.file.Path;
import java.util.Optional;

/**
 * What a copied disk is to be.
 *
 * @param file its name
 * @param qcow how the qcow2 image is to be, the size aside, which is the source's; empty for raw
 * @param compress whether clusters are compressed
 * @param overwrite whether a file of that name may be replaced
 */
public record ConvertTarget(
        Path file, Optional<QcowOptions> qcow, boolean compress, boolean overwrite) {}
