package org.javisor.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.testkit.GuestCode.RAX;
import static org.javisor.testkit.GuestCode.RBX;
import static org.javisor.testkit.GuestCode.RDI;
import static org.javisor.testkit.SmallGuest.CODE;
import static org.javisor.testkit.SmallGuest.FREE;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.stream.IntStream;
import org.javisor.hypervisor.CpuFeature;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.Vcpu;
import org.javisor.interpreter.InterpreterHypervisor;
import org.javisor.memory.GuestMemory;
import org.javisor.memory.RamRegion;
import org.javisor.testkit.GuestCode;
import org.javisor.testkit.SilentDevices;
import org.javisor.testkit.SmallGuest;
import org.javisor.testkit.SmallGuest.Ending;
import org.javisor.testkit.SmallGuest.Kind;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is KVM's own beside the contract: memory, exits, rescue, figures, the host's speed. */
@NeedsKvm
class KvmEngineTest {
    private final SmallGuest guest = new SmallGuest(new KvmHypervisor());

    @AfterEach
    void close() {
        guest.close();
    }

    private static GuestCode code() {
        return GuestCode.at(CODE);
    }

    // Memory

    private BitSet harvest() {
        RamRegion region = guest.memory().regions().getFirst();
        return guest.memory().harvestDirtyPages(region);
    }

    @Test
    void pagesThatTheGuestWrites_areInTheDirtyLog_once() {
        GuestMemory memory = guest.memory();
        guest.load(code().store(FREE, RAX).store(FREE + 0x5000, RAX).end());
        memory.startDirtyLog();
        guest.run(guest.kernelState(CODE));
        int first = (int) (FREE >> 12);
        BitSet dirty = harvest();
        assertThat(dirty.get(first)).isTrue();
        assertThat(dirty.get(first + 5)).isTrue();
        assertThat(dirty.get(first + 1, first + 5).isEmpty()).isTrue();
        assertThat(harvest().isEmpty()).isTrue();
        guest.load(code().store(FREE + 0x2000, RAX).end());
        harvest();
        guest.run(guest.kernelState(CODE));
        assertThat(harvest().get(first, first + 6))
                .isEqualTo(IntStream.of(2).collect(BitSet::new, BitSet::set, BitSet::or));
        memory.stopDirtyLog();
    }

    @Test
    void startingTheDirtyLogAgain_forgetsWhatWasWritten() {
        guest.load(code().store(FREE, RAX).end());
        guest.memory().startDirtyLog();
        guest.run(guest.kernelState(CODE));
        guest.memory().startDirtyLog();
        assertThat(harvest().isEmpty()).isTrue();
    }

    @Test
    void ringsOfDirtyPages_tellTheSame_andAreEmptiedWhenTheyAreFull() {
        try (SmallGuest ringed = new SmallGuest(new KvmHypervisor(DirtyTracking.RING, true))) {
            GuestMemory memory = ringed.memory();
            RamRegion region = memory.regions().getFirst();
            memory.startDirtyLog();
            ringed.load(code().store(FREE, RAX).store(FREE + 0x5000, RAX).end());
            ringed.run(ringed.kernelState(CODE));
            BitSet dirty = memory.harvestDirtyPages(region);
            int first = (int) (FREE >> 12);
            assertThat(dirty.get(first, first + 6)).isEqualTo(bits(0, 5));
            ringed.load(code().store(FREE + 0x2000, RAX).end());
            memory.harvestDirtyPages(region);
            ringed.run(ringed.kernelState(CODE));
            dirty = memory.harvestDirtyPages(region);
            assertThat(dirty.get(first, first + 6)).isEqualTo(bits(2));
            memory.startDirtyLog();
            assertThat(memory.harvestDirtyPages(region).isEmpty()).isTrue();
        }
    }

    private static BitSet bits(int... which) {
        return IntStream.of(which).collect(BitSet::new, BitSet::set, BitSet::or);
    }

