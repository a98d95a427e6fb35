package org.javisor.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What can stand between a card and its network. */
class FilterTest {
    @TempDir Path directory;

    private final Switch hub = new Switch("test");

    @Test
    void captureHoldsEveryFrame_withItsChecksum() throws Exception {
        Path file = directory.resolve("x.pcap");
        Network captured = new CapturedNetwork(hub.newPort(false), new PcapFile(file));
        LinkEnd link = captured.connect(new FakeCard(0));
        LinkEnd other = hub.newPort(false).connect(new FakeCard(0));
        byte[] first =
                TestFrames.udp(TestFrames.GUEST, 1, IpAddress.v4(10, 0, 2, 16), 2, new byte[20]);
        byte[] open = first.clone();
        int pseudo =
                ~TestFrames.sum(
                                TestFrames.pseudo(
                                        TestFrames.GUEST, IpAddress.v4(10, 0, 2, 16), 17, 28),
                                new byte[0],
                                0)
                        & 0xffff;
        ByteBuffer.wrap(open).putShort(40, (short) pseudo);
        link.deliver(TestFrames.frame(open).leaveChecksum(34, 6));
        byte[] answer = new byte[60];
        java.util.Arrays.fill(answer, (byte) 0xff);
        answer[6] = 2;
        other.deliver(TestFrames.frame(answer));
        captured.close();
        ByteBuffer b = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(b.getInt(0)).isEqualTo(0xa1b23c4d);
        assertThat(b.getInt(20)).isOne();
        assertThat(b.getInt(32)).isEqualTo(first.length);
        byte[] written = new byte[first.length];
        b.get(40, written);
        assertThat(written).isEqualTo(first);
        byte[] second = new byte[60];
        b.get(40 + first.length + 16, second);
        assertThat(second).isEqualTo(answer);
        assertThat(b.limit()).isEqualTo(40 + first.length + 16 + 60);
    }

    @Test
    void fileIsNamed_whenItCannotBeWritten() {
        assertThatThrownBy(() -> new PcapFile(directory.resolve("no/x.pcap")))
                .isInstanceOf(NetworkException.class)
                .hasMessageContaining("No such directory");
    }

    @Test
    void noMoreThanTheRatePasses_andTheRefusedIsWoken() {
        long[] now = {0};
        Runnable[] later = new Runnable[1];
        long[] delay = {0};
        ScheduledThreadPoolExecutor timer =
                new ScheduledThreadPoolExecutor(1) {
                    @Override
                    public ScheduledFuture<?> schedule(
                            Runnable command, long after, TimeUnit unit) {
                        later[0] = command;
                        delay[0] = unit.toNanos(after);
                        return super.schedule((Callable<Void>) () -> null, 0, unit);
                    }
                };
        FakeCard card = new FakeCard(0);
        FakeCard other = new FakeCard(0);
        hub.newPort(false).connect(other);
        Network limited = new LimitedNetwork(hub.newPort(false), 100_000, () -> now[0], timer);
        LinkEnd link = limited.connect(card);
        byte[] frame = new byte[1000];
        java.util.Arrays.fill(frame, 0, 6, (byte) 0xff);
        int rounds = 0;
        while (now[0] < 10_000_000_000L) {
            if (!link.deliver(TestFrames.frame(frame))) {
                now[0] += delay[0];
                later[0].run();
                rounds++;
            }
        }
        assertThat(other.received.size()).isBetween(1000, 1010);
        assertThat(card.roomCalls).isEqualTo(rounds);
        limited.close();
    }
}
