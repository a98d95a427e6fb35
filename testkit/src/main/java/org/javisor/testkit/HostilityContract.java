package org.javisor.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.testkit.GuestCode.RAX;
import static org.javisor.testkit.GuestCode.RCX;
import static org.javisor.testkit.SmallGuest.CODE;
import static org.javisor.testkit.SmallGuest.FREE;
import static org.javisor.testkit.SmallGuest.USER;

import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.javisor.hypervisor.VcpuState;
import org.javisor.testkit.SmallGuest.Ending;
import org.javisor.testkit.SmallGuest.Kind;
import org.javisor.x86.CodeSize;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A guest may do anything, and harms itself only: whatever it executes, no exception of the host's
 * language escapes and the processor can be stopped. {@code -Djavisor.contract.rounds=} makes the
 * runs longer, {@code -Djavisor.contract.seed=} chooses others.
 */
public abstract class HostilityContract extends GuestContract {
    private static final int ROUNDS = Integer.getInteger("javisor.contract.rounds", 20_000);
    private static final long SEED = Long.getLong("javisor.contract.seed", 20260101);

    /** How long a guest that does not come to an end may run. */
    private static final long NANOS = 2_000_000;

    private static final int CODE_BYTES = 256;

    private final Random random = new Random(SEED);
    private final InterestingValues values = new InterestingValues(random);

    /** Stops the first processor again and again. */
    private final class Stopper implements AutoCloseable {
        private volatile boolean closed;
        private final Thread thread = Thread.ofPlatform().start(this::stop);

        private void stop() {
            while (!closed) {
                LockSupport.parkNanos(NANOS);
                guest.vcpu().requestExit();
            }
        }