    @Test
    void readOnlyMemory_isRead_andWritesToItReachTheDevices() {
        long gpa = 0x4000_0000L;
        StringBuilder written = new StringBuilder();
        guest.devices(
                new SilentDevices() {
                    @Override
                    public void writeMmio(long at, int size, long value) {
                        written.append("%x %d %x".formatted(at, size, value));
                    }
                });
        try (GuestMemory rom = GuestMemory.allocate(0x1000)) {
            rom.write32(0x10, 0xcafe);
            KvmVm vm = (KvmVm) guest.vm();
            vm.slots().addReadOnly(0, gpa, 0x1000, rom.hostAddress(0));
            guest.tables().mapIdentity(gpa, 0x1000, 3);
            // mov ebx, [rdi + 10h]; mov dword [rdi + 10h], 5; mov eax, [rdi + 10h]
            GuestCode code = code().mov(RDI, gpa).hex("8b5f10 c7471005000000 8b4710").end();
            Ending ending = guest.run(code);
            assertThat(ending.kind()).isEqualTo(Kind.END);
            assertThat(ending.state().gpr[RBX]).isEqualTo(0xcafe);
            assertThat(ending.state().gpr[RAX]).isEqualTo(0xcafe);
            assertThat(written.toString()).isEqualTo("40000010 4 5");
        }
    }

    // Exits

