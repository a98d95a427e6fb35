package org.javisor.storage;

/** A disk that knows of places that read as zeros without reading them. */
interface SparseSource {

    /** How many bytes from here on are known to read as zeros, at most {@code most}. */
    long zeroLength(long offset, long most);

    static long zeroLength(BlockBackend disk, long offset, long most) {
        return disk instanceof SparseSource sparse ? sparse.zeroLength(offset, most) : 0;
    }
}
