package org.javisor.interpreter;

import java.util.concurrent.ConcurrentHashMap;
import org.javisor.memory.GuestMemory;
import org.javisor.x86.CodeSize;

/** The decoded pages of one machine. */
final class CodeCache {
    /** Decoded pages kept at once; each is about 100 KiB when full. Beyond, all are dropped. */
    private static final int CAPACITY = 8192;

    private final GuestMemory memory;
    private final ConcurrentHashMap<Long, CodePage> pages = new ConcurrentHashMap<>();

    CodeCache(GuestMemory memory) {
        this.memory = memory;
    }

    /** The page, possibly empty; from now on writes to it are noticed. */
    CodePage page(long gpa, CodeSize size) {
        long key = gpa | size.ordinal();
        CodePage page = pages.get(key);
        if (page == null) {
            if (pages.size() >= CAPACITY) {
                dropAll();
            }
            page = pages.computeIfAbsent(key, k -> new CodePage(gpa, size));
        }
        memory.trackCode(gpa);
        return page;
    }

    /** Forgets what was decoded of a page that was written. */
    void drop(long gpa) {
        for (CodeSize size : SIZES) {
            CodePage page = pages.remove(gpa | size.ordinal());
            if (page != null) {
                page.valid = false;
            }
        }
    }

    private void dropAll() {
        for (CodePage page : pages.values()) {
            page.valid = false;
        }
        pages.clear();
    }

    private static final CodeSize[] SIZES = CodeSize.values();
}
