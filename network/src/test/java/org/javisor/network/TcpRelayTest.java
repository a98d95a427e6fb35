package org.javisor.network;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The relay between a plain guest and a host that is a buffer, in simulated time. */
class TcpRelayTest {
    private static final IpAddress PEER = IpAddress.v4(192, 0, 2, 1);
    private static final long MILLISECOND = 1_000_000;
    private static final long LONGEST = 3_600_000 * MILLISECOND;

    /** A host's socket with a script instead of a network. */
    private static final class FakeHost implements HostStream {
        final TcpConnection connection;
        final Rig rig;
        final ByteArrayOutputStream taken = new ByteArrayOutputStream();
        ByteBuffer toSend = ByteBuffer.allocate(0);
        boolean ends;
        boolean breaks;
        int takes = Integer.MAX_VALUE;
        boolean outputShut;
        boolean closed;
        boolean wasReset;
        boolean wantsRead;
        boolean wantsWrite;

        FakeHost(TcpConnection connection, Rig rig) {
            this.connection = connection;
            this.rig = rig;
        }

        @Override
        public void connect() {
            switch (rig.answer) {
                case ACCEPT -> connection.hostConnected(rig.now);
                case REFUSE -> connection.hostFailed();
                case SILENT -> {}
            }
        }

        @Override
        public int read(ByteBuffer target) throws IOException {
            if (breaks) {
                throw new IOException("Connection reset");
            }
            int count = Math.min(toSend.remaining(), target.remaining());
            if (count == 0) {
                return ends && !toSend.hasRemaining() ? -1 : 0;
            }
            target.put(toSend.slice().limit(count));
            toSend.position(toSend.position() + count);
            return count;
        }

        @Override
        public int write(ByteBuffer source) {
            int count = Math.min(takes, source.remaining());
            takes -= count;
            byte[] bytes = new byte[count];
            source.get(bytes);
            taken.writeBytes(bytes);
            return count;
        }

        @Override
        public void shutdownOutput() {
            outputShut = true;
        }

        @Override
        public void want(boolean reading, boolean writing) {
            wantsRead = reading;
            wantsWrite = writing;
        }

        @Override
        public void close() {
            closed = true;
        }

        @Override
        public void reset() {
            wasReset = true;
            closed = true;
        }
    }

    private enum Answer {
        ACCEPT,
        REFUSE,
        SILENT
    }

