package org.javisor.translator;

import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import org.javisor.memory.GuestMemory;

/**
 * What the tables knew of the address spaces that the guest has left and may come back to, by
 * process-context identifier (Intel SDM vol. 3A, section 5.10.1). For the processor's own thread,
 * but for nothing here depending on the host addresses of code, which other threads may take away.
 */
final class AddressSpaces {
    /** Linux uses six identifiers a processor. */
    private static final int MOST = 8;

    private static final int PAGE_SHIFT = 12;

    private final ProcessorBlock state;
    private final AddressTables tables;
    private final FetchTable fetches;
    private final CodeLookup code;
    private final GuestMemory memory;
    private final WritablePlaces places;
    private final boolean readOnly;

    /** The one left last comes first. */
    private final Deque<Left> left = new ArrayDeque<>();

    /** One whose address space has been entered again, or null: the next to be left needs one. */
    private Left spare;

    /** The entries of one address space that are not global. */
    static final class Left {
        private int identifier;
        private int dataCount;
        private int[] dataContext = new int[64];
        private long[] linear = new long[64];
        private long[] gpa = new long[64];
        private long[] host = new long[64];
        private boolean[] writable = new boolean[64];
        private int codeCount;
        private int[] codeContext = new int[64];
        private long[] codeLinear = new long[64];
        private TranslatedPage[] page = new TranslatedPage[64];
        private int jumpCount;
        private int[] jumpContext = new int[64];
        private long[] jumpTarget = new long[64];

        void addData(int context, long at, long guest, long onHost, boolean write) {
            if (dataCount == linear.length) {
                int more = 2 * dataCount;
                dataContext = Arrays.copyOf(dataContext, more);
                linear = Arrays.copyOf(linear, more);
                gpa = Arrays.copyOf(gpa, more);
                host = Arrays.copyOf(host, more);
                writable = Arrays.copyOf(writable, more);
            }
            dataContext[dataCount] = context;
            linear[dataCount] = at;
            gpa[dataCount] = guest;
            host[dataCount] = onHost;
            writable[dataCount++] = write;
        }

        void addCode(int context, long at, TranslatedPage code) {
            if (codeCount == codeLinear.length) {
                int more = 2 * codeCount;
                codeContext = Arrays.copyOf(codeContext, more);
                codeLinear = Arrays.copyOf(codeLinear, more);
                page = Arrays.copyOf(page, more);
            }
            codeContext[codeCount] = context;
            codeLinear[codeCount] = at;
            page[codeCount++] = code;
        }

        void addJump(int context, long target) {
            if (jumpCount == jumpTarget.length) {
                jumpContext = Arrays.copyOf(jumpContext, 2 * jumpCount);
                jumpTarget = Arrays.copyOf(jumpTarget, 2 * jumpCount);
            }
            jumpContext[jumpCount] = context;
            jumpTarget[jumpCount++] = target;
        }

        private void begin(int newIdentifier) {
            identifier = newIdentifier;
            dataCount = 0;
            Arrays.fill(page, 0, codeCount, null);
            codeCount = 0;
            jumpCount = 0;
        }
    }

    /**
     * @param readOnly whether pages may only be read at first of an address space that the guest
     *     comes back to, so that their first writes are seen
     */
    AddressSpaces(
            ProcessorBlock state,
            AddressTables tables,
            FetchTable fetches,
            CodeLookup code,
            GuestMemory memory,
            WritablePlaces places,
            boolean readOnly) {
        this.code = code;
        this.readOnly = readOnly;
        this.state = state;
        this.tables = tables;
        this.fetches = fetches;
        this.memory = memory;
        this.places = places;
    }

    /** All that was left is void. */
    void forget() {
        left.clear();
    }

    /**
     * The guest goes from one address space to another.
     *
     * @param keep whether what is known of the new one still holds
     */
    void change(int from, int to, boolean keep) {
        if (from == to && keep) {
            return;
        }
        if (from == to) {
            tables.flush(true);
            fetches.flush(true);
            return;
        }
        Left old = take(from);
        if (old == null) {
            old = left.size() == MOST ? left.removeLast() : spare();
        }
        old.begin(from);
        tables.leave(old);
        fetches.leave(old);
        tables.flush(true);
        fetches.flush(true);
        left.addFirst(old);
        Left now = take(to);
        if (now != null) {
            if (keep) {
                enter(now);
            }
            spare = now;
        }
    }

    private Left spare() {
        Left one = spare == null ? new Left() : spare;
        spare = null;
        return one;
    }

    private Left take(int identifier) {
        for (Left space : left) {
            if (space.identifier == identifier) {
                left.remove(space);
                return space;
            }
        }
        return null;
    }

    private void enter(Left space) {
        for (int n = 0; n < space.dataCount; n++) {
            tables.enterData(
                    space.dataContext[n],
                    space.linear[n],
                    space.gpa[n],
                    space.host[n],
                    !readOnly && space.writable[n] && !memory.isTracked(space.gpa[n]),
                    false,
                    PAGE_SHIFT);
        }
        // Tracking may have begun since the question; who begins it revokes afterwards.
        VarHandle.fullFence();
        for (int n = 0; n < space.dataCount; n++) {
            if (space.writable[n]) {
                int index = ProcessorBlock.tlbIndex(space.linear[n]);
                places.note(space.gpa[n], index);
                if (memory.isTracked(space.gpa[n])) {
                    state.clearTlbWrite(space.dataContext[n], index);
                }
            }
        }
        for (int n = 0; n < space.codeCount; n++) {
            TranslatedPage page = space.page[n];
            if (page.valid) {
                fetches.enter(space.codeContext[n], space.codeLinear[n], page, false);
                tables.enterCode(space.codeContext[n], space.codeLinear[n], page.number, false);
            }
        }
        for (int n = 0; n < space.jumpCount; n++) {
            code.enterJumpIfKnown(space.jumpContext[n], space.jumpTarget[n]);
        }
    }
}
