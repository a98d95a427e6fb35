package org.javisor.translator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.javisor.memory.ExecutableMemory;
import org.javisor.memory.GuestMemory;
import org.javisor.memory.RawMemory;
import org.javisor.memory.WriteObserver;
import org.javisor.x86.Decoder;
import org.javisor.x86.Instruction;

/**
 * The translations of one machine, shared by its processors: pages by guest-physical address, their
 * blocks, and the links between these. All methods are for one thread at a time.
 */
final class TranslationCache implements WriteObserver {
    /**
     * Pages numbered before all is flushed. Numbers that differ by a multiple of the span of the
     * code TLB could be taken for one another.
     */
    private static final int MOST_PAGES = ProcessorBlock.CODE_ENTRIES << 12;

    /**
     * After so many writes beside its code, a page counts as data: watching it costs more than
     * translating again, should its code still be used.
     */
    private static final int MOST_WRITES_BESIDE = 256;

    /**
     * After so many bytes of code were overwritten one after the other, something else is about to
     * fill the page, as when a kernel frees its initialisation code: the rest is dropped at once,
     * not store by store. Patches are shorter.
     */
    private static final int MOST_HIT_IN_A_ROW = 48;

    /** The parts that the code memory is filled and emptied by, if none becomes too small. */
    private static final int MOST_REGIONS = 16;

    /** Places in jump tables that are noted for one block. */
    private static final int MOST_JUMP_INDICES = 32;

    /** More than one block can need. */
    private static final int SMALLEST_REGION = 64 << 10;

    private final GuestMemory memory;
    private final ExecutableMemory code;
    private final HostFeatures host = HostFeatures.ofThisHost();
    private final Stubs stubs;
    private final BlockTranslator translator;
    private final Optional<PerfMap> perfMap;
    private final UnaryOperator<byte[]> fault;
    private final boolean verify;
    private final List<TranslatedRunner> runners = new ArrayList<>();
    private final Map<Long, TranslatedPage> pages = new HashMap<>();

    /** Filled one after the other; the oldest is emptied for what is new. */
    private final CodeRegion[] regions;

    private CodeRegion region;
    private int regionIndex;
    private final BusyBlocks busyBlocks;
    private final byte[] bytes = new byte[GuestMemory.PAGE_SIZE + Decoder.MAX_LENGTH];
    private int nextPage;
    private long blocks;
    private long evictions;
    private long evictedBlocks;
    private long evictedBytes;
    private long invalidations;

    TranslationCache(
            GuestMemory memory,
            ExecutableMemory code,
            TranslatorOptions options,
            UnaryOperator<byte[]> fault,
            BusyBlocks busyBlocks) {
        this.fault = fault;
        this.busyBlocks = busyBlocks;
        this.verify = options.verify();
        this.memory = memory;
        this.code = code;
        this.stubs = new Stubs(code);
        this.regions = divide(stubs.size + 63 & -64, code.size());
        this.region = regions[0];
        this.translator = new BlockTranslator(this, stubs, options);
        this.perfMap =
                options.perfMap()
                        ? Optional.of(PerfMap.open(PerfMap.usualFile()))
                        : Optional.empty();
        perfMap.ifPresent(map -> map.add(stubs, code.address()));
    }

    private static CodeRegion[] divide(long start, long end) {
        int count = (int) Math.min(MOST_REGIONS, (end - start) / SMALLEST_REGION);
        CodeRegion[] parts = new CodeRegion[count];
        for (int n = 0; n < count; n++) {
            parts[n] =
                    new CodeRegion(
                            n,
                            start + (end - start) * n / count,
                            start + (end - start) * (n + 1) / count);
        }
        return parts;
    }

    /** Nobody runs translated code any more. */
    void close() {
        perfMap.ifPresent(PerfMap::close);
    }

    Stubs stubs() {
        return stubs;
    }

    /**
     * @throws UnsupportedOperationException if code is compared and there is a processor already
     */
    synchronized void add(TranslatedRunner runner) {
        if (verify && !runners.isEmpty()) {
            throw new UnsupportedOperationException(
                    "The translator can be verified on machines of one processor only");
        }
        runners.add(runner);
    }

    /** The page, possibly without blocks. Writes to it have to be tracked before it gets some. */
    synchronized TranslatedPage page(long gpa) {
        TranslatedPage page = pages.get(gpa);
        if (page == null) {
            if (nextPage == MOST_PAGES) {
                emptyAll();
            }
            page = new TranslatedPage(gpa, nextPage++);
            pages.put(gpa, page);
        }
        return page;
    }

