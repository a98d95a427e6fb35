package org.javisor.gdb;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.javisor.gdb.PacketReader.Outcome;
import org.junit.jupiter.api.Test;

class PacketReaderTest {
    private final PacketReader reader = new PacketReader();

    private List<String> feed(String bytes) {
        List<String> outcomes = new ArrayList<>();
        for (char c : bytes.toCharArray()) {
            Outcome outcome = reader.accept(c);
            if (outcome == Outcome.PACKET) {
                outcomes.add(new String(reader.packet(), StandardCharsets.ISO_8859_1));
            } else if (outcome != Outcome.NOTHING) {
                outcomes.add(outcome.name());
            }
        }
        return outcomes;
    }

    private static String framed(String contents) {
        return new String(PacketWriter.frame(contents), StandardCharsets.ISO_8859_1);
    }

    @Test
    void findsPackets_whenOtherThingsStandBetweenThem() {
        assertThat(feed("+$g#67+\u0003$#00-x$\u00ff#FF"))
                .containsExactly("g", "INTERRUPTED", "", "REFUSED", "STRAY", "\u00ff");
    }

    @Test
    void refusesThem_whenTheChecksumIsWrongOrNone() {
        assertThat(feed("$g#68$g#6g$g#g7$g#67"))
                .containsExactly("DAMAGED", "DAMAGED", "DAMAGED", "g");
    }

    @Test
    void beginsAnew_whenAPacketHasLostItsEnd() {
        assertThat(feed("$m1234" + framed("g"))).containsExactly("g");
    }

    @Test
    void keepsInterruptsApartFromData_whenTheyStandInAPacket() {
        assertThat(feed(framed("X0,1:\u0003"))).containsExactly("X0,1:\u0003");
    }

    @Test
    void takesPacketsUpToTheLimit_andSaysSo_whenOneIsLonger() {
        String longest = "x".repeat(PacketReader.LIMIT);
        assertThat(feed(framed(longest))).containsExactly(longest);
        assertThat(feed(framed(longest + "x"))).containsExactly("OVERSIZED");
        assertThat(feed(framed("g"))).containsExactly("g");
    }

    @Test
    void staysWithinItsLimit_whenTheBytesAreRandom() {
        long seed = Long.getLong("javisor.seed", 20260708);
        System.out.println("Random bytes with seed " + seed);
        RandomGenerator random = new Random(seed);
        String common = "$#+-}0123456789abcdefmMXvC,;:\u0003";
        for (int n = 0; n < 2_000_000; n++) {
            boolean free = random.nextInt(3) == 0;
            int value = free ? random.nextInt(256) : common.charAt(random.nextInt(common.length()));
            if (reader.accept(value) == Outcome.PACKET) {
                readThrough(new PacketText(reader.packet()), random);
            }
        }
    }

    /** Whatever is read from it, a packet gives a value or is malformed, and comes to an end. */
    private static void readThrough(PacketText packet, RandomGenerator random) {
        try {
            for (int reads = 0; !packet.atEnd(); reads++) {
                assertThat(reads).isLessThanOrEqualTo(PacketReader.LIMIT);
                switch (random.nextInt(8)) {
                    case 0 -> packet.number();
                    case 1 -> assertThat(packet.count()).isNotNegative();
                    case 2 -> assertThat(packet.hexBytes().length).isLessThan(PacketReader.LIMIT);
                    case 3 -> assertThat(packet.binary().length).isLessThan(PacketReader.LIMIT);
                    case 4 -> assertThat(packet.until(',')).doesNotContain(",");
                    case 5 -> ResumeRequest.parse(packet, new ThreadIds(2), 0);
                    case 6 -> assertThat(new ThreadIds(2).parse(packet)).isBetween(-2, 1);
                    default -> assertThat(packet.next()).isBetween(0, 255);
                }
            }
        } catch (MalformedPacketException expected) {
            assertThat(expected.getMessage()).isNotBlank();
        }
    }

    @Test
    void readsNumbersOf64Bits_andNoMore() {
        assertThat(text("ffffffffffffffff,").number()).isEqualTo(-1);
        assertThat(text("0000000000000000000001").number()).isEqualTo(1);
        assertThatThrownBy(() -> text("10000000000000000").number())
                .isInstanceOf(MalformedPacketException.class);
        assertThatThrownBy(() -> text(",").number()).isInstanceOf(MalformedPacketException.class);
        assertThatThrownBy(() -> text("80000000").count())
                .isInstanceOf(MalformedPacketException.class);
    }

    private static PacketText text(String contents) {
        return new PacketText(contents.getBytes(StandardCharsets.ISO_8859_1));
    }

    @Test
    void namesTheFirstActionForEachThread_whenActionsOverlap() {
        ResumeRequest request =
                ResumeRequest.parse(text(";s:2;C05:3;r10,20:1;c"), new ThreadIds(4), 0);
        assertThat(request.action(0)).isEqualTo(new ResumeRequest.Action.Step(0x10, 0x20));
        assertThat(request.action(1)).isEqualTo(new ResumeRequest.Action.Step(0, 0));
        assertThat(request.action(2)).isEqualTo(new ResumeRequest.Action.Continue());
        assertThat(request.action(3)).isEqualTo(new ResumeRequest.Action.Continue());
        assertThat(ResumeRequest.parse(text(";c:2"), new ThreadIds(2), 0).action(0))
                .isEqualTo(new ResumeRequest.Action.Stay());
    }
}
