package org.javisor.testkit;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.OracleCase.Kind;
import org.javisor.testkit.OracleCase.Start;
import org.javisor.testkit.Watchdog.NoEndException;

/**
 * Runs the same bytes in the same state on the host's processor and in an engine, and compares all
 * that an unprivileged program can see: registers, flags, x87, MMX and SSE state, memory, and the
 * exception with its error code and address. States are made from seeds.
 */
public final class Oracle implements AutoCloseable {
    /** How often a state that once differed is run in a row. */
    private static final int REPEATS = GuestSeries.MOST;

    private final HostProcessor host;
    private final GuestProcessor guest;
    private final GuestSeries series;
    private final MemorySegment hostWindow;
    private final MemorySegment data;
    private final byte[] pristine;
    private final MemorySegment actualWindow = MemorySegment.ofArray(new byte[RandomState.WINDOW]);
    private final UserState expected = new UserState();
    private final UserState actual = new UserState();
    private long compared;

    private Oracle(HostProcessor host, Hypervisor hypervisor) {
        this.host = host;
        this.guest = new GuestProcessor(hypervisor, host.baseAddress());
        this.series = new GuestSeries(guest);
        for (int page = RandomState.WRITABLE_PAGES; page < 32; page++) {
            boolean readable = page == RandomState.WRITABLE_PAGES;
            host.protectPage(page, readable);
            guest.protectPage(page, readable);
        }
        hostWindow = host.data().asSlice(0, RandomState.WINDOW);
        data = host.data().asSlice(0, RandomState.WRITABLE_PAGES * RandomState.PAGE);
        pristine = pristine();
    }

    /** What the operand memory holds where a case does not say. */
    static byte[] pristine() {
        byte[] bytes = new byte[RandomState.WRITABLE_PAGES * RandomState.PAGE];
        new Random(1).nextBytes(bytes);
        return bytes;
    }

    /** Empty where the host's processor cannot be asked. */
    public static Optional<Oracle> open(Hypervisor hypervisor) {
        return HostProcessor.open().map(host -> new Oracle(host, hypervisor));
    }

    /** How many states have been compared. */
    public long compared() {
        return compared;
    }

    /** Where the code memory begins. */
    public long codeAddress() {
        return host.codeAddress();
    }

    /** Where the operand memory lies. */
    public long dataAddress() {
        return host.dataAddress();
    }

    long baseAddress() {
        return host.baseAddress();
    }

    /** A difference, and the case that shows it. */
    record Mismatch(String difference, OracleCase shownBy) {}

    /**
     * Makes a case of one instruction, the first in the code, which must come to the code's end.
     *
     * @param count how many states
     */
    OracleCase instruction(byte[] code, long seed, int count, boolean as32) {
        int offset = (seed & 7) == 0 ? HostProcessor.CODE_SIZE / 2 - 1 - (int) (seed >>> 3 & 3) : 0;
        Random seeds = new Random(seed);
        byte[] patched = code;
        List<Start> states = new ArrayList<>();
        for (int n = 0; n < count; n++) {
            data.copyFrom(MemorySegment.ofArray(pristine));
            UserState registers = new UserState();
            long stateSeed = n == 0 ? seed : seeds.nextLong();
            RandomState state = state(stateSeed, patched, offset, registers, as32, n == 0);
            long operand = state.make();
            patched = state.code();
            states.add(start(registers, operand));
        }
        Kind kind = as32 ? Kind.BITS32 : Kind.BITS64;
        return new OracleCase(kind, baseAddress(), offset, patched, states);
    }

    /** Makes a case of a sequence of instructions that {@link RandomProgram} has made. */
    OracleCase program(byte[] code, long seed, int count) {
        int offset = programOffset(seed);
        Random seeds = new Random(seed);
        List<Start> states = new ArrayList<>();
        for (int n = 0; n < count; n++) {
            data.copyFrom(MemorySegment.ofArray(pristine));
            UserState registers = new UserState();
            long stateSeed = n == 0 ? seed : seeds.nextLong();
            state(stateSeed, code, offset, registers, false, false).makeForProgram();
            states.add(start(registers, 0));
        }
        return new OracleCase(Kind.PROGRAM, baseAddress(), offset, code, states);
    }

