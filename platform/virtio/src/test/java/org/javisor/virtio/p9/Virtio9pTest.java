package org.javisor.virtio.p9;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.javisor.device.DeviceState;
import org.javisor.share.SharedFolder;
import org.javisor.virtio.FakeDriver;
import org.javisor.virtio.FakeQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Virtio9pTest {
    private static final int ROOM = 8192;
    private static final int VERSION = 100;
    private static final int ATTACH = 104;
    private static final int FLUSH = 108;
    private static final int WALK = 110;
    private static final int LOPEN = 12;
    private static final int READ = 116;
    private static final int CLUNK = 120;

    @TempDir Path host;
    private FakeDriver driver;
    private Virtio9p device;

    private FakeQueue start(long features) throws IOException {
        Files.writeString(host.resolve("file"), "contents");
        device = new Virtio9p("p9", SharedFolder.open(host, false), "src");
        driver = new FakeDriver(device, features);
        driver.start();
        return driver.queue(0);
    }

    @AfterEach
    void close() {
        if (driver != null) {
            driver.close();
        }
    }

    static byte[] message(int type, int tag, Object... fields) {
        ByteBuffer message = ByteBuffer.allocate(1000).order(ByteOrder.LITTLE_ENDIAN);
        message.putInt(0).put((byte) type).putShort((short) tag);
        for (Object field : fields) {
            switch (field) {
                case Short value -> message.putShort(value);
                case Integer value -> message.putInt(value);
                case Long value -> message.putLong(value);
                case String value ->
                        message.putShort((short) value.length())
                                .put(value.getBytes(StandardCharsets.US_ASCII));
                default -> throw new IllegalArgumentException(field.toString());
            }
        }
        message.putInt(0, message.position());
        return Arrays.copyOf(message.array(), message.position());
    }

    private static ByteBuffer ask(FakeQueue queue, int type, Object... fields) {
        FakeQueue.Used used = queue.request(List.of(message(type, 9, fields)), ROOM);
        ByteBuffer reply = ByteBuffer.wrap(used.content()).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(reply.getInt(0)).isEqualTo(used.written());
        assertThat(reply.get(4) & 0xff).as("type of the reply").isEqualTo(type + 1);
        assertThat(reply.getShort(5)).isEqualTo((short) 9);
        return reply.position(7).slice().order(ByteOrder.LITTLE_ENDIAN);
    }

    private static void openFile(FakeQueue queue) {
        ask(queue, VERSION, ROOM, "9P2000.L");
        ask(queue, ATTACH, 0, -1, "", "", 0);
        ask(queue, WALK, 0, 1, (short) 1, "file");
        ask(queue, LOPEN, 1, 0);
    }

    private static String read(FakeQueue queue) {
        ByteBuffer body = ask(queue, READ, 1, 0L, 100);
        byte[] bytes = new byte[body.getInt()];
        body.get(bytes);
        return new String(bytes, StandardCharsets.US_ASCII);
    }

    @Test
    void tellsItsTag_inTheConfigurationSpace() throws IOException {
        start(FakeDriver.ALL);
        assertThat(driver.config(0, 2)).isEqualTo(3);
        assertThat(driver.config(2, 2)).isEqualTo('s' | 'r' << 8);
        assertThat(driver.config(4, 1)).isEqualTo('c');
    }

    @Test
    void servesTheFolder_throughEitherLayout() throws IOException {
        for (long features : new long[] {FakeDriver.ALL, FakeDriver.ALL_PACKED}) {
            FakeQueue queue = start(features);
            openFile(queue);
            assertThat(read(queue)).isEqualTo("contents");
            driver.close();
        }
    }

    @Test
    void forgetsWhatWasOpen_whenReset() throws IOException {
        FakeQueue queue = start(FakeDriver.ALL);
        openFile(queue);
        driver.transport.reset();
        driver.start();
        queue = driver.queue(0);
        ask(queue, VERSION, ROOM, "9P2000.L");
        ask(queue, ATTACH, 1, -1, "", "", 0);
        ask(queue, CLUNK, 1);
    }

    @Test
    void keepsWhatIsOpen_whenRestored() throws IOException {
        openFile(start(FakeDriver.ALL));
        DeviceState state = device.save();
        FakeDriver first = driver;
        Virtio9p other = new Virtio9p("p9", SharedFolder.open(host, false), "src");
        driver = new FakeDriver(other, FakeDriver.ALL);
        driver.start();
        other.restore(state);
        assertThat(read(driver.queue(0))).isEqualTo("contents");
        first.close();
    }

    /** Whatever the order in which the requests are answered. */
    @Test
    void answersAFlush_afterTheRequestThatItNames() throws IOException {
        FakeQueue queue = start(FakeDriver.ALL);
        openFile(queue);
        for (int round = 0; round < 100; round++) {
            List<Integer> tokens = new ArrayList<>();
            int pairs = 8;
            for (int i = 0; i < pairs; i++) {
                tokens.add(queue.add(List.of(message(READ, i, 1, 0L, 100)), ROOM));
                tokens.add(queue.add(List.of(message(FLUSH, 100 + i, (short) i)), 100));
            }
            queue.kick();
            List<Integer> done = new ArrayList<>();
            while (done.size() < 2 * pairs) {
                done.add(queue.await().token());
            }
            for (int i = 0; i < 2 * pairs; i += 2) {
                assertThat(done.indexOf(tokens.get(i)))
                        .as("round %d", round)
                        .isLessThan(done.indexOf(tokens.get(i + 1)));
            }
        }
    }

    @Test
    void answersEverything_whenFlushesNameEachOther() throws IOException {
        FakeQueue queue = start(FakeDriver.ALL);
        openFile(queue);
        int requests = 40;
        for (int round = 0; round < 100; round++) {
            for (int i = 0; i < requests; i++) {
                queue.add(List.of(message(FLUSH, i % 3, (short) ((i + 1) % 3))), 100);
            }
            queue.kick();
            for (int i = 0; i < requests; i++) {
                queue.await();
            }
        }
    }

    @Test
    void goesOn_whenARequestFlushesItselfOrHasNoRoomForAnAnswer() throws IOException {
        FakeQueue queue = start(FakeDriver.ALL);
        openFile(queue);
        assertThat(queue.request(List.of(message(FLUSH, 5, (short) 5)), 100).written())
                .isEqualTo(7);
        assertThat(queue.request(List.of(message(READ, 5, 1, 0L, 100)), 10).written()).isZero();
        assertThat(queue.request(List.of(new byte[3]), 100).written()).isEqualTo(11);
        assertThat(read(queue)).isEqualTo("contents");
        assertThat(driver.needsReset()).isFalse();
    }
}