    private record Event(long time, int order, Runnable action) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            int byTime = Long.compare(time, other.time);
            return byTime != 0 ? byTime : Integer.compare(order, other.order);
        }
    }

    /** Both ends, a wire with faults, and the time. */
    private static final class Rig {
        final Random random;
        final PriorityQueue<Event> events = new PriorityQueue<>();
        final TcpRelay relay;
        final TestGuestTcp guest;
        Optional<FakeHost> host = Optional.empty();
        Answer answer = Answer.ACCEPT;
        double loss;
        double duplication;
        double reordering;
        long now;
        int order;
        int offloads;
        boolean guestGone;
        int longestFrame;

        Rig(long seed) {
            random = new Random(seed);
            LinkEnd card =
                    new LinkEnd() {
                        @Override
                        public boolean deliver(Frame frame) {
                            ByteBuffer copy = ByteBuffer.allocate(frame.length());
                            frame.copyTo(copy);
                            longestFrame = Math.max(longestFrame, frame.length());
                            pass(() -> guest.receive(copy.array()));
                            return true;
                        }

                        @Override
                        public void flush() {}

                        @Override
                        public void roomAgain() {}

                        @Override
                        public int offloads() {
                            return offloads;
                        }
                    };
            IpOutput output = new IpOutput(card, UserNetworkConfig.MAC, 1500);
            output.learn(TestFrames.GUEST, TestFrames.GUEST_MAC);
            relay =
                    new TcpRelay(
                            new TcpOutput(output),
                            new TcpRelay.Connector() {
                                @Override
                                public boolean allows(Flow flow) {
                                    return true;
                                }

                                @Override
                                public HostStream open(TcpConnection connection) {
                                    host = Optional.of(new FakeHost(connection, Rig.this));
                                    return host.get();
                                }
                            },
                            () -> now,
                            random,
                            () -> {});
            guest = new TestGuestTcp(PEER, 80, 40000, random.nextInt(), this::fromGuest);
        }

        private void fromGuest(byte[] frame) {
            pass(
                    () -> {
                        ByteBuffer packet = ByteBuffer.wrap(frame);
                        relay.receive(TestFrames.GUEST, PEER, packet, 34, frame.length - 34);
                        relay.flush();
                    });
        }

        private void pass(Runnable arrival) {
            if (guestGone || random.nextDouble() < loss) {
                return;
            }
            long delay = MILLISECOND / 10;
            if (random.nextDouble() < reordering) {
                delay += random.nextInt(3_000_000);
            }
            at(now + delay, arrival);
            if (random.nextDouble() < duplication) {
                at(now + delay + 1000, arrival);
            }
        }

        void at(long time, Runnable action) {
            events.add(new Event(time, order++, action));
        }

        /** Lets time pass until that is so, or nothing more can happen for an hour. */
        void until(BooleanSupplier done) {
            long guestTimer = now + 300 * MILLISECOND;
            while (!done.getAsBoolean() && now < LONGEST) {
                host.ifPresent(this::serve);
                long next = Math.min(relay.deadline(), guestTimer);
                if (!events.isEmpty() && events.peek().time <= next) {
                    Event event = events.poll();
                    now = Math.max(now, event.time);
                    event.action.run();
                } else if (relay.deadline() <= guestTimer) {
                    now = Math.max(now, relay.deadline());
                    relay.expire(now);
                } else {
                    now = guestTimer;
                    guestTimer += 300 * MILLISECOND;
                    if (!guestGone) {
                        guest.timeout();
                    }
                }
            }
        }

        private void serve(FakeHost socket) {
            if (socket.closed) {
                return;
            }
            if (socket.wantsRead
                    && (socket.toSend.hasRemaining() || socket.ends || socket.breaks)) {
                socket.connection.hostReadable(now);
            }
            if (!socket.closed && socket.wantsWrite && socket.takes > 0) {
                socket.connection.hostWritable(now);
            }
        }

        void connect() {
            guest.connect();
            until(() -> guest.established);
        }

        FakeHost hostEnd() {
            return host.orElseThrow();
        }
    }

    private static byte[] bytes(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static void transferBothWays(Rig rig, int size) {
        byte[] up = bytes(1, size);
        byte[] down = bytes(2, size);
        rig.connect();
        rig.hostEnd().toSend = ByteBuffer.wrap(down);
        rig.hostEnd().ends = true;
        rig.guest.send(up);
        rig.guest.close();
        rig.until(() -> rig.guest.peerFinished && rig.hostEnd().outputShut);
        assertThat(rig.guest.incoming()).isEqualTo(down);
        assertThat(rig.hostEnd().taken.toByteArray()).isEqualTo(up);
        rig.until(() -> rig.relay.connections() == 0);
        assertThat(rig.relay.connections()).isZero();
        assertThat(rig.hostEnd().closed).isTrue();
        assertThat(rig.guest.reset).isFalse();
    }

    @Test
    void bytesArriveBothWays_whenNothingGoesWrong() {
        transferBothWays(new Rig(1), 3_000_000);
    }

    @Test
    void longSegmentsAreSent_whenTheCardCutsThem() {
        Rig rig = new Rig(1);
        rig.offloads = LinkEnd.ALL_OFFLOADS;
        transferBothWays(rig, 3_000_000);
        assertThat(rig.longestFrame).isGreaterThan(60_000);
    }

    @Test
    void noFrameIsLongerThanTheLink_whenTheCardDoesNotCut() {
        Rig rig = new Rig(1);
        transferBothWays(rig, 100_000);
        assertThat(rig.longestFrame).isEqualTo(1514);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void bytesArriveBothWays_whenFramesAreLostDoubledAndOutOfOrder(long seed) {
        Rig rig = new Rig(seed);
        rig.loss = 0.03;
        rig.duplication = 0.03;
        rig.reordering = 0.1;
        rig.offloads = seed % 2 == 0 ? LinkEnd.ALL_OFFLOADS : 0;
        transferBothWays(rig, 400_000);
    }

    @Test
    void bytesArriveBothWays_whenThirdOfTheFramesIsLost() {
        Rig rig = new Rig(7);
        rig.loss = 0.33;
        transferBothWays(rig, 30_000);
    }

    @Test
    void guestIsRefused_whenTheHostIs() {
        Rig rig = new Rig(1);
        rig.answer = Answer.REFUSE;
        rig.guest.connect();
        rig.until(() -> rig.guest.reset);
        assertThat(rig.guest.reset).isTrue();
        assertThat(rig.relay.connections()).isZero();
    }

    @Test
    void guestIsReset_whenTheHostIs() {
        Rig rig = new Rig(1);
        rig.connect();
        rig.hostEnd().breaks = true;
        rig.until(() -> rig.guest.reset);
        assertThat(rig.guest.reset).isTrue();
        assertThat(rig.relay.connections()).isZero();
    }

    @Test
    void hostIsReset_whenTheGuestResets() {
        Rig rig = new Rig(1);
        rig.connect();
        rig.guest.abort();
        rig.until(() -> rig.hostEnd().wasReset);
        assertThat(rig.hostEnd().wasReset).isTrue();
        assertThat(rig.relay.connections()).isZero();
    }

    @Test
    void guestStillSends_whenTheHostHasEnded() {
        Rig rig = new Rig(1);
        rig.connect();
        rig.hostEnd().ends = true;
        rig.until(() -> rig.guest.peerFinished);
        byte[] late = bytes(9, 50_000);
        rig.guest.send(late);
        rig.until(() -> rig.hostEnd().taken.size() == late.length);
        assertThat(rig.hostEnd().taken.toByteArray()).isEqualTo(late);
        assertThat(rig.hostEnd().closed).isFalse();
    }

    @Test
    void hostStillSends_whenTheGuestHasEnded() {
        Rig rig = new Rig(1);
        rig.connect();
        rig.guest.close();
        rig.until(() -> rig.hostEnd().outputShut);
        byte[] late = bytes(9, 50_000);
        rig.hostEnd().toSend = ByteBuffer.wrap(late);
        rig.until(() -> rig.guest.incoming().length == late.length);
        assertThat(rig.guest.incoming()).isEqualTo(late);
    }

    @Test
    void guestHasToWait_whenTheHostTakesNothing() {
        Rig rig = new Rig(1);
        rig.connect();
        rig.hostEnd().takes = 1000;
        byte[] data = bytes(3, 2_000_000);
        rig.guest.send(data);
        long start = rig.now;
        rig.until(() -> rig.now > start + 2000 * MILLISECOND);
        assertThat(rig.hostEnd().taken.size()).isEqualTo(1000);
        rig.hostEnd().takes = Integer.MAX_VALUE;
        rig.until(() -> rig.hostEnd().taken.size() == data.length);
        assertThat(rig.hostEnd().taken.toByteArray()).isEqualTo(data);
    }

    @Test
    void hostHasToWait_whenTheGuestReadsNothing() {
        Rig rig = new Rig(1);
        rig.guest.room = 30_000;
        rig.connect();
        byte[] data = bytes(4, 3_000_000);
        rig.hostEnd().toSend = ByteBuffer.wrap(data);
        long start = rig.now;
        rig.until(() -> rig.now > start + 600_000 * MILLISECOND);
        // What the relay has read ahead is bounded, and ten minutes of silence do not end it.
        assertThat(rig.hostEnd().toSend.remaining()).isGreaterThan(2_000_000);
        assertThat(rig.relay.connections()).isOne();
        rig.guest.makeRoom(4 << 20);
        rig.until(() -> rig.guest.incoming().length == data.length);
        assertThat(rig.guest.incoming()).isEqualTo(data);
    }

    @Test
    void hostIsReset_whenTheGuestHasGone() {
        Rig rig = new Rig(1);
        rig.connect();
        rig.guestGone = true;
        rig.hostEnd().toSend = ByteBuffer.wrap(new byte[10]);
        rig.until(() -> rig.hostEnd().closed);
        assertThat(rig.hostEnd().wasReset).isTrue();
        assertThat(rig.relay.connections()).isZero();
    }

    @Test
    void hostsConnectionReachesTheGuest_whenItsPortIsForwarded() {
        Rig rig = new Rig(1);
        FakeHost[] opened = new FakeHost[1];
        rig.relay.open(
                TestFrames.GUEST,
                40000,
                PEER,
                80,
                connection -> opened[0] = new FakeHost(connection, rig));
        rig.host = Optional.of(opened[0]);
        opened[0].toSend = ByteBuffer.wrap("hello".getBytes());
        rig.until(() -> rig.guest.incoming().length == 5);
        assertThat(new String(rig.guest.incoming())).isEqualTo("hello");
        rig.guest.send("answer".getBytes());
        rig.until(() -> opened[0].taken.size() == 6);
        assertThat(opened[0].taken.toString()).isEqualTo("answer");
    }

    @Test
    void hostsConnectionIsReset_whenTheGuestNeverAnswers() {
        Rig rig = new Rig(1);
        rig.guestGone = true;
        FakeHost[] opened = new FakeHost[1];
        rig.relay.open(
                TestFrames.GUEST,
                22,
                PEER,
                80,
                connection -> opened[0] = new FakeHost(connection, rig));
        rig.until(() -> opened[0].closed);
        assertThat(opened[0].wasReset).isTrue();
    }

    @Test
    void bothSidesEnd_whenTheyCloseAtTheSameTime() {
        for (long seed = 0; seed < 50; seed++) {
            Rig rig = new Rig(seed);
            rig.loss = 0.2;
            rig.reordering = 0.3;
            rig.connect();
            rig.hostEnd().ends = true;
            rig.guest.close();
            rig.until(() -> rig.relay.connections() == 0);
            assertThat(rig.relay.connections()).as("seed %d", seed).isZero();
            assertThat(rig.hostEnd().outputShut).as("seed %d", seed).isTrue();
        }
    }

    @Test
    void connectionsAreBounded_whenTheGuestOpensWithoutEnd() {
        Rig rig = new Rig(1);
        rig.answer = Answer.SILENT;
        for (int i = 0; i < 3 * TcpRelay.MAXIMUM_CONNECTIONS; i++) {
            byte[] syn =
                    TestFrames.tcp(
                            TestFrames.GUEST,
                            1 + i,
                            PEER,
                            80,
                            i,
                            0,
                            2,
                            1000,
                            new byte[0],
                            new byte[0]);
            rig.relay.receive(TestFrames.GUEST, PEER, ByteBuffer.wrap(syn), 34, syn.length - 34);
        }
        assertThat(rig.relay.connections()).isEqualTo(TcpRelay.MAXIMUM_CONNECTIONS);
    }

    @Test
    void relayEndures_whenTheGuestSendsAnything() {
        fuzz(42, 20_000);
    }

    /** By hand: {@code java … TcpRelayTest SEED CASES}. */
    public static void main(String[] arguments) {
        fuzz(Long.parseLong(arguments[0]), Integer.parseInt(arguments[1]));
    }

    private static void fuzz(long seed, int cases) {
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        Rig rig = new Rig(seed);
        rig.connect();
        for (int i = 0; i < cases; i++) {
            if (i % 2000 == 0 || rig.relay.connections() == 0) {
                rig = new Rig(random.nextLong());
                rig.connect();
                rig.hostEnd().toSend = ByteBuffer.allocate(random.nextInt(100_000));
            }
            byte[] data = new byte[random.nextInt(40)];
            byte[] options = new byte[4 * random.nextInt(11)];
            random.nextBytes(options);
            int near = random.nextInt(3) == 0 ? random.nextInt(2000) - 1000 : 0;
            byte[] frame =
                    TestFrames.tcp(
                            TestFrames.GUEST,
                            random.nextInt(4) == 0 ? random.nextInt(65536) : 40000,
                            PEER,
                            80,
                            random.nextInt(9) == 0 ? random.nextInt() : rig.guest.sequence() + near,
                            random.nextInt(9) == 0 ? random.nextInt() : rig.guest.expected() + near,
                            random.nextInt(64),
                            random.nextInt(65536),
                            options,
                            data);
            if (random.nextInt(5) == 0) {
                frame = Arrays.copyOf(frame, 34 + random.nextInt(frame.length - 33));
            }
            rig.relay.receive(
                    TestFrames.GUEST, PEER, ByteBuffer.wrap(frame), 34, frame.length - 34);
            if (i % 100 == 0) {
                rig.relay.flush();
                rig.now += MILLISECOND;
                rig.relay.expire(rig.now);
                rig.events.clear();
            }
        }
        assertThat(rig.relay.connections()).isLessThanOrEqualTo(TcpRelay.MAXIMUM_CONNECTIONS);
    }
}
