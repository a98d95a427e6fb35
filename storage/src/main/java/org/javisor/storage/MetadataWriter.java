package org.javisor.storage;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Writes what changed in the tables, in an order that leaves the image consistent wherever it is
 * cut off:
 *
 * <ol>
 *   <li>refcounts of clusters taken into use, new refcount blocks before the table that leads to
 *       them, beside the data that was written before;
 *   <li>a flush;
 *   <li>L2 and L1 entries that lead to those clusters;
 *   <li>a flush;
 *   <li>only then are clusters counted as free that those entries led to before, and that count is
 *       written the next time.
 * </ol>
 *
 * <p>What a crash can leave behind is clusters that count as used and are not. What changed is
 * copied under the metadata lock and written without it, so that requests go on meanwhile; callers
 * that come while one writes share the next round.
 */
final class MetadataWriter {
    private final HostFile file;
    private final QcowHeader header;
    private final ReentrantLock metadata;
    private final L1Table l1;
    private final L2Cache l2;
    private final Refcounts refcounts;
    private final RequestEpochs epochs;
    private final QcowCorruption corruption;

    private final ReentrantLock writing = new ReentrantLock();
    private final AtomicLong requested = new AtomicLong();
    private long completed;
    private volatile boolean dataUnflushed;

    /** Left by entries in memory, but the file's entries still lead there. */
    private List<Clusters> left = new ArrayList<>();

    /** Nothing in the file leads there; requests may. */
    private final List<Batch> resting = new ArrayList<>();

    /** Adjacent host clusters. */
    private record Clusters(long first, long count) {}

    private record Batch(long epoch, List<Clusters> clusters) {}

    MetadataWriter(
            HostFile file,
            QcowHeader header,
            ReentrantLock metadata,
            L1Table l1,
            L2Cache l2,
            Refcounts refcounts,
            RequestEpochs epochs,
            QcowCorruption corruption) {
        this.file = file;
        this.header = header;
        this.metadata = metadata;
        this.l1 = l1;
        this.l2 = l2;
        this.refcounts = refcounts;
        this.epochs = epochs;
        this.corruption = corruption;
    }

    /** To be called after each write of data. */
    void dataWritten() {
        dataUnflushed = true;
    }

    /** Notes that an entry no longer leads to these clusters. Under the metadata lock. */
    void leave(long first, long count) {
        left.add(new Clusters(first, count));
    }

    /** Brings everything that happened before to the disk. */
    void commit() {
        long ticket = requested.incrementAndGet();
        writing.lock();
        try {
            if (completed >= ticket) {
                return;
            }
            long covered = requested.get();
            writeRound();
            completed = covered;
        } finally {
            writing.unlock();
        }
    }

    /** Brings everything to the disk, what becomes free through it included. No request runs. */
    void commitAll() {
        do {
            commit();
        } while (hasRest());
    }

    private boolean hasRest() {
        metadata.lock();
        try {
            release();
            return !left.isEmpty() || !resting.isEmpty() || refcounts.hasChanges();
        } finally {
            metadata.unlock();
        }
    }

    private void writeRound() {
        corruption.requireSound();
        boolean unflushed = dataUnflushed;
        dataUnflushed = false;
        Round round;
        try {
            round = take();
        } catch (RuntimeException e) {
            dataUnflushed = true;
            throw e;
        }
        try {
            if (round.isEmpty()) {
                if (unflushed) {
                    file.flush();
                }
            } else {
                round.refcounts.write(file);
                file.flush();
                if (!round.l2.isEmpty() || !round.l1.isEmpty()) {
                    round.l2.write(file);
                    round.l1.write(file);
                    file.flush();
                }
            }
        } catch (RuntimeException e) {
            dataUnflushed = true;
            failed(round);
            throw e;
        }
        written(round);
    }

    /** Everything that one round writes. */
    private record Round(
            Refcounts.Changes refcounts,
            L2Cache.Changes l2,
            L1Table.Changes l1,
            List<Clusters> left) {

        boolean isEmpty() {
            return refcounts.isEmpty() && l2.isEmpty() && l1.isEmpty();
        }
    }

    private Round take() {
        metadata.lock();
        try {
            release();
            for (Refcounts.Run run : refcounts.takeAbandoned()) {
                leave(run.first(), run.count());
            }
            List<Clusters> leaving = left;
            left = new ArrayList<>();
            return new Round(refcounts.take(), l2.take(l1), l1.take(), leaving);
        } finally {
            metadata.unlock();
        }
    }

    private void failed(Round round) {
        metadata.lock();
        try {
            refcounts.failed(round.refcounts);
            l2.failed(round.l2);
            l1.failed(round.l1);
            left.addAll(round.left);
        } finally {
            metadata.unlock();
        }
    }

    private void written(Round round) {
        metadata.lock();
        try {
            refcounts.written(round.refcounts);
            l2.written(round.l2);
            l2.evict();
            if (!round.left.isEmpty()) {
                resting.add(new Batch(epochs.now(), round.left));
            }
        } finally {
            metadata.unlock();
        }
    }

    /** Frees what no request can have in hand any more. Under the metadata lock. */
    void release() {
        if (resting.isEmpty()) {
            return;
        }
        epochs.advance();
        List<Clusters> freed = new ArrayList<>();
        while (!resting.isEmpty() && epochs.over(resting.getFirst().epoch())) {
            for (Clusters clusters : resting.removeFirst().clusters()) {
                for (long i = 0; i < clusters.count(); i++) {
                    if (refcounts.decrement(clusters.first() + i)) {
                        freed.add(new Clusters(clusters.first() + i, 1));
                    }
                }
            }
        }
        giveBack(freed);
    }

    /** Before anybody can take the clusters again: the holes must not fall into new data. */
    private void giveBack(List<Clusters> freed) {
        freed.sort(Comparator.comparingLong(Clusters::first));
        for (int i = 0; i < freed.size(); ) {
            long first = freed.get(i).first();
            long next = first + 1;
            for (i++; i < freed.size() && freed.get(i).first() == next; i++) {
                next++;
            }
            try {
                file.punchHole(
                        first << header.clusterBits(), (next - first) << header.clusterBits());
            } catch (StorageException e) {
                // The clusters are free with or without their space.
                return;
            }
        }
    }
}
