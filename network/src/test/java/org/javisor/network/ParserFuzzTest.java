package org.javisor.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * DHCP and DNS messages that begin well and go wrong somewhere, given to what reads them without
 * the checksums in front of it. Nothing throws, an answer is of a bounded size, and the next sound
 * message is answered as it should be.
 *
 * <p>{@code -Djavisor.fuzz.cases=N} for longer runs, {@code -Djavisor.fuzz.seed=N} to repeat one.
 */
@Timeout(3600)
class ParserFuzzTest {
    private static final int CASES = Integer.getInteger("javisor.fuzz.cases", 20_000);
    private static final long SEED = Long.getLong("javisor.fuzz.seed", 20260101);

    private final SplittableRandom random = new SplittableRandom(SEED);

    /** Counts frames instead of keeping them. */
    private static final class Counter implements LinkEnd {
        private int frames;
        private int longest;

        @Override
        public boolean deliver(Frame frame) {
            frames++;
            longest = Math.max(longest, frame.length());
            return true;
        }

        @Override
        public void flush() {}

        @Override
        public void roomAgain() {}

        @Override
        public int offloads() {
            return 0;
        }
    }

    private byte[] damaged(byte[] message) {
        for (int changes = random.nextInt(5); changes > 0; changes--) {
            message[random.nextInt(message.length)] = (byte) random.nextInt();
        }
        return random.nextInt(5) == 0
                ? Arrays.copyOf(message, random.nextInt(message.length + 1))
                : message;
    }

    private byte[] discovery(long mac) {
        ByteBuffer message = ByteBuffer.allocate(244 + random.nextInt(400));
        message.putInt(0, 0x01010600).putInt(4, random.nextInt());
        message.putShort(10, (short) (random.nextBoolean() ? 0x8000 : 0));
        message.putInt(12, address());
        message.putInt(28, (int) (mac >>> 16)).putShort(32, (short) mac);
        message.putInt(236, 0x63825363).position(240);
        message.put(new byte[] {53, 1, (byte) random.nextInt(10)});
        while (message.remaining() > 40 && random.nextInt(12) != 0) {
            int code = random.nextInt(3) == 0 ? random.nextInt(256) : 50 + random.nextInt(6);
            int length = random.nextInt(3) == 0 ? random.nextInt(33) : 4;
            byte[] value = new byte[length];
            if (length == 4) {
                ByteBuffer.wrap(value).putInt(address());
            }
            int said = random.nextInt(10) == 0 ? random.nextInt(256) : length;
            message.put((byte) code).put((byte) said).put(value);
        }
        return message.put((byte) -1).array();
    }

    private int address() {
        return switch (random.nextInt(4)) {
            case 0 -> 0;
            case 1 -> random.nextInt();
            default -> UserNetworkConfig.NETWORK + random.nextInt(256);
        };
    }

    @Test
    void dhcpServerGoesOnServing_whateverItIsSent() {
        System.out.println("DHCP fuzzed with seed " + SEED + ", " + CASES + " cases");
        Counter card = new Counter();
        IpOutput output = new IpOutput(card, MacAddress.random(0), 1500);
        DhcpServer server = new DhcpServer(output, UserNetworkConfig.DEFAULT);
        int answered = 0;
        for (int i = 0; i < CASES; i++) {
            long mac = 0x525400000000L + random.nextInt(random.nextInt(50) == 0 ? 1 << 20 : 400);
            card.frames = 0;
            server.receive(ByteBuffer.wrap(damaged(discovery(mac))), mac);
            assertThat(card.frames).as("case %d", i).isLessThanOrEqualTo(1);
            answered += card.frames;
            if (i % 1000 == 0) {
                // Whoever took all the addresses gives some back.
                server.receive(ByteBuffer.wrap(release(mac)), mac);
            }
        }
        assertThat(answered).isGreaterThan(CASES / 20);
        assertThat(card.longest).isLessThan(700);
    }

    private static byte[] release(long mac) {
        ByteBuffer message = ByteBuffer.allocate(244);
        message.putInt(0, 0x01010600).putInt(28, (int) (mac >>> 16)).putShort(32, (short) mac);
        message.putInt(236, 0x63825363).position(240);
        return message.put(new byte[] {53, 1, 7, -1}).array();
    }

    private byte[] query() {
        ByteBuffer message = ByteBuffer.allocate(600);
        message.putShort((short) random.nextInt()).putShort((short) 0x0100);
        message.putShort((short) 1).putShort((short) 0).putInt(0);
        for (int labels = random.nextInt(8); labels > 0; labels--) {
            byte[] label = new byte[1 + random.nextInt(63)];
            Arrays.fill(label, (byte) ('a' + random.nextInt(26)));
            message.put((byte) (random.nextInt(20) == 0 ? random.nextInt() : label.length));
            message.put(label);
        }
        message.put((byte) 0).putShort((short) (random.nextBoolean() ? 1 : 28));
        message.putShort((short) 1);
        return Arrays.copyOf(message.array(), message.position());
    }

    @Test
    void dnsQuestionsAreReadOrRefused_whateverTheyHold() throws Exception {
        System.out.println("DNS fuzzed with seed " + SEED + ", " + CASES + " cases");
        List<IpAddress> addresses =
                List.of(
                        IpAddress.v4(192, 0, 2, 7),
                        IpAddress.of(InetAddress.ofLiteral("2001:db8::7")));
        int understood = 0;
        for (int i = 0; i < CASES; i++) {
            ByteBuffer message = ByteBuffer.wrap(damaged(query()));
            Optional<DnsMessage.Question> question = DnsMessage.question(message);
            if (question.isPresent()) {
                understood++;
                DnsMessage.Question q = question.get();
                assertThat(q.name().length()).isLessThan(400);
                assertThat(q.end()).isBetween(DnsMessage.HEADER, message.limit());
                ByteBuffer answer = DnsMessage.answer(message, q, addresses);
                assertThat(answer.limit()).isLessThanOrEqualTo(q.end() + 28);
                assertThat(answer.getShort(0)).isEqualTo(message.getShort(0));
            }
            if (message.limit() >= DnsMessage.HEADER) {
                assertThat(DnsMessage.failure(message).limit())
                        .isLessThanOrEqualTo(Math.max(DnsMessage.HEADER, message.limit()));
            }
        }
        assertThat(understood).isGreaterThan(CASES / 10);
    }
}
