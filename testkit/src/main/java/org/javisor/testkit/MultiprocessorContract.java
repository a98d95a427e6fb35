package org.javisor.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.testkit.GuestCode.RAX;
import static org.javisor.testkit.GuestCode.RBX;
import static org.javisor.testkit.GuestCode.RCX;
import static org.javisor.testkit.GuestCode.RDI;
import static org.javisor.testkit.GuestCode.RDX;
import static org.javisor.testkit.SmallGuest.CODE;
import static org.javisor.testkit.SmallGuest.DATA;
import static org.javisor.testkit.SmallGuest.FREE;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.javisor.hypervisor.VcpuState;
import org.javisor.testkit.SmallGuest.Ending;
import org.javisor.testkit.SmallGuest.Kind;
import org.javisor.x86.CodeSize;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Several processors: start-up, atomicity and order of memory accesses (Intel SDM vol. 3A, 8.1, 8.2
 * and 8.4). {@code -Djavisor.contract.rounds=} makes the races longer.
 */
public abstract class MultiprocessorContract extends GuestContract {
    private static final int ROUNDS = Integer.getInteger("javisor.contract.rounds", 20_000);

    /** A processor's own code lies so far from the one before. */
    private static final long CODE_STRIDE = 0x1000;

    private static final long COUNTER = FREE + 0x800;
    private static final long GATE = DATA + 0x100;

    private static final long AP_CODE = 0xc000;

    /** Runs the processors, each from its state until its end, at the same time. */
    private List<Ending> runAll(List<VcpuState> states) throws Exception {
        try (var threads = Executors.newThreadPerTaskExecutor(Thread.ofPlatform().factory())) {
            List<Future<Ending>> runs = new ArrayList<>();
            for (int n = 0; n < states.size(); n++) {
                int index = n;
                guest.vcpu(n).setState(states.get(n));
                Callable<Ending> run = () -> guest.resume(index);
                runs.add(threads.submit(run));
            }
            List<Ending> endings = new ArrayList<>();
            for (Future<Ending> run : runs) {
                endings.add(run.get());
            }
            return endings;
        } catch (ExecutionException e) {
            throw new AssertionError(e.getCause());
        }
    }

    private static GuestCode codeOf(int processor) {
        return GuestCode.at(CODE + processor * CODE_STRIDE);
    }

    /** A processor's state in ring 0, with a stack of its own. */
    private VcpuState stateOf(int processor) {
        VcpuState state = guest.kernelState(CODE + processor * CODE_STRIDE);
        state.gpr[GuestCode.RSP] = SmallGuest.STACK - 0x100 * (processor + 1);
        return state;
    }

    /** Waits at the gate until all are there: the races shall be ones. */
    private static GuestCode meet(GuestCode code, int processors) {
        String wait = "meet" + code.here();
        code.hex("f0").operand(0, GATE, 0xff).label(wait).hex("f390");
        return code.operand(7, GATE, 0x83).raw(processors).jcc(2, wait);
    }

    private List<Ending> race(int processors, java.util.function.IntFunction<GuestCode> body)
            throws Exception {
        guest.memory().write32(GATE, 0);
        List<VcpuState> states = new ArrayList<>();
        for (int n = 0; n < processors; n++) {
            guest.load(body.apply(n).end());
            states.add(stateOf(n));
        }
        List<Ending> endings = runAll(states);
        endings.forEach(GuestContract::assertEnd);
        return endings;
    }

    // Start-up

    @Test
    public void otherProcessors_waitForStartUp_andBeginInRealMode() throws Exception {
        withProcessors(2);
        assertThat(guest.vcpu(1).state().activity)
                .isEqualTo(VcpuState.Activity.WAITING_FOR_STARTUP);
        guest.load(new GuestCode(AP_CODE, CodeSize.BITS16).hex("8cc8").trace(1).end());
        guest.vcpu(1).init();
        guest.vcpu(1).startUp((int) (AP_CODE >> 12));
        Ending ending = guest.resume(1);
        assertEnd(ending);
        VcpuState state = ending.state();
        assertThat(state.segments[VcpuState.CS].selector()).isEqualTo((int) AP_CODE >> 4);
        assertThat(state.segments[VcpuState.CS].base()).isEqualTo(AP_CODE);
        assertThat(state.gpr[RAX] >>> 8 & 0xff).isEqualTo(AP_CODE >> 12);
        assertThat(guest.trace()).containsExactly(1);
    }