    /**
     * The block at an offset of a valid page, translated if it is not yet.
     *
     * @param second the page that follows in the guest's address space, or null
     * @param linear where the block is in the guest's address space just now
     * @return null if its first instruction ends on the next page and that is not given, or if a
     *     page has been dropped
     */
    synchronized TranslatedBlock block(
            TranslatedPage page, TranslatedPage second, int offset, int context, long linear) {
        TranslatedBlock block = page.block(context, offset);
        if (block != null) {
            return block;
        }
        if (!page.valid || second != null && !second.valid) {
            return null;
        }
        copy(page, offset, Math.min(BlockPlan.MOST_BYTES, GuestMemory.PAGE_SIZE - offset), 0);
        if (second != null) {
            copy(second, 0, Decoder.MAX_LENGTH, GuestMemory.PAGE_SIZE);
        }
        block = translate(page, second, offset, context);
        if (block == null) {
            return null;
        }
        code.write(region.next(), fault.apply(translator.asm.buffer()), translator.asm.size());
        block.size = translator.asm.size();
        region.add(block);
        page.add(block);
        if (second != null) {
            second.addStraddling(block);
        }
        connectWithin(block);
        blocks++;
        if (perfMap.isPresent()) {
            perfMap.get().add(block, linear);
        }
        return block;
    }

    /** Into the assembler's buffer, for the place that the region has next. */
    private TranslatedBlock translate(
            TranslatedPage page, TranslatedPage second, int offset, int context) {
        TranslatedBlock block =
                translator.translate(
                        page, second, bytes, offset, context, code.address() + region.next());
        if (block == null || region.fits(translator.asm.size())) {
            return block;
        }
        region.forgetUnfinished();
        regionIndex = (regionIndex + 1) % regions.length;
        region = regions[regionIndex];
        empty(region);
        if (!page.valid || second != null && !second.valid) {
            return null;
        }
        block =
                translator.translate(
                        page, second, bytes, offset, context, code.address() + region.next());
        if (!region.fits(translator.asm.size())) {
            throw new IllegalStateException("A block of %d bytes".formatted(translator.asm.size()));
        }
        return block;
    }

    /**
     * @param start where the page begins in the array
     */
    private void copy(TranslatedPage page, int offset, int length, int start) {
        long host = memory.hostAddress(page.gpa);
        int to = start + offset;
        if (host == 0) {
            Arrays.fill(bytes, to, to + length, (byte) 0xff);
        } else {
            RawMemory.copyToArray(host + offset, bytes, to, length);
        }
    }

    /** What a block has been translated to. */
    synchronized byte[] code(TranslatedBlock block) {
        byte[] copy = new byte[block.size];
        RawMemory.copyToArray(block.indirectEntry, copy, 0, copy.length);
        return copy;
    }

    /** Takes away a block that no longer ends on the page it did. */
    synchronized void remove(TranslatedBlock block) {
        if (block.valid) {
            drop(block);
            block.page.remove(block);
        }
    }

    /** Has a block translated anew in which an instruction's access shares its probe with none. */
    synchronized void ungroup(TranslatedBlock block, int offset) {
        block.page.ungroup(offset);
        remove(block);
    }

    /** Has a block translated anew in which an instruction looks into the TLB itself. */
    synchronized void noteManyPages(TranslatedBlock block, int offset) {
        block.page.noteManyPages(offset);
        remove(block);
    }

    /** Has a block translated anew in which an instruction's accesses are counted. */
    synchronized void beginTrial(TranslatedBlock block, int offset) {
        block.page.beginTrial(offset);
        remove(block);
    }

    /** Has a block translated anew in which they are no longer. */
    synchronized void acquit(TranslatedBlock block, int offset) {
        block.page.acquit(offset);
        remove(block);
    }

    /**
     * One in many accesses was a block's.
     *
     * <p>Where a busy block jumps back to is as busy; translated anew, it takes in what follows.
     *
     * @return whether the block is gone, to be translated anew as a busy one
     */
    synchronized boolean noteAccess(TranslatedBlock block) {
        if (!block.valid || !busyBlocks.note(block)) {
            return false;
        }
        remove(block);
        TranslatedBlock head =
                block.backTo < 0 ? null : block.page.block(block.context, block.backTo);
        if (head != null) {
            remove(head);
        }
        return true;
    }

    boolean beginsLoop(TranslatedBlock block) {
        return busyBlocks.beginsLoop(block);
    }

    boolean isBusy(TranslatedBlock block) {
        return busyBlocks.isBusy(block);
    }

    /** All processors of a machine offer the same. */
    boolean offers(Instruction i) {
        return runners.getFirst().offers(i);
    }

    /** Whether the host's processor has it. */
    boolean hostExecutes(Instruction i) {
        return host.executes(i);
    }

    int addSite(Site site) {
        return region.addSite(site);
    }

    /** The link's place is still by address. */
    int addLink(Link link) {
        link.from.outgoing.add(link);
        return region.addLink(link);
    }

    Site site(int number) {
        return regions[CodeRegion.index(number)].site(number);
    }

    Link link(int number) {
        return regions[CodeRegion.index(number)].link(number);
    }

