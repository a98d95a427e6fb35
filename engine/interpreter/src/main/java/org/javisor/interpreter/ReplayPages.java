package org.javisor.interpreter;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.javisor.memory.GuestMemory;
import org.javisor.memory.RawMemory;

/**
 * The pages that a {@link CodeRunner} writes, as they were before: one copy to be kept, one for the
 * instructions that are carried out again, with the software TLB through which these see it.
 */
final class ReplayPages {
    private static final int PAGE_SIZE = GuestMemory.PAGE_SIZE;
    private static final int CHUNK = 64;

    /** Chunks of pairs of copies, freed when nobody can reach them. */
    private final List<Long> chunks = new ArrayList<>();

    private final Arena arena = Arena.ofAuto();

    private long[] gpas = new long[CHUNK];
    private long[] hosts = new long[CHUNK];
    private int count;

    // The TLB through which the copies are seen
    final long[] readTag = new long[DataTlb.ALL];
    final long[] writeTag = new long[DataTlb.ALL];
    final long[] toHost = new long[DataTlb.ALL];
    private final int[] entered = new int[DataTlb.ALL];
    private final boolean[] listed = new boolean[DataTlb.ALL];
    private int enteredCount;

    ReplayPages() {
        Arrays.fill(readTag, DataTlb.EMPTY);
        Arrays.fill(writeTag, DataTlb.EMPTY);
    }

    void clear() {
        count = 0;
    }

    int count() {
        return count;
    }

    long gpa(int n) {
        return gpas[n];
    }

    /** The page itself. */
    long host(int n) {
        return hosts[n];
    }

    /** The page as it was. */
    long before(int n) {
        return chunks.get(n / CHUNK) + (long) (n % CHUNK) * 2 * PAGE_SIZE;
    }

    /** The page as the interpreter leaves it. */
    long copy(int n) {
        return before(n) + PAGE_SIZE;
    }

    /** Copies a page, unless that has been done. */
    void add(long gpa, long host) {
        if (copyOf(host) != 0) {
            return;
        }
        if (count == hosts.length) {
            gpas = Arrays.copyOf(gpas, 2 * count);
            hosts = Arrays.copyOf(hosts, 2 * count);
        }
        if (count == CHUNK * chunks.size()) {
            chunks.add(arena.allocate(2L * CHUNK * PAGE_SIZE, PAGE_SIZE).address());
        }
        gpas[count] = gpa;
        hosts[count] = host;
        RawMemory.copy(host, before(count), PAGE_SIZE);
        count++;
    }

    /** Begins with the pages as they were. */
    void prepare() {
        for (int n = 0; n < count; n++) {
            RawMemory.copy(before(n), copy(n), PAGE_SIZE);
        }
        for (int n = 0; n < enteredCount; n++) {
            int index = entered[n];
            readTag[index] = DataTlb.EMPTY;
            writeTag[index] = DataTlb.EMPTY;
            listed[index] = false;
        }
        enteredCount = 0;
    }

    /** Makes the pages what they were. */
    void restore() {
        for (int n = 0; n < count; n++) {
            RawMemory.copy(before(n), hosts[n], PAGE_SIZE);
        }
    }

    /** The copy to work on of a page at a host address, or 0. */
    long copyOf(long host) {
        for (int n = 0; n < count; n++) {
            if (hosts[n] == host) {
                return copy(n);
            }
        }
        return 0;
    }

    void enter(int n, long page, long host, boolean writable) {
        readTag[n] = page;
        writeTag[n] = writable ? page : DataTlb.EMPTY;
        toHost[n] = host - page;
        if (!listed[n]) {
            listed[n] = true;
            entered[enteredCount++] = n;
        }
    }
}
