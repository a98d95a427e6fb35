package org.javisor.storage;

/** What the host may keep in memory of a disk, named as QEMU names it. */
public enum CacheMode {
    /** The host's page cache is used; a guest's flush reaches the disk. */
    WRITEBACK("writeback", false, false, false),
    /** The host's page cache is gone round (O_DIRECT); a guest's flush reaches the disk. */
    NONE("none", true, false, false),
    /** Every write reaches the disk before it is acknowledged. */
    WRITETHROUGH("writethrough", false, true, false),
    /** Both: no page cache, and every write reaches the disk. */
    DIRECTSYNC("directsync", true, true, false),
    /** A guest's flush does nothing: a crash of the host may cost the whole disk. */
    UNSAFE("unsafe", false, false, true);

    private final String word;
    private final boolean direct;
    private final boolean flushEveryWrite;
    private final boolean ignoreFlush;

    CacheMode(String word, boolean direct, boolean flushEveryWrite, boolean ignoreFlush) {
        this.word = word;
        this.direct = direct;
        this.flushEveryWrite = flushEveryWrite;
        this.ignoreFlush = ignoreFlush;
    }

    /** As the user writes it. */
    public String word() {
        return word;
    }

    /** Whether the host's page cache is gone round. */
    public boolean direct() {
        return direct;
    }

    /** Whether each write is flushed; a device then shows its guest no volatile cache. */
    public boolean flushEveryWrite() {
        return flushEveryWrite;
    }

    /** Whether flushes are ignored. */
    public boolean ignoreFlush() {
        return ignoreFlush;
    }
}