    /**
     * A block is about to be entered into a jump table. Code that many processes have at different
     * addresses leaves the tables now and then, so that what is noted of it stays short.
     */
    synchronized void noteJump(TranslatedBlock block, int index) {
        if (block.jumpNoted(index)) {
            return;
        }
        if (block.jumpIndices().length == MOST_JUMP_INDICES) {
            for (TranslatedRunner runner : runners) {
                runner.forget(block);
            }
            block.forgetJumps();
        }
        block.noteJump(index);
    }

    /** Lets a new block's jumps within its page go straight to the blocks that are there. */
    private void connectWithin(TranslatedBlock block) {
        for (Link link : block.outgoing) {
            TranslatedBlock target =
                    link.guardAt == -1 ? block.page.block(link.context, link.targetOffset) : null;
            if (target != null) {
                connect(link, target);
            }
        }
    }

    /** Lets a jump go straight to its target. */
    synchronized void connect(Link link, TranslatedBlock target) {
        if (link.target == null && link.from.valid && target.valid) {
            link.target = target;
            target.addIncoming(link);
            long entry = target.entry;
            if (link.guardAt != -1) {
                // The guard first: as long as the jump leads nowhere, it may let anybody pass.
                code.patch(link.guardAt - code.address(), target.page.number - target.offset + 1);
                entry = target.indirectEntry;
            }
            code.patch(link.patchAt - code.address(), (int) (entry - link.patchAt - 4));
        }
    }

    private void disconnect(Link link) {
        link.target = null;
        code.patch(link.patchAt - code.address(), link.unlinked);
    }

    @Override
    public synchronized boolean codeChanged(long gpa, int length) {
        TranslatedPage page = pages.get(gpa & -GuestMemory.PAGE_SIZE);
        if (page == null) {
            return false;
        }
        int offset = (int) gpa & GuestMemory.PAGE_SIZE - 1;
        if (!page.mayHold(offset, length)) {
            return ++page.writesBeside < MOST_WRITES_BESIDE;
        }
        page.writesBeside = 0;
        invalidations++;
        page.blocksAt(offset, length).forEach(this::remove);
        return page.hitInARow(offset, length) < MOST_HIT_IN_A_ROW;
    }

    @Override
    public synchronized void codeWritten(long pageGpa) {
        TranslatedPage page = pages.remove(pageGpa);
        if (page != null) {
            invalidations++;
            drop(page);
        }
    }

    private void drop(TranslatedPage page) {
        page.valid = false;
        for (TranslatedBlock block : List.copyOf(page.straddling)) {
            remove(block);
        }
        page.blocks().forEach(this::drop);
    }

    private void drop(TranslatedBlock block) {
        block.valid = false;
        if (block.secondPage != null) {
            block.secondPage.straddling.remove(block);
        }
        block.incoming().forEach(this::disconnect);
        block.forgetIncoming();
        for (Link link : block.outgoing) {
            if (link.target != null) {
                // Who is in the block, or comes back to it from a call, shall not go on to what is
                // dropped later.
                link.target.removeIncoming(link);
                disconnect(link);
            }
        }
        for (TranslatedRunner runner : runners) {
            runner.forget(block);
            if (block.loops) {
                runner.attention();
            }
        }
    }

    @Override
    public void writesTracked(long pageGpa) {
        for (TranslatedRunner runner : runners) {
            runner.revokeWrites(pageGpa);
        }
    }

    /** Drops the code of a region, and once no other processor runs any, lets it be overwritten. */
    private void empty(CodeRegion old) {
        if (old.used() == 0) {
            return;
        }
        evictions++;
        evictedBytes += old.used();
        for (TranslatedBlock block : old.blocks()) {
            if (block.valid) {
                evictedBlocks++;
                remove(block);
                forgetIfEmpty(block.page);
                if (block.secondPage != null) {
                    forgetIfEmpty(block.secondPage);
                }
            }
        }
        for (TranslatedRunner runner : runners) {
            runner.awaitOutside();
        }
        old.clear();
    }

    private void forgetIfEmpty(TranslatedPage page) {
        if (page.isEmpty()) {
            page.valid = false;
            pages.remove(page.gpa, page);
        }
    }

    /** Drops everything, so that numbers of pages can begin anew. */
    private void emptyAll() {
        for (TranslatedPage page : pages.values()) {
            drop(page);
        }
        pages.clear();
        for (CodeRegion old : regions) {
            empty(old);
        }
        regionIndex = 0;
        region = regions[0];
        nextPage = 0;
        for (TranslatedRunner runner : runners) {
            runner.awaitOutside();
        }
        for (TranslatedRunner runner : runners) {
            runner.forgetPages();
        }
    }

    synchronized void count(Map<String, Long> counters) {
        long used = stubs.size;
        for (CodeRegion part : regions) {
            used += part.used();
        }
        counters.put("translator.blocks", blocks);
        counters.put("translator.code-bytes", used);
        counters.put("translator.evictions", evictions);
        counters.put("translator.evicted-blocks", evictedBlocks);
        counters.put("translator.evicted-bytes", evictedBytes);
        counters.put("translator.invalidations", invalidations);
    }
}
