package org.javisor.testkit;

import java.lang.foreign.MemorySegment;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Random;
import org.javisor.hypervisor.Hypervisor;

/**
 * Runs the same bytes in the same state on the host's processor and in an engine, and compares all
 * that an unprivileged program can see: registers, flags, x87, MMX and SSE state, memory, and the
 * exception with its error code and address. A case is its code and a seed, from which everything
 * else is made.
 */
public final class Oracle implements AutoCloseable {
    private final HostProcessor host;
    private final GuestProcessor guest;
    private final MemorySegment hostWindow;
    private final MemorySegment guestWindow;
    private final MemorySegment pristine;
    private final UserState before = new UserState();
    private final UserState expected = new UserState();
    private final UserState actual = new UserState();
    private long compared;

    private Oracle(HostProcessor host, Hypervisor hypervisor) {
        this.host = host;
        this.guest = new GuestProcessor(hypervisor, host.baseAddress());
        for (int page = RandomState.WRITABLE_PAGES; page < 32; page++) {
            boolean readable = page == RandomState.WRITABLE_PAGES;
            host.protectPage(page, readable);
            guest.protectPage(page, readable);
        }
        hostWindow = host.data().asSlice(0, RandomState.WINDOW);
        guestWindow = guest.data().asSlice(0, RandomState.WINDOW);
        byte[] bytes = new byte[RandomState.WRITABLE_PAGES * RandomState.PAGE];
        new Random(1).nextBytes(bytes);
        pristine = MemorySegment.ofArray(bytes);
    }

    /** Empty where the host's processor cannot be asked. */
    public static Optional<Oracle> open(Hypervisor hypervisor) {
        return HostProcessor.open().map(host -> new Oracle(host, hypervisor));
    }

    /** How many cases have been compared. */
    public long compared() {
        return compared;
    }

    /**
     * Compares one instruction, the first in the code, which must come to the code's end.
     *
     * @return what differs, empty if nothing does
     */
    public String compare(byte[] code, long seed, boolean as32) {
        restoreMemory();
        int offset = (seed & 7) == 0 ? HostProcessor.CODE_SIZE / 2 - 1 - (int) (seed >>> 3 & 3) : 0;
        RandomState random =
                new RandomState(
                        seed,
                        code,
                        host.codeAddress() + offset,
                        host.dataAddress(),
                        hostWindow,
                        before,
                        as32);
        long operand = random.make();
        guestWindow.asSlice(0, pristine.byteSize()).copyFrom(writable());
        byte[] patched = random.code();
        run(patched, offset, as32);
        UndefinedResults undefined =
                UndefinedResults.of(RandomState.decode(patched, as32), before, expected.vector);
        return differences(undefined, operand, as32);
    }

    /**
     * Compares a sequence of instructions that {@link RandomProgram} has made.
     *
     * @return what differs, empty if nothing does
     */
    public String compareProgram(byte[] code, long seed) {
        restoreMemory();
        int offset = programOffset(seed);
        new RandomState(
                        seed,
                        code,
                        host.codeAddress() + offset,
                        host.dataAddress(),
                        hostWindow,
                        before,
                        false)
                .makeForProgram();
        guestWindow.asSlice(0, pristine.byteSize()).copyFrom(writable());
        run(code, offset, false);
        return differences(UndefinedResults.OF_SEQUENCE, 0, false);
    }

    private String differences(UndefinedResults undefined, long operand, boolean as32) {
        StateComparison comparison = new StateComparison(expected, actual, undefined, as32);
        return comparison.of(hostWindow, guestWindow, operand);
    }

    private MemorySegment writable() {
        return hostWindow.asSlice(0, pristine.byteSize());
    }

    private void restoreMemory() {
        writable().copyFrom(pristine);
    }

    private void run(byte[] code, int offset, boolean as32) {
        expected.set(before);
        host.run(code, code.length, offset, expected, as32);
        actual.set(before);
        guest.run(code, code.length, offset, actual, as32);
        compared++;
    }

    /** Where in the code memory a program lies: sometimes over a page's border. */
    static int programOffset(long seed) {
        return (seed & 3) == 0 ? HostProcessor.CODE_SIZE / 2 - 1 - (int) (seed >>> 8 & 255) : 0;
    }

    /** Where the code memory begins. */
    public long codeAddress() {
        return host.codeAddress();
    }

    /** Where the operand memory lies. */
    public long dataAddress() {
        return host.dataAddress();
    }

    /** A case as text, to be read by people: the state before it. */
    public String describe(byte[] code, long seed) {
        StringBuilder text = new StringBuilder(HexFormat.of().formatHex(code) + " seed " + seed);
        for (int n = 0; n < 16; n++) {
            text.append(String.format(" r%d=%x", n, before.gpr[n]));
        }
        text.append(String.format(" flags=%x", before.flags));
        return text.toString();
    }

    @Override
    public void close() {
        guest.close();
        host.close();
    }
}
