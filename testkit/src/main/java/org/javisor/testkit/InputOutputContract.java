package org.javisor.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.testkit.GuestCode.RAX;
import static org.javisor.testkit.GuestCode.RBX;
import static org.javisor.testkit.GuestCode.RCX;
import static org.javisor.testkit.GuestCode.RDI;
import static org.javisor.testkit.GuestCode.RDX;
import static org.javisor.testkit.GuestCode.RSI;
import static org.javisor.testkit.SmallGuest.CODE;
import static org.javisor.testkit.SmallGuest.FREE;
import static org.javisor.testkit.SmallGuest.MMIO;

import java.util.ArrayList;
import java.util.List;
import org.javisor.testkit.SmallGuest.Ending;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Ports and memory-mapped I/O: each access arrives once, with its size, in order. */
public abstract class InputOutputContract extends GuestContract {
    private final List<String> accesses = new ArrayList<>();

    /** What a read returns: a pattern that tells where it came from. */
    private static long pattern(long at, int size) {
        long value = 0x8182838485868788L + at * 0x0101010101010101L;
        return size == 8 ? value : value & (1L << 8 * size) - 1;
    }

    @BeforeEach
    public final void recordAccesses() {
        accesses.clear();
        guest.devices(new Recorder());
    }

    private final class Recorder extends SilentDevices {
        @Override
        public int readPort(int port, int size) {
            accesses.add(String.format("in %x %d", port, size));
            return (int) pattern(port, size);
        }

        @Override
        public void writePort(int port, int size, int value) {
            accesses.add(String.format("out %x %d %x", port, size, value));
        }

        @Override
        public long readMmio(long gpa, int size) {
            accesses.add(String.format("read %x %d", gpa - MMIO, size));
            return pattern(gpa - MMIO, size);
        }

        @Override
        public void writeMmio(long gpa, int size, long value) {
            accesses.add(String.format("write %x %d %x", gpa - MMIO, size, value));
        }
    }

    private static GuestCode kernel() {
        return GuestCode.at(CODE);
    }

    @Test
    public void ports_areReadWithTheOperandsSize() {
        GuestCode code = kernel().mov(RAX, -1).hex("e410").mov(RBX, 0).hex("4889c3");
        code.mov(RAX, -1).hex("66e520").hex("4889c1").mov(RAX, -1).hex("e530");
        Ending ending = guest.run(code.end());
        assertEnd(ending);
        assertThat(accesses).containsExactly("in 10 1", "in 20 2", "in 30 4");
        assertThat(ending.state().gpr[RBX]).isEqualTo(~0xffL | pattern(0x10, 1));
        assertThat(ending.state().gpr[RCX]).isEqualTo(~0xffffL | pattern(0x20, 2));
        assertThat(ending.state().gpr[RAX]).isEqualTo(pattern(0x30, 4));
    }

    @Test
    public void ports_areWrittenWithTheOperandsSize_andNumberedBySixteenBits() {
        GuestCode code = kernel().mov(RAX, 0x1122334455667788L).mov(RDX, 0xabcd_03f8L);
        assertEnd(guest.run(code.hex("ee 66ef ef e680").end()));
        assertThat(accesses)
                .containsExactly(
                        "out 3f8 1 88", "out 3f8 2 7788", "out 3f8 4 55667788", "out 80 1 88");
    }

    @Test
    public void stringPorts_goElementByElement() {
        GuestCode code = kernel().mov(RDX, 0x1f0).mov(RDI, FREE).mov(RCX, 3).hex("f366 6d");
        code.mov(RSI, FREE).mov(RCX, 2).hex("f3 6f");
        Ending ending = guest.run(code.end());
        assertEnd(ending);
        long word = pattern(0x1f0, 2);
        assertThat(guest.memory().read16(FREE + 4)).isEqualTo((int) word);
        assertThat(guest.memory().read16(FREE + 6)).isZero();
        assertThat(accesses)
                .containsExactly(
                        "in 1f0 2",
                        "in 1f0 2",
                        "in 1f0 2",
                        String.format("out 1f0 4 %x", word << 16 | word),
                        String.format("out 1f0 4 %x", word));
        assertThat(ending.state().gpr[RDI]).isEqualTo(FREE + 6);
        assertThat(ending.state().gpr[RSI]).isEqualTo(FREE + 8);
    }

    @Test
    public void memoryMappedReads_haveTheOperandsSize() {
        GuestCode code = kernel().mov(RSI, MMIO).hex("8a06 0fb7 5e02 8b4e04 488b5608");
        Ending ending = guest.run(code.end());
        assertEnd(ending);
        assertThat(accesses).containsExactly("read 0 1", "read 2 2", "read 4 4", "read 8 8");
        assertThat(ending.state().gpr[RAX] & 0xff).isEqualTo(pattern(0, 1));
        assertThat(ending.state().gpr[RBX]).isEqualTo(pattern(2, 2));
        assertThat(ending.state().gpr[RCX]).isEqualTo(pattern(4, 4));
        assertThat(ending.state().gpr[RDX]).isEqualTo(pattern(8, 8));
    }