    private RandomState state(
            long seed, byte[] code, int offset, UserState state, boolean as32, boolean open) {
        long codeAddress = host.codeAddress() + offset;
        return new RandomState(
                seed, code, codeAddress, host.dataAddress(), hostWindow, state, as32, open);
    }

    private Start start(UserState registers, long operand) {
        return new Start(registers, data.toArray(java.lang.foreign.ValueLayout.JAVA_BYTE), operand);
    }

    /** Where in the code memory a program lies: sometimes over a page's border. */
    static int programOffset(long seed) {
        return (seed & 3) == 0 ? HostProcessor.CODE_SIZE / 2 - 1 - (int) (seed >>> 8 & 255) : 0;
    }

    /** Compares each state by a run of its own. */
    Optional<Mismatch> compare(OracleCase c) {
        for (Start start : c.states()) {
            runOnHost(c, start, expected);
            guest.setData(MemorySegment.ofArray(start.data()));
            actual.set(start.registers());
            String difference;
            try {
                guest.run(c.code(), c.code().length, c.offset(), actual, c.as32());
                guest.data(actualWindow);
                difference = differences(c, start, expected, actual, hostWindow, actualWindow);
            } catch (NoEndException e) {
                difference = " " + e.getMessage();
            }
            compared++;
            if (!difference.isEmpty()) {
                return Optional.of(new Mismatch(difference, c.with(List.of(start))));
            }
        }
        return Optional.empty();
    }

    /**
     * Compares all states by one run of the engine; what differs is shown by one state repeated,
     * where that does, else by all states up to the one that differs.
     */
    Optional<Mismatch> compareInARow(OracleCase c) {
        Optional<Mismatch> found = runInARow(c);
        if (found.isEmpty()) {
            return found;
        }
        List<Start> states = found.get().shownBy().states();
        OracleCase repeated = c.with(Collections.nCopies(REPEATS, states.getLast()));
        return runInARow(repeated).map(m -> new Mismatch(m.difference(), repeated)).or(() -> found);
    }

    private Optional<Mismatch> runInARow(OracleCase c) {
        int count = c.states().size();
        for (int n = 0; n < count; n++) {
            Start start = c.states().get(n);
            series.set(n, start.registers(), MemorySegment.ofArray(start.data()));
        }
        String ending = "";
        try {
            series.run(c.code(), c.offset(), count, c.as32());
        } catch (NoEndException e) {
            ending = " " + e.getMessage();
        }
        MemorySegment result = actualWindow.asSlice(0, data.byteSize());
        for (int n = 0; n < count; n++) {
            Start start = c.states().get(n);
            runOnHost(c, start, expected);
            series.result(n, c.end(), actual, result);
            String difference = differences(c, start, expected, actual, data, result);
            compared++;
            if (!difference.isEmpty()) {
                OracleCase shown = c.with(c.states().subList(0, n + 1));
                return Optional.of(new Mismatch(ending + difference, shown));
            }
        }
        return ending.isEmpty() ? Optional.empty() : Optional.of(new Mismatch(ending, c));
    }

    private void runOnHost(OracleCase c, Start start, UserState state) {
        data.copyFrom(MemorySegment.ofArray(start.data()));
        state.set(start.registers());
        host.run(c.code(), c.code().length, c.offset(), state, c.as32());
    }

    private static String differences(
            OracleCase c,
            Start start,
            UserState expected,
            UserState actual,
            MemorySegment expectedMemory,
            MemorySegment actualMemory) {
        UndefinedResults undefined =
                c.kind() == Kind.PROGRAM
                        ? UndefinedResults.OF_SEQUENCE
                        : UndefinedResults.of(
                                RandomState.decode(c.code(), c.as32()),
                                start.registers(),
                                expected.vector);
        return new StateComparison(expected, actual, undefined, c.as32())
                .of(expectedMemory, actualMemory, start.operand());
    }

    @Override
    public void close() {
        guest.close();
        host.close();
    }
}