        @Override
        public void close() {
            closed = true;
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Runs a state until anything stops it; any end will do. */
    private Ending survive(VcpuState state, String what) {
        try {
            return guest.run(state);
        } catch (RuntimeException | Error e) {
            throw new AssertionError(what + ", seed " + SEED + ": " + e, e);
        }
    }

    private byte[] randomCode(int length) {
        byte[] code = new byte[length];
        random.nextBytes(code);
        return code;
    }

    private void randomRegisters(VcpuState state) {
        for (int n = 0; n < 16; n++) {
            // Often something that is mapped.
            boolean address = random.nextBoolean();
            state.gpr[n] = address ? random.nextInt(SmallGuest.MEMORY_SIZE) : values.integer();
        }
        state.rflags = random.nextInt() & 0x244dd5 | 2;
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    public void randomBytes_asCode(boolean user) {
        long at = user ? USER : FREE;
        try (Stopper stopper = new Stopper()) {
            for (int n = 0; n < ROUNDS / 4; n++) {
                byte[] code = randomCode(CODE_BYTES);
                guest.memory().write(at, code, 0, code.length);
                VcpuState state = user ? guest.userState(at) : guest.kernelState(at);
                randomRegisters(state);
                survive(state, "round " + n);
                if (!user) {
                    repair();
                }
            }
        }
    }

    /** What a kernel may have overwritten of its own: everything but the tables is left. */
    private void repair() {
        if (random.nextInt(16) == 0) {
            closeGuest();
            createGuest();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {16, 32})
    public void randomBytes_asCodeOfOldModes(int bits) {
        try (Stopper stopper = new Stopper()) {
            // In real mode most of them run until they are stopped.
            for (int n = 0; n < ROUNDS / (bits == 16 ? 80 : 4); n++) {
                byte[] code = randomCode(CODE_BYTES);
                guest.memory().write(0xc000, code, 0, code.length);
                VcpuState state =
                        bits == 16 ? guest.realState(0xc000) : guest.protectedState(0xc000);
                randomRegisters(state);
                survive(state, "round " + n);
                repair();
            }
        }
    }

    /** Every exception goes on elsewhere in the garbage: millions of instructions. */
    @Test
    public void randomBytes_asAProgramThatGoesOnAfterEveryException() {
        byte[] code = randomCode(0xc000);
        guest.memory().write(USER, code, 0, code.length);
        goOnAfterExceptions(USER, 0x7fff);
        try (Stopper stopper = new Stopper()) {
            VcpuState state = guest.userState(USER);
            randomRegisters(state);
            Ending ending = survive(state, "begin");
            for (int n = 0; n < ROUNDS / 400; n++) {
                assertThat(ending.kind())
                        .isIn(Kind.REQUESTED, Kind.SHUTDOWN, Kind.END, Kind.EXCEPTION);
                VcpuState next = ending.state();
                next.rflags &= ~0x400L;
                ending = survive(next, "round " + n);
            }
        }
        System.out.printf(
                "Hostility: %d instructions of garbage, seed %d%n",
                guest.vm().statistics().instructions(), SEED);
        assertThat(guest.vm().statistics().instructions()).isPositive();
    }

    /** Handlers that return to a place in the code that moves with each exception. */
    private void goOnAfterExceptions(long code, int mask) {
        long handler = SmallGuest.DATA, counter = SmallGuest.DATA + 0x800;
        for (int vector = 0; vector < 32; vector++) {
            guest.gate(vector, handler, 0x8e, 1);
        }
        GuestCode go = GuestCode.at(handler).push(RAX);
        // The frame lies at a fixed place: the interrupt stack's top.
        long frame = SmallGuest.INTERRUPT_STACK - 40;
        go.load(RAX, counter).hex("4883c00d").store(counter, RAX).hex("4825").raw32(mask);
        go.hex("4805").raw32(code).store(frame, RAX).pop(RAX);
        go.mov(GuestCode.RSP, frame).hex("4881642410 fffafcff").iret();
        guest.load(go);
    }

    @Test
    public void randomPageTables() {
        try (Stopper stopper = new Stopper()) {
            for (int n = 0; n < ROUNDS / 10; n++) {
                GuestCode code =
                        GuestCode.at(CODE).load(RAX, FREE).store(FREE + 8, RAX).hex("0f0b");
                guest.load(code);
                int entries = random.nextInt(1, 6);
                for (int e = 0; e < entries; e++) {
                    long at = SmallGuest.PAGE_TABLES + 8L * random.nextInt(0x1000);
                    guest.memory().write64(at, entry());
                }
                VcpuState state = guest.kernelState(CODE);
                if (random.nextInt(4) == 0) {
                    state.cr3 = values.integer() & 0xffff_ffff_f000L;
                }
                survive(state, "round " + n);
                closeGuest();
                createGuest();
            }
        }
    }

    /** An entry that is often present and points into RAM, or far beyond. */
    private long entry() {
        long address =
                switch (random.nextInt(4)) {
                    case 0 -> random.nextLong() & 0x000ffffffffff000L;
                    case 1 -> (long) random.nextInt() << 12 & 0xff_ffff_f000L;
                    default -> SmallGuest.PAGE_TABLES + 0x1000L * random.nextInt(8);
                };
        return address | random.nextInt(0x200) | (random.nextInt(4) != 0 ? 7 : 0);
    }

    @Test
    public void randomValues_inControlAndDebugRegisters() {
        int[] controls = {0, 3, 4, 8};
        long[] usual = {0x80050033L, 0, 0x620, 0};
        try (Stopper stopper = new Stopper()) {
            for (int n = 0; n < ROUNDS / 10; n++) {
                int which = random.nextInt(controls.length);
                long value = usual[which] ^ 1L << random.nextInt(40) ^ 1L << random.nextInt(64);
                GuestCode code = GuestCode.at(CODE);
                if (random.nextInt(4) == 0) {
                    code.debug(random.nextInt(8), values.integer());
                }
                code.control(controls[which], random.nextInt(4) == 0 ? values.integer() : value);
                guest.load(code.load(RAX, FREE).store(FREE, RAX).hex("0f58c0 d9e8").end());
                survive(guest.kernelState(CODE), "round " + n);
                guest.vcpu().reset();
            }
        }
    }

    @Test
    public void everyModelSpecificRegister_withRandomValues() {
        int[] ranges = {
            0, 0x300, 0x400, 0x600, 0x800, 0xc0000080, 0xc0000100, 0xc0010000, 0x4b564d00
        };
        VcpuState state = guest.kernelState(CODE);
        try (Stopper stopper = new Stopper()) {
            for (int range : ranges) {
                for (int n = 0; n < 0x100; n++) {
                    GuestCode read = GuestCode.at(CODE).mov32(RCX, range + n).hex("0f32").end();
                    guest.load(read);
                    survive(state, "read " + Integer.toHexString(range + n));
                    GuestCode write = GuestCode.at(CODE).wrmsr(range + n, values.integer());
                    guest.load(write.hex("0f31 0f0b"));
                    survive(state, "write " + Integer.toHexString(range + n));
                }
                guest.vcpu().reset();
            }
        }
    }

    @Test
    public void randomDescriptors_andFarTransfers() {
        String[] transfers = {"48cb", "cb", "48cf", "cf", "66cf", "66cb", "cd40", "cc"};
        try (Stopper stopper = new Stopper()) {
            for (int n = 0; n < ROUNDS / 4; n++) {
                for (int e = 0; e < 16; e++) {
                    guest.descriptor(SmallGuest.FREE_SELECTOR + 8 * e, descriptor());
                }
                guest.memory().write64(SmallGuest.IDT + 0x400, descriptor());
                GuestCode code = GuestCode.at(CODE);
                for (int push = 0; push < 5; push++) {
                    code.pushImmediate(random.nextBoolean() ? selector() : random.nextInt(0x20000));
                }
                int kind = random.nextInt(4);
                if (kind == 0) {
                    code.segment(random.nextInt(6), selector());
                } else if (kind == 1) {
                    code.mov32(RAX, selector()).hex(random.nextBoolean() ? "0f00d8" : "0f00d0");
                }
                guest.load(code.hex(transfers[random.nextInt(transfers.length)]).end());
                boolean narrow = random.nextInt(3) == 0;
                VcpuState state = guest.kernelState(CODE);
                if (narrow) {
                    GuestCode code32 = new GuestCode(0xc000, CodeSize.BITS32);
                    code32.pushImmediate(selector()).pushImmediate(random.nextInt());
                    code32.pushImmediate(random.nextInt()).pushImmediate(selector());
                    code32.pushImmediate(random.nextInt(0x20000));
                    guest.load(code32.hex(random.nextBoolean() ? "cf" : "ca0800").end());
                    state = guest.protectedState(0xc000);
                }
                survive(state, "round " + n);
            }
        }
    }

    private int selector() {
        int index = random.nextInt(SmallGuest.FREE_SELECTOR + 0x90) & ~7;
        return index | random.nextInt(8);
    }

    /** Mostly present, with flat limits. */
    private long descriptor() {
        long access = random.nextInt(256) | (random.nextInt(4) != 0 ? 0x80 : 0);
        long flags = random.nextInt(16);
        long base = random.nextInt(4) == 0 ? random.nextInt() : 0;
        long limit = random.nextBoolean() ? 0xfffff : random.nextInt(0x100000);
        return limit & 0xffff
                | (base & 0xffffff) << 16
                | access << 40
                | (limit >>> 16) << 48
                | flags << 52
                | (base >>> 24 & 0xff) << 56;
    }

    @Test
    public void interruptsAndStartUps_atRandomMoments() {
        VectorSource source = new VectorSource(guest.vcpu());
        byte[] code = randomCode(0xc000);
        guest.memory().write(USER, code, 0, code.length);
        goOnAfterExceptions(USER, 0x7fff);
        VcpuState state = guest.userState(USER);
        randomRegisters(state);
        state.rflags |= 0x200;
        try (Stopper stopper = new Stopper()) {
            for (int n = 0; n < ROUNDS / 400; n++) {
                source.request(random.nextInt(32, 256));
                if (random.nextInt(8) == 0) {
                    guest.vcpu().nmi();
                } else if (random.nextInt(20) == 0) {
                    guest.vcpu().init();
                    guest.vcpu().startUp(random.nextInt(256));
                }
                survive(state, "round " + n);
            }
        }
    }
}