    @Test
    public void memoryMappedWrites_haveTheOperandsSize() {
        GuestCode code = kernel().mov(RDI, MMIO).mov(RAX, 0x1122334455667788L);
        assertEnd(guest.run(code.hex("8807 66894702 894704 48894708 c6471055").end()));
        assertThat(accesses)
                .containsExactly(
                        "write 0 1 88",
                        "write 2 2 7788",
                        "write 4 4 55667788",
                        "write 8 8 1122334455667788",
                        "write 10 1 55");
    }

    @Test
    public void readModifyWrite_readsOnceAndWritesOnce() {
        GuestCode code = kernel().mov(RDI, MMIO).hex("830f01").mov(RAX, 5).hex("8707 f00fc14704");
        Ending ending = guest.run(code.end());
        assertEnd(ending);
        long value = pattern(0, 4);
        assertThat(accesses.subList(0, 2))
                .containsExactly("read 0 4", String.format("write 0 4 %x", value | 1));
        assertThat(accesses.subList(2, 4)).containsExactly("read 0 4", "write 0 4 5");
        long other = pattern(4, 4);
        assertThat(accesses.subList(4, 6))
                .containsExactly(
                        "read 4 4", String.format("write 4 4 %x", value + other & 0xffffffffL));
        assertThat(accesses).hasSize(6);
    }

    @Test
    public void comparisonOnly_doesNotWrite() {
        assertEnd(guest.run(kernel().mov(RDI, MMIO).hex("803f05 f60701 480fa307").end()));
        assertThat(accesses).hasSize(3).allMatch(access -> access.startsWith("read"));
    }

    @Test
    public void stringMoves_reachDevicesElementByElement() {
        GuestCode code = kernel().mov(RDI, MMIO).mov(RSI, FREE).mov(RCX, 3).hex("f3a5");
        guest.memory().write64(FREE, 0x22222222_11111111L);
        guest.memory().write64(FREE + 8, 0x33333333L);
        assertEnd(guest.run(code.end()));
        assertThat(accesses)
                .containsExactly("write 0 4 11111111", "write 4 4 22222222", "write 8 4 33333333");
    }

    @Test
    public void accessOverThePagesEndIntoRam_isSplit() {
        // The page behind the device is RAM.
        guest.tables().map(MMIO + 0x1000, FREE, 3);
        guest.memory().write32(FREE, 0x44332211);
        Ending ending = guest.run(kernel().mov(RSI, MMIO + 0xffe).hex("8b06").end());
        assertEnd(ending);
        assertThat(ending.state().gpr[RAX] >>> 16).isEqualTo(0x2211);
        assertThat(accesses).isNotEmpty().allMatch(access -> access.startsWith("read ff"));
    }

    @Test
    public void outsideRam_nothingAnswers() {
        guest.devices(new SilentDevices());
        GuestCode code = kernel().mov(RSI, MMIO).hex("488b06").mov(RDX, 0x9999).hex("4889c3 ed");
        Ending ending = guest.run(code.end());
        assertThat(ending.state().gpr[RBX]).isEqualTo(-1L);
        assertThat(ending.state().gpr[RAX]).isEqualTo(0xffffffffL);
    }

    @Test
    public void exitRequestedByADevice_leavesBehindTheInstruction() {
        guest.devices(
                new SilentDevices() {
                    @Override
                    public int readPort(int port, int size) {
                        guest.vcpu().requestExit();
                        return 0x42;
                    }

                    @Override
                    public void writeMmio(long gpa, int size, long value) {
                        guest.vcpu().requestExit();
                    }
                });
        GuestCode code = kernel().hex("e410").label("first").mov(RDI, MMIO).hex("c60701");
        guest.load(code.label("second").trace(1).end());
        Ending first = guest.run(guest.kernelState(CODE));
        assertThat(first.kind()).isEqualTo(SmallGuest.Kind.REQUESTED);
        assertThat(first.rip()).isEqualTo(code.addressOf("first"));
        assertThat(first.state().gpr[RAX]).isEqualTo(0x42);
        Ending second = guest.resume();
        assertThat(second.rip()).isEqualTo(code.addressOf("second"));
        assertEnd(guest.resume());
        assertThat(guest.trace()).containsExactly(1);
    }

    @Test
    public void vectorAccesses_comeInPiecesOfAtMostEightBytes() {
        assertEnd(guest.run(kernel().mov(RSI, MMIO).hex("0f1006 0f114610").end()));
        assertThat(accesses)
                .containsExactly(
                        "read 0 8",
                        "read 8 8",
                        String.format("write 10 8 %x", pattern(0, 8)),
                        String.format("write 18 8 %x", pattern(8, 8)));
    }
}
