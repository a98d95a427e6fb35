package org.javisor.interpreter;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.javisor.memory.GuestMemory;
import org.javisor.x86.CodeSize;

/** The decoded pages of one machine. */
final class CodeCache {
    /** Decoded pages kept at once. Beyond, all are dropped. */
    private static final int MOST_PAGES = 8192;

    /** What an instruction in a block costs of the heap, rounded up. */
    private static final int BYTES_PER_INSTRUCTION = 256;

    /** The part of the heap that decoded code may take. */
    private static final int HEAP_SHARE = 4;

    private final GuestMemory memory;
    private final ConcurrentHashMap<Long, CodePage> pages = new ConcurrentHashMap<>();

    /**
     * Instructions in blocks that are kept, roughly. A guest that jumps to every byte of its memory
     * would else have one decoded block for each.
     */
    private final AtomicLong instructions = new AtomicLong();

    private final long mostInstructions;

    CodeCache(GuestMemory memory) {
        this(memory, Runtime.getRuntime().maxMemory() / HEAP_SHARE / BYTES_PER_INSTRUCTION);
    }

    /**
     * @param mostInstructions beyond so many decoded instructions, all are dropped
     */
    CodeCache(GuestMemory memory, long mostInstructions) {
        this.memory = memory;
        this.mostInstructions = mostInstructions;
    }

    /** To be told of each block that is added to a page. */
    void added(Block block) {
        if (instructions.addAndGet(block.instructions.length) > mostInstructions) {
            dropAll();
        }
    }

    /** Instructions kept, roughly: those of pages that were written since still count. */
    long instructions() {
        return instructions.get();
    }

    /**
     * The page, possibly empty; from now on writes to it are noticed, once it is {@link
     * CodePage#settled}.
     */
    CodePage page(long gpa, CodeSize size) {
        long key = gpa | size.ordinal();
        CodePage page = pages.get(key);
        if (page == null) {
            if (pages.size() >= MOST_PAGES) {
                dropAll();
            }
            page = pages.computeIfAbsent(key, k -> new CodePage(gpa, size));
        }
        if (memory.trackCode(gpa)) {
            page.settled = false;
        }
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
        instructions.set(0);
    }

    private static final CodeSize[] SIZES = CodeSize.values();
}