    @Test
    public void startUp_isIgnored_unlessWaitedFor() {
        withProcessors(2);
        guest.load(GuestCode.at(CODE).nop(3).trace(7).end());
        guest.vcpu(1).setState(guest.kernelState(CODE));
        guest.vcpu(1).startUp(0xc);
        assertEnd(guest.resume(1));
        assertThat(guest.trace()).containsExactly(7);
    }

    @Test
    public void waitingProcessor_canBeMadeToExit() {
        withProcessors(2);
        guest.vcpu(1).requestExit();
        assertThat(guest.resume(1).kind()).isEqualTo(Kind.REQUESTED);
        assertThat(guest.vcpu(1).state().activity)
                .isEqualTo(VcpuState.Activity.WAITING_FOR_STARTUP);
    }

    @Test
    public void init_resetsARunningProcessor_butNotItsFloatingPoint() throws Exception {
        withProcessors(2);
        guest.load(GuestCode.at(CODE).mov(RAX, 5).hex("660f6ec0").trace(1).label("l").jmp("l"));
        guest.load(new GuestCode(AP_CODE, CodeSize.BITS16).trace(2).end());
        guest.vcpu(1).setState(guest.kernelState(CODE));
        Thread starter =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    while (guest.trace().isEmpty()) {
                                        Thread.onSpinWait();
                                    }
                                    guest.vcpu(1).init();
                                    guest.vcpu(1).startUp((int) (AP_CODE >> 12));
                                });
        Ending ending = guest.resume(1);
        starter.join();
        assertEnd(ending);
        assertThat(guest.trace()).containsExactly(1, 2);
        assertThat(ending.state().cr0 & 1).isZero();
        assertThat(ending.state().cr3).isZero();
        assertThat(ending.state().efer).isZero();
        assertThat(ending.state().xsave[160]).isEqualTo((byte) 5);
    }

    @Test
    public void init_wakesAHaltedProcessor() throws Exception {
        withProcessors(2);
        guest.load(GuestCode.at(CODE).cli().trace(1).hlt());
        guest.load(new GuestCode(AP_CODE, CodeSize.BITS16).trace(2).end());
        guest.vcpu(1).setState(guest.kernelState(CODE));
        Thread starter =
                Thread.ofPlatform()
                        .start(
                                () -> {
                                    while (guest.trace().isEmpty()) {
                                        Thread.onSpinWait();
                                    }
                                    guest.vcpu(1).init();
                                    guest.vcpu(1).startUp((int) (AP_CODE >> 12));
                                });
        assertEnd(guest.resume(1));
        starter.join();
    }

    // Atomicity

    @ParameterizedTest
    @CsvSource({
        // instruction with RDI as its address, how much it adds, bytes
        "f0fe07, 1, 1", // lock inc byte
        "f066ff07, 1, 2",
        "f0ff07, 1, 4",
        "f048ff07, 1, 8",
        "f0480fc107, 1, 8", // lock xadd, RAX is 1 before each
        "f0488307 03, 3, 8", // lock add
        "f0488317 02, 2, 8", // lock adc, CF clear
    })
    public void lockedInstructions_areAtomic(String instruction, int step, int size)
            throws Exception {
        withProcessors(4);
        // Aligned; within eight bytes; over eight, over a cache line's end, over a page's end.
        long[] places = {COUNTER, COUNTER + 1, COUNTER + 6, FREE + 0x3e, FREE + 0xfff};
        for (long place : places) {
            guest.memory().write64(place, 0);
            race(
                    4,
                    n -> {
                        GuestCode code = meet(codeOf(n).mov(RDI, place), 4).mov32(RCX, ROUNDS / 4);
                        code.label("l").mov32(RAX, 1).hex("f8").hex(instruction);
                        return code.hex("ffc9").jcc(5, "l");
                    });
            long expected = 4L * (ROUNDS / 4) * step;
            long mask = size == 8 ? -1 : (1L << 8 * size) - 1;
            assertThat(guest.memory().read64(place) & mask)
                    .as("at %x", place)
                    .isEqualTo(expected & mask);
            // What overflows a byte goes nowhere.
            assertThat(guest.memory().read64(place) & ~mask).as("at %x", place).isZero();
        }
    }

    @Test
    public void compareAndExchange_isAtomic() throws Exception {
        withProcessors(4);
        for (long place : new long[] {COUNTER, COUNTER + 3, FREE + 0xffd}) {
            guest.memory().write64(place, 0);
            race(
                    4,
                    n -> {
                        GuestCode code = meet(codeOf(n).mov(RDI, place), 4).mov32(RBX, ROUNDS / 8);
                        code.label("l").hex("488b07").label("again").hex("488d4801");
                        // lock cmpxchg [rdi], rcx
                        code.hex("f0480fb10f").jcc(5, "again").hex("ffcb");
                        return code.jcc(5, "l");
                    });
            assertThat(guest.memory().read64(place)).isEqualTo(4L * (ROUNDS / 8));
        }
    }

    @Test
    public void sixteenByteCompareAndExchange_isAtomic() throws Exception {
        withProcessors(4);
        guest.memory().write64(COUNTER, 0);
        guest.memory().write64(COUNTER + 8, 0);
        race(
                4,
                n -> {
                    GuestCode code = meet(codeOf(n).mov(RDI, COUNTER), 4).mov32(6, ROUNDS / 8);
                    code.hex("31c0 31d2 31db 31c9").label("again");
                    // RCX:RBX is RDX:RAX with both halves one higher; lock cmpxchg16b [rdi]
                    code.hex("488d5801 488d4a01 f0480fc70f").jcc(5, "again");
                    return code.hex("ffce").jcc(5, "again");
                });
        assertThat(guest.memory().read64(COUNTER)).isEqualTo(4L * (ROUNDS / 8));
        assertThat(guest.memory().read64(COUNTER + 8)).isEqualTo(4L * (ROUNDS / 8));
    }

    @ParameterizedTest
    @ValueSource(strings = {"b80100000087 07 85c0", "f00fba2f00 1bc0"})
    public void spinLocks_exclude(String acquire) throws Exception {
        withProcessors(4);
        guest.memory().write32(COUNTER, 0);
        guest.memory().write32(COUNTER + 64, 0);
        race(4, n -> spin(codeOf(n), acquire));
        assertThat(guest.memory().read32(COUNTER + 64)).isEqualTo(4 * (ROUNDS / 8));
    }

    /** Takes the lock at COUNTER, adds to the plain counter beside it, releases it by a store. */
    private static GuestCode spin(GuestCode code, String acquire) {
        meet(code.mov(RDI, COUNTER), 4).mov32(RBX, ROUNDS / 8);
        code.label("l").hex("f390").hex(acquire).jcc(5, "l");
        code.hex("8b4740 ffc0 894740").hex("c70700000000");
        return code.hex("ffcb").jcc(5, "l");
    }

    @Test
    public void neighboursOfALockedOperand_keepTheirPlainStores() throws Exception {
        withProcessors(4);
        guest.memory().write64(COUNTER, 0);
        // Four bytes of one word: each belongs to one processor, two of them lock.
        race(
                4,
                n -> {
                    GuestCode code = meet(codeOf(n).mov(RDI, COUNTER + n), 4);
                    code.mov32(RCX, ROUNDS).label("l").hex(n < 2 ? "f0fe07" : "fe07");
                    return code.hex("ffc9").jcc(5, "l");
                });
        for (int n = 0; n < 4; n++) {
            assertThat(guest.memory().read8(COUNTER + n)).isEqualTo(ROUNDS & 0xff);
        }
    }

    @Test
    public void lockedInstructionsOnAPageWithCode_areAtomic() throws Exception {
        withProcessors(4);
        long place = CODE + 0x800;
        guest.memory().write32(place, 0);
        race(
                4,
                n -> {
                    GuestCode code = meet(codeOf(n).mov(RDI, place), 4).mov32(RCX, ROUNDS / 20);
                    return code.label("l").hex("f0ff07 ffc9").jcc(5, "l");
                });
        assertThat(guest.memory().read32(place)).isEqualTo(4 * (ROUNDS / 20));
    }

    @Test
    public void dirtyBits_areSetAtomically() throws Exception {
        withProcessors(2);
        long page = 0x40000000L;
        guest.tables().map(page, FREE, 3);
        long entry = guest.tables().entry(page, 1);
        race(
                2,
                n -> {
                    GuestCode code = meet(codeOf(n).mov(RDI, entry), 2).mov32(RCX, ROUNDS / 4);
                    code.hex("31db").label("l");
                    if (n == 0) {
                        // Toggles bit 9, which is software's, and compares it with what it was.
                        code.hex("f0480fba3f09").hex("0f92c0 38d8").jcc(5, "lost");
                        code.hex("80f301").jmp("next").label("lost").trace(99).label("next");
                    } else {
                        code.store(page, RAX).hex("f0480fba3706").invlpg(page);
                    }
                    return code.hex("ffc9").jcc(5, "l");
                });
        assertThat(guest.trace()).isEmpty();
    }

    // Order

    /** Loads and stores of one processor are seen in their order: message passing. */
    @Test
    public void storesAndLoads_keepTheirOrder() throws Exception {
        withProcessors(2);
        long data = FREE, flag = FREE + 0x400;
        guest.memory().write64(data, 0);
        guest.memory().write64(flag, 0);
        race(
                2,
                n -> {
                    GuestCode code = meet(codeOf(n), 2).mov32(RCX, 10 * ROUNDS).mov(RBX, 0);
                    code.label("l");
                    if (n == 0) {
                        code.hex("48ffc3").store(data, RBX).store(flag, RBX);
                    } else {
                        code.load(RAX, flag).load(RDX, data).hex("4839c2").jcc(3, "fine");
                        code.trace(99).label("fine");
                    }
                    return code.hex("ffc9").jcc(5, "l");
                });
        assertThat(guest.trace()).isEmpty();
    }

    /** A fence between a store and a load: not both may miss the other's store. */
    @ParameterizedTest
    @ValueSource(strings = {"0faef0", "f0830c2400", "87442480"})
    public void fences_orderAStoreBeforeALoad(String fence) throws Exception {
        withProcessors(2);
        int rounds = Math.min(ROUNDS, 0x8000);
        long[] variable = {FREE, FREE + 0x400};
        long[] done = {FREE + 0x800, FREE + 0xc00};
        long[] seen = {0x200000, 0x280000};
        guest.tables().mapIdentity(0x200000, 0x100000, 3);
        race(
                2,
                n -> {
                    GuestCode code = meet(codeOf(n), 2).mov(RBX, 0).mov(RDI, seen[n]);
                    code.label("l").hex("48ffc3").store(variable[n], RBX).hex(fence);
                    code.load(RAX, variable[1 - n]).hex("488904df").store(done[n], RBX);
                    code.label("wait").hex("f390").load(RAX, done[1 - n]).hex("4839d8");
                    code.jcc(2, "wait").hex("4881fb").raw32(rounds);
                    return code.jcc(5, "l");
                });
        for (long round = 1; round <= rounds; round++) {
            boolean missed = guest.memory().read64(seen[0] + 8 * round) < round;
            boolean missedToo = guest.memory().read64(seen[1] + 8 * round) < round;
            assertThat(missed && missedToo).as("round %d", round).isFalse();
        }
    }

    // Code that another processor changes

    @Test
    public void codeChangedByAnotherProcessor_isSeen() throws Exception {
        withProcessors(2);
        long function = FREE;
        guest.load(GuestCode.at(function).hex("b801000000 c3"));
        guest.load(GuestCode.at(function + 0x40).hex("c3"));
        List<Ending> endings =
                race(
                        2,
                        n -> {
                            GuestCode code = meet(codeOf(n), 2).mov(RDI, function).hex("31db");
                            if (n == 0) {
                                code.mov32(RCX, ROUNDS / 10).label("w").loop("w");
                                return code.hex("c6470102");
                            }
                            code.label("l").hex("ffc3 ffd7 83f802");
                            return code.jcc(5, "l");
                        });
        assertThat(endings.get(1).state().gpr[RAX]).isEqualTo(2);
    }

    // Code of another processor's making

    /** Published by the writer; what the executor has seen last; how often that was wrong. */
    private static final long PUBLISHED = DATA + 0x200, SEEN = DATA + 0x240, WRONG = DATA + 0x280;

    /** A function that returns the number the other processor keeps writing into it. */
    private static final long FUNCTION = FREE + 0x3000;

    /**
     * Stores to a page race with its first execution by another processor. Once that one knows of
     * the last store and has serialised itself, it executes the new bytes (Intel SDM vol. 3A,
     * 8.1.3).
     */
    @ParameterizedTest
    @ValueSource(ints = {0, 2})
    public void codeWrittenByAnother_isExecuted_onceSerialised(int straddling) throws Exception {
        withProcessors(2);
        // MOV EAX, imm32, of which so many bytes lie on the page before the one that is written;
        // its
        // last three bytes and the RET are.
        long function = FUNCTION - straddling;
        guest.load(GuestCode.at(function).hex("b8 00000000 c3"));
        race(2, n -> n == 0 ? codeWriter(function + 2) : codeExecutor(function));
        assertThat(guest.memory().read32(WRONG)).isZero();
    }

    /** Stores numbers in a row, publishes the last of them, and waits until that was seen. */
    private GuestCode codeWriter(long number) {
        GuestCode code = meet(codeOf(0), 2);
        code.mov(RCX, ROUNDS / 40)
                .mov32(RBX, 0xc3000000)
                .label("round")
                .mov(RDX, 12)
                .label("store");
        code.hex("ffc3").operand(RBX, number, 0x89); // inc ebx; mov [number], ebx
        code.hex("ffca").jcc(5, "store"); // dec edx
        code.operand(RBX, PUBLISHED, 0x89).label("wait").hex("f390");
        code.operand(RBX, SEEN, 0x39).jcc(5, "wait"); // cmp [SEEN], ebx
        return code.hex("ffc9").jcc(5, "round");
    }

    /** Calls the function all the time, and compares when there is something new. */
    private GuestCode codeExecutor(long function) {
        GuestCode code = meet(codeOf(1), 2);
        // R8 holds what was published last, shifted as the function's bytes are.
        code.mov(RDI, function).hex("4531c0").label("call").hex("ffd7"); // xor r8d, r8d; call rdi
        code.operand(RAX, PUBLISHED, 0x8b).hex("4439c0").jcc(4, "call"); // cmp eax, r8d
        code.hex("4189c0 31c0 0fa2 ffd7"); // mov r8d, eax; xor eax, eax; cpuid; call rdi
        code.hex("c1e808 81e2ffffff00"); // shr eax, 8
        code.hex("4489c2 81e2ffffff00 39d0").jcc(4, "right"); // mov edx, r8d; and edx, ffffffh
        code.inc32(WRONG).label("right").hex("44").operand(RAX, SEEN, 0x89); // mov [SEEN], r8d
        int last = 0xc3000000 + ROUNDS / 40 * 12;
        return code.hex("4181f8").raw32(last).jcc(5, "call"); // cmp r8d, last
    }
}
