package org.javisor.storage;

import java.util.Optional;

/**
 * What an open qcow2 image consists of.
 *
 * @param file where it lies
 * @param header what it says of itself
 * @param map from the disk's bytes to the file's
 * @param tables how that map is changed
 * @param committer how changes reach the disk
 * @param compressed its compressed clusters
 * @param ranges clusters that are being allocated
 * @param epochs requests under way
 * @param l2 the cached parts of its L2 tables
 * @param backing the image underneath
 */
record QcowParts(
        HostFile file,
        QcowHeader header,
        QcowMap map,
        QcowTables tables,
        MetadataWriter committer,
        CompressedClusters compressed,
        RangeLock ranges,
        RequestEpochs epochs,
        L2Cache l2,
        Optional<BlockBackend> backing) {}
