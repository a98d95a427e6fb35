package org.javisor.gdb;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.SequencedSet;
import org.javisor.hypervisor.DebugRequest;
import org.javisor.hypervisor.DebugRequest.Watchpoint;

/** What a debugger wants the guest to stop at, by the types of the {@code Z} packet. */
final class Breakpoints {
    /** More than anybody sets by hand. */
    static final int MAXIMUM = 1024;

    /** The longest watched range in bytes. */
    static final int LONGEST_WATCH = 1 << 20;

    private static final int SOFTWARE = 0, HARDWARE = 1, WRITE = 2, READ = 3, ACCESS = 4;

    private record Code(int type, long address) {}

    private record Data(int type, long address, int length) {
        Watchpoint watchpoint() {
            return new Watchpoint(address, length, type != WRITE, type != READ);
        }

        boolean covers(long accessed) {
            return Long.compareUnsigned(accessed - address, length) < 0;
        }
    }

    private final SequencedSet<Code> code = new LinkedHashSet<>();
    private final SequencedSet<Data> data = new LinkedHashSet<>();

    /**
     * Sets one; one that is set stays set.
     *
     * @param length for data: in bytes; else the breakpoint instruction's kind, which does not
     *     matter here
     * @return false if there are too many or the length makes no sense
     * @throws MalformedPacketException if there is no such type
     */
    boolean insert(int type, long address, int length) {
        if (code.size() + data.size() >= MAXIMUM) {
            return false;
        }
        if (isCode(type)) {
            code.add(new Code(type, address));
            return true;
        }
        if (length < 1 || length > LONGEST_WATCH) {
            return false;
        }
        data.add(new Data(type, address, length));
        return true;
    }

    /** Removes one; no effect if it is not set. */
    void remove(int type, long address, int length) {
        if (isCode(type)) {
            code.remove(new Code(type, address));
        } else {
            data.remove(new Data(type, address, length));
        }
    }

    void clear() {
        code.clear();
        data.clear();
    }

    private static boolean isCode(int type) {
        return switch (type) {
            case SOFTWARE, HARDWARE -> true;
            case WRITE, READ, ACCESS -> false;
            default -> throw new MalformedPacketException("Unknown type of breakpoint");
        };
    }

    /**
     * @param step stop after the next instruction too
     * @param holdInterrupts as in {@link DebugRequest}
     */
    DebugRequest request(boolean step, boolean holdInterrupts) {
        List<Long> addresses = code.stream().map(Code::address).distinct().toList();
        List<Watchpoint> watchpoints = new ArrayList<>();
        data.forEach(watch -> watchpoints.add(watch.watchpoint()));
        return new DebugRequest(step, holdInterrupts, addresses, watchpoints);
    }

    /** What is to be said of a processor that stands before the instruction at an address. */
    Optional<StopCause> atInstruction(long linear) {
        if (code.contains(new Code(SOFTWARE, linear))) {
            return Optional.of(new StopCause.Breakpoint(linear, false));
        }
        return code.contains(new Code(HARDWARE, linear))
                ? Optional.of(new StopCause.Breakpoint(linear, true))
                : Optional.empty();
    }

    /** What is to be said of an access to watched memory. */
    Optional<StopCause> atData(long linear) {
        for (Data watch : data) {
            if (watch.covers(linear)) {
                String word =
                        switch (watch.type()) {
                            case WRITE -> "watch";
                            case READ -> "rwatch";
                            default -> "awatch";
                        };
                return Optional.of(new StopCause.Watched(linear, word));
            }
        }
        return Optional.empty();
    }
}