    @Test
    void exits_allocateNothing() {
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        GuestCode loop = code().mov32(1, 2000).label("l").hex("e610 e410").loop("l").end();
        guest.load(loop);
        Vcpu vcpu = guest.vcpu();
        long least = Long.MAX_VALUE;
        int rounds = 0;
        // The first times something is linked or compiled on the way, by threads of their own.
        for (; rounds < 100 && least >= 40_000; rounds++) {
            vcpu.setState(guest.kernelState(CODE));
            long before = threads.getCurrentThreadAllocatedBytes();
            vcpu.run();
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        // 4,000 exits; what remains is of entering and leaving the run itself.
        assertThat(least).isLessThan(40_000);
        assertThat(guest.vm().statistics().counters().get("exits.port"))
                .isGreaterThanOrEqualTo(4_000L * rounds);
    }

    @Test
    void accessesOfOddSizes_reachDevicesInPiecesTheyKnow() {
        StringBuilder seen = new StringBuilder();
        guest.devices(
                new SilentDevices() {
                    @Override
                    public long readMmio(long gpa, int size) {
                        seen.append(size).append(' ');
                        return 0;
                    }
                });
        // Eight bytes over the border of two pages: three and five.
        GuestCode code = code().mov(RDI, SmallGuest.MMIO + 0xffd).hex("488b07");
        assertThat(guest.run(code.end()).kind()).isEqualTo(Kind.END);
        assertThat(seen.toString().split(" ")).allMatch(size -> "1 2 4 8".contains(size));
    }

    @Test
    void lateRequests_doNoHarm_afterTheMachineIsGone() {
        SmallGuest gone = new SmallGuest(new KvmHypervisor());
        Vcpu vcpu = gone.vcpu();
        gone.run(code().end());
        gone.close();
        vcpu.requestExit();
        vcpu.interruptRequested();
        vcpu.nmi();
        assertThat(vcpu.index()).isZero();
    }

    // What the kernel cannot emulate

    /** The same code on KVM and the interpreter: equal results whoever carried them out. */
    @Test
    void instructionsThatSomeHostsCannotEmulate_giveTheInterpretersResults() {
        GuestCode code = code().mov(RAX, 0x1234_5678_9abcL).hex("f3480fb8d8"); // popcnt rbx, rax
        code.hex("31c0 31d2").mov(1, 5).mov(RDI, FREE);
        code.hex("48c7c3 07000000 f0480fc70f"); // cmpxchg16b [rdi]
        code.hex("488b37 4c8b4708"); // rsi and r8 from there
        code.hex("0fc8").end(); // bswap eax
        Ending ours = guest.run(code);
        try (SmallGuest other = new SmallGuest(new InterpreterHypervisor())) {
            Ending theirs = other.run(code);
            assertThat(ours.kind()).isEqualTo(theirs.kind());
            assertThat(ours.state().gpr[GuestCode.RSI]).isEqualTo(7);
            assertThat(ours.state().gpr).isEqualTo(theirs.state().gpr);
        }
    }

    /**
     * One exchange of state for all that is refused in a row, and everything of it in its place.
     */
    @Test
    void instructionsInARowThatSomeHostsCannotEmulate_cost_oneExchange() {
        // fninit; then as often: fld1; fldz; faddp; fstp qword [rdi]; fwait; add rax, [rdi]
        GuestCode code = code().mov32(RAX, 0).mov(RDI, FREE).mov32(1, 1000).hex("dbe3").label("l");
        code.hex("d9e8 d9ee dec1 dd1f 9b 480307").loop("l").end();
        Ending ending = guest.run(code);
        assertThat(ending.kind()).isEqualTo(Kind.END);
        assertThat(ending.state().gpr[RAX]).isEqualTo(1000 * Double.doubleToLongBits(1));
        assertThat(guest.vm().statistics().counters().getOrDefault("exits.emulation", 0L))
                .isLessThan(1020);
    }

    @Test
    void softwareInterrupts_work_whoeverCarriesThemOut() {
        guest.load(GuestCode.at(SmallGuest.DATA).mov(RBX, 42).iret());
        guest.gate(0x70, SmallGuest.DATA, 0x8e, 0);
        Ending ending = guest.run(code().interrupt(0x70).end());
        assertThat(ending.kind()).isEqualTo(Kind.END);
        assertThat(ending.state().gpr[RBX]).isEqualTo(42);
    }

    // State

    @Test
    void stateFromTheInterpreter_goesOnUnderKvm_andBack() {
        GuestCode code = code().mov(RAX, 5).hex("f30f2ac0").trace(1).hex("f30f2cd8").end();
        try (SmallGuest interpreter = new SmallGuest(new InterpreterHypervisor())) {
            interpreter.load(code);
            guest.load(code);
            interpreter.devices(new SilentDevices());
            interpreter.vcpu().setState(interpreter.kernelState(CODE));
            interpreter.vcpu().setDebug(step());
            interpreter.resume();
            interpreter.resume();
            guest.vcpu().setState(interpreter.vcpu().state());
            Ending ending = guest.resume();
            assertThat(ending.kind()).isEqualTo(Kind.END);
            assertThat(ending.state().gpr[RBX]).isEqualTo(5);
            interpreter.vcpu().setDebug(org.javisor.hypervisor.DebugRequest.NONE);
            interpreter.vcpu().setState(ending.state());
            assertThat(interpreter.vcpu().state().gpr).isEqualTo(ending.state().gpr);
        }
    }

    private static org.javisor.hypervisor.DebugRequest step() {
        return new org.javisor.hypervisor.DebugRequest(
                true, false, java.util.List.of(), java.util.List.of());
    }

    // The host

    @Test
    void cpuid_leavesOutWhatIsNotPassedOn() {
        CpuidTable table = new KvmHypervisor().cpuid();
        assertThat(table.query(1, 0).ecx() & 1 << 5).as("VMX").isZero();
        assertThat(table.query(0x80000001, 0).ecx() & 1 << 2).as("SVM").isZero();
        assertThat(table.query(0x40000001, 0).eax() & 1 << 4).as("async faults").isZero();
        assertThat(table.query(0x40000000, 0).ebx()).isEqualTo(0x4b4d564b);
        assertThat(CpuFeature.of(table))
                .contains(CpuFeature.X2APIC, CpuFeature.TSC_DEADLINE_TIMER, CpuFeature.HYPERVISOR);
    }

    @Test
    void whatNeedsHypercalls_isWithheld_whereTheyDoNotWork() {
        int all = new KvmHypervisor().cpuid().query(0x40000001, 0).eax();
        CpuidTable without = new KvmHypervisor(DirtyTracking.BITMAP, false).cpuid();
        int hypercalls = 1 << 7 | 1 << 11 | 1 << 13;
        assertThat(without.query(0x40000001, 0).eax() & hypercalls).isZero();
        assertThat(without.query(0x40000001, 0).eax() | hypercalls).isEqualTo(all | hypercalls);
    }

    @Test
    void speed_isMeasuredOnceForEachStartOfTheHost(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("deep/speed");
        KernelSpeed measured = KernelSpeed.ofThisBoot(file);
        assertThat(measured.millionsPerSecond()).isPositive();
        assertThat(KernelSpeed.ofThisBoot(file)).isEqualTo(measured);
        Files.writeString(file, Files.readAllLines(file).getFirst() + "\n1234.5\n");
        assertThat(KernelSpeed.ofThisBoot(file).millionsPerSecond()).isEqualTo(1234.5);
        Files.writeString(file, "another boot\n1234.5\n");
        assertThat(KernelSpeed.ofThisBoot(file).millionsPerSecond()).isNotEqualTo(1234.5);
        Files.writeString(file, "rubbish");
        assertThat(KernelSpeed.ofThisBoot(file).millionsPerSecond()).isPositive();
    }
}
