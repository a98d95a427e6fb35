package org.javisor.gdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.gdb.ScriptedDebugger.littleEndian;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Registers and memory, as a debugger reads and writes them. */
class GdbStateTest extends ServedGuest {
    private static final Pattern REGISTER =
            Pattern.compile(
                    "<reg name=\"(\\w+)\" bitsize=\"(\\d+)\" type=\"\\w+\" regnum=\"(\\d+)\"");

    @Test
    void describesTheRegistersOfTheGPacket_whenAskedPieceByPiece() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            StringBuilder xml = new StringBuilder();
            String piece;
            do {
                piece = gdb.ask("qXfer:features:read:target.xml:%x,123".formatted(xml.length()));
                xml.append(piece.substring(1));
            } while (piece.startsWith("m"));
            assertThat(piece).startsWith("l");
            int bits = 0;
            int count = 0;
            Matcher register = REGISTER.matcher(xml);
            while (register.find()) {
                assertThat(register.group(3)).isEqualTo(Integer.toString(count));
                int size = Integer.parseInt(register.group(2));
                assertThat(gdb.ask("p%x".formatted(count))).as(register.group(1)).hasSize(size / 4);
                bits += size;
                count++;
            }
            assertThat(gdb.ask("g")).hasSize(bits / 4);
            assertThat(gdb.ask("p%x".formatted(count))).isEqualTo("E01");
            assertThat(gdb.ask("qXfer:features:read:other.xml:0,10")).isEqualTo("E00");
            assertThat(gdb.ask("qXfer:features:read:target.xml:fffff,10")).isEqualTo("l");
        }
    }

    @Test
    void startsBeforeTheFirstInstruction_whenTheMachineWaits() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            assertThat(gdb.ask("?")).isEqualTo("T05thread:01;");
            assertThat(gdb.register(RIP)).isEqualTo(TinyGuest.START);
            assertThat(machine.clock().nanos()).isZero();
            assertThat(gdb.ask("qAttached")).isEqualTo("1");
            assertThat(gdb.ask("vMustReplyEmpty")).isEmpty();
        }
    }

    @Test
    void changesRegisters_whenTheyAreWritten() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            assertThat(gdb.ask("P1=8877665544332211")).isEqualTo("OK");
            assertThat(gdb.register(RBX)).isEqualTo(0x1122334455667788L);
            assertThat(gdb.ask("P%x=%s".formatted(XMM0, "0f".repeat(16)))).isEqualTo("OK");
            assertThat(gdb.ask("p%x".formatted(XMM0))).isEqualTo("0f".repeat(16));
            // 1.0 in ST0, which so is no longer empty.
            assertThat(gdb.ask("P%x=0000000000000080ff3f".formatted(ST0))).isEqualTo("OK");
            assertThat(gdb.ask("P%x=fcff0000".formatted(ST0 + 10))).isEqualTo("OK");
            assertThat(littleEndian(gdb.ask("p%x".formatted(ST0 + 10)))).isEqualTo(0xfffc);
            String all = gdb.ask("g");
            assertThat(gdb.ask("G" + all)).isEqualTo("OK");
            assertThat(gdb.ask("g")).isEqualTo(all);
            assertThat(gdb.ask("G" + all.substring(2))).isEqualTo("E01");
            assertThat(gdb.ask("P1=00")).isEqualTo("E01");
            assertThat(gdb.ask("P1=zz77665544332211")).isEqualTo("E01");
            assertThat(gdb.ask("P%x=2b000000".formatted(CS))).isEqualTo("E01");
            assertThat(gdb.register(CS)).isEqualTo(0x10);
            assertThat(gdb.register(EFLAGS)).isEqualTo(2);
        }
    }

    // Memory

    @Test
    void readsWhatIsMapped_whenAddressesAreLinear() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            assertThat(gdb.ask("m100000,5")).isEqualTo("b834120000");
            assertThat(gdb.ask("m100000,0")).isEmpty();
            assertThat(gdb.ask("m%x,4".formatted(TinyGuest.NOWHERE))).isEqualTo("E0e");
            assertThat(gdb.ask("mfee00020,4")).as("a device").isEqualTo("E0e");
            long end = 32L << 20;
            assertThat(gdb.ask("m%x,8".formatted(end - 4))).hasSize(8);
            assertThat(gdb.ask("m100000,7fffffff").length()).isLessThan(PacketReader.LIMIT);
        }
    }

    @Test
    void writesAllOrNothing_whenMemoryIsWritten() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            assertThat(gdb.ask("M101100,3:0a0b0c")).isEqualTo("OK");
            assertThat(gdb.ask("X101103,4:}\u0003}\u0004\u0000\u00ff")).isEqualTo("OK");
            assertThat(gdb.ask("m101100,7")).isEqualTo("0a0b0c232400ff");
            assertThat(gdb.ask("X101103,0:")).isEqualTo("OK");
            assertThat(gdb.ask("M101100,4:0a0b0c")).isEqualTo("E01");
            long end = 32L << 20;
            assertThat(gdb.ask("M%x,2:0102".formatted(end - 1))).isEqualTo("E0e");
            assertThat(gdb.ask("m%x,1".formatted(end - 1))).isEqualTo("00");
        }
    }

    @Test
    void executesWhatWasWritten_whenCodeIsChanged() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            assertThat(gdb.ask(breakAt(TinyGuest.FUNCTION))).isEqualTo("OK");
            gdb.ask("vCont;c");
            gdb.ask("vCont;c");
            assertThat(gdb.register(R12)).isEqualTo(1);
            // inc r12 becomes dec r12.
            assertThat(gdb.ask("X%x,3:I\u00ff\u00cc".formatted(TinyGuest.INCREMENT)))
                    .isEqualTo("OK");
            gdb.ask("vCont;c");
            assertThat(gdb.register(R12)).isZero();
        }
    }

    @Test
    void addressesPhysicalMemory_whenAskedTo() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            // A fifth gigabyte that shows the first one.
            long pointers = gdb.memory(littleEndian(gdb.ask("p%x".formatted(CR3))), 8) & -4096;
            long first = gdb.memory(pointers, 8);
            machine.memory().write64(pointers + 8 * 5, first);
            assertThat(gdb.memory(TinyGuest.NOWHERE + TinyGuest.START, 1)).isEqualTo(0xb8);
            assertThat(gdb.ask("qqemu.PhyMemMode")).isEqualTo("0");
            assertThat(gdb.ask("Qqemu.PhyMemMode:1")).isEqualTo("OK");
            assertThat(gdb.ask("m%x,1".formatted(TinyGuest.NOWHERE + TinyGuest.START)))
                    .isEqualTo("E0e");
            assertThat(gdb.memory(TinyGuest.START, 1)).isEqualTo(0xb8);
            assertThat(gdb.monitor("physical off")).contains("linear");
            assertThat(gdb.monitor("xp 0x100000 4")).contains("b8 34 12 00");
            assertThat(gdb.monitor("translate 0x140100000")).contains("0x100000");
        }
    }
}
