package org.javisor.gdb;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;

/** Damaged packets, nonsense, and random ones. */
class GdbPacketTest extends ServedGuest {
    @Test
    void asksAgain_whenAPacketIsDamaged() throws Exception {
        serve(1, true);
        try (ScriptedDebugger gdb = new ScriptedDebugger(server.port())) {
            assertThat(gdb.ask("qC")).isEqualTo("QC01");
            gdb.raw("$qC#00");
            assertThat(gdb.read()).isEqualTo('-');
            gdb.raw("$garb$qC#b4");
            assertThat(gdb.read()).isEqualTo('+');
            assertThat(gdb.reply()).isEqualTo("QC01");
            gdb.raw("-");
            assertThat(gdb.reply()).as("sent again").isEqualTo("QC01");
            gdb.raw("$q");
            gdb.raw("C");
            gdb.raw("#");
            gdb.raw("b4");
            assertThat(gdb.reply()).isEqualTo("QC01");
        }
    }

    @Test
    void refusesIt_whenAPacketIsTooLong() throws Exception {
        try (ScriptedDebugger gdb = attach(1)) {
            assertThat(gdb.ask("M100000,1:" + "0".repeat(PacketReader.LIMIT))).startsWith("E.");
            gdb.raw("$qC#00");
            assertThat(gdb.reply()).startsWith("E.");
            assertThat(gdb.ask("qC")).isEqualTo("QC01");
        }
    }

    @Test
    void survivesAnything_whenPacketsAreRandom() throws Exception {
        long seed = Long.getLong("javisor.seed", 20260707);
        System.out.println("Random packets with seed " + seed);
        RandomGenerator random = new Random(seed);
        String[] beginnings = {
            "g",
            "G",
            "p",
            "P",
            "m",
            "M100",
            "X100",
            "Z",
            "z",
            "H",
            "T",
            "q",
            "Q",
            "qRcmd,",
            "vCont",
            "vCont;",
            "qXfer:features:read:",
            "qThreadExtraInfo,",
            "Z0,",
            "Z2,",
            "m100000,",
            "v",
            "P10=",
            "!",
            "b",
            "i",
            "?",
            "qSupported"
        };
        String likely = "0123456789abcdef,;:=-xsr}";
        try (ScriptedDebugger gdb = attach(2)) {
            for (int n = 0; n < 4000; n++) {
                StringBuilder packet =
                        new StringBuilder(beginnings[random.nextInt(beginnings.length)]);
                for (int length = random.nextInt(24); length > 0; length--) {
                    char c =
                            random.nextInt(8) == 0
                                    ? (char) random.nextInt(256)
                                    : likely.charAt(random.nextInt(likely.length()));
                    packet.append(c == '#' || c == '$' ? 'x' : c);
                }
                gdb.send(packet.toString());
                if (packet.indexOf("vCont") == 0) {
                    // In case it makes sense.
                    gdb.raw("\u0003");
                }
                String reply;
                do {
                    reply = gdb.reply();
                } while (reply.startsWith("O") && !reply.equals("OK"));
                assertThat(reply).as(packet.toString()).doesNotContain("Internal");
            }
            assertThat(gdb.ask("qC")).startsWith("QC");
        }
    }

    @Test
    void keepsTheMachineSound_whenRegistersAreSetAtRandom() throws Exception {
        long seed = Long.getLong("javisor.seed", 20260709);
        System.out.println("Random registers with seed " + seed);
        RandomGenerator random = new Random(seed);
        int[] numbers = {RIP, RSP, EFLAGS, CS, 58, 59, 60, 61, 62, CR3, 64, 65, 66};
        try (ScriptedDebugger gdb = attach(2)) {
            for (int round = 0; round < 200; round++) {
                gdb.monitor("reset");
                for (int n = 0; n < 8; n++) {
                    int number = numbers[random.nextInt(numbers.length)];
                    byte[] value = HexFormat.of().parseHex(gdb.ask("p%x".formatted(number)));
                    // One bit, or all of them.
                    if (random.nextBoolean()) {
                        value[random.nextInt(value.length)] ^= (byte) (1 << random.nextInt(8));
                    } else {
                        random.nextBytes(value);
                    }
                    String write = "P%x=%s".formatted(number, HexFormat.of().formatHex(value));
                    assertThat(gdb.ask(write)).isIn("OK", "E01");
                    assertThat(gdb.ask("m100000,10")).doesNotContain("Internal");
                    String stop = gdb.ask("vCont;s:1");
                    assertThat(stop).as("round %d: %s", round, write).startsWith("T");
                    if (stop.startsWith("T0b")) {
                        break;
                    }
                }
            }
        }
    }
}
