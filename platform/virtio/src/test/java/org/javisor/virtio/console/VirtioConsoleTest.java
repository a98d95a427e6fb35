package org.javisor.virtio.console;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.javisor.virtio.FakeDriver;
import org.javisor.virtio.FakeQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class VirtioConsoleTest {
    private final StringBuffer console = new StringBuffer();
    private final StringBuffer other = new StringBuffer();
    private final ConsolePort first = new ConsolePort("", append(console));
    private final ConsolePort second = new ConsolePort("org.test", append(other));
    private final VirtioConsole device = new VirtioConsole("console", List.of(first, second));
    private FakeDriver driver;

    private static ConsolePort.Sink append(StringBuffer to) {
        return (data, offset, length) ->
                to.append(new String(data, offset, length, StandardCharsets.US_ASCII));
    }

    private void start(long features) {
        driver = new FakeDriver(device, features);
        driver.start();
    }

    @AfterEach
    void close() {
        driver.close();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] control(int port, int event, int value) {
        return ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(port)
                .putShort((short) event)
                .putShort((short) value)
                .array();
    }

    private void tell(int port, int event, int value) {
        driver.queue(3).request(List.of(control(port, event, value)));
    }

    private String hear() {
        FakeQueue queue = driver.queue(2);
        queue.add(List.of(), 40);
        queue.kick();
        FakeQueue.Used used = queue.await();
        ByteBuffer message = ByteBuffer.wrap(used.content()).order(ByteOrder.LITTLE_ENDIAN);
        String head = message.getInt() + " " + message.getShort() + " " + message.getShort();
        return used.written() == 8
                ? head
                : head
                        + new String(
                                used.content(), 8, used.written() - 8, StandardCharsets.US_ASCII);
    }

    @Test
    void bytesGoBothWays_withoutPorts() throws InterruptedException {
        start(FakeDriver.ALL & ~2L);
        driver.queue(1).request(List.of(bytes("hello "), bytes("world")));
        assertThat(console.toString()).isEqualTo("hello world");
        first.send(bytes("0123456789"));
        FakeQueue input = driver.queue(0);
        assertThat(new String(input.request(List.of(), 4, 3).content(), StandardCharsets.US_ASCII))
                .isEqualTo("0123456");
        FakeQueue.Used rest = input.request(List.of(), 16);
        assertThat(rest.written()).isEqualTo(3);
        assertThat(first.guestOpen()).isTrue();
    }

    @Test
    void portsAreAnnounced_whenTheDriverKnowsThem() throws InterruptedException {
        start(FakeDriver.ALL);
        assertThat(driver.config(4, 4)).isEqualTo(2);
        device.resize(80, 25);
        assertThat(driver.config(0, 4)).isEqualTo(25 << 16 | 80);
        tell(0, 0, 1);
        assertThat(hear()).isEqualTo("0 1 1");
        assertThat(hear()).isEqualTo("1 1 1");
        tell(0, 3, 1);
        assertThat(hear()).isEqualTo("0 4 1");
        assertThat(hear()).isEqualTo("0 5 0P\0\u0019\0");
        assertThat(hear()).isEqualTo("0 6 1");
        second.send(bytes("early"));
        tell(1, 3, 1);
        assertThat(hear()).isEqualTo("1 7 1org.test");
        assertThat(hear()).isEqualTo("1 6 1");
        tell(1, 6, 1);
        assertThat(second.guestOpen()).isTrue();
        driver.queue(5).request(List.of(bytes("to the host")));
        assertThat(other.toString()).isEqualTo("to the host");
        assertThat(driver.queue(4).request(List.of(), 5).content()).isEqualTo(bytes("early"));
        tell(1, 6, 0);
        assertThat(second.guestOpen()).isFalse();
        assertThat(console.toString()).isEmpty();
    }

    @Test
    void answersStayBounded_whenTheGuestDoesNotReadThem() {
        start(FakeDriver.ALL);
        FakeQueue queue = driver.queue(3);
        int added = 0;
        for (int round = 0; round < 40; round++) {
            while (queue.room() > 0) {
                queue.add(List.of(control(0, 0, 1)));
                added++;
            }
            queue.kick();
            driver.transport.save();
            while (queue.poll().isPresent()) {
                added--;
            }
        }
        assertThat(added).isEqualTo(64);
        assertThat(hear()).isEqualTo("0 1 1");
        for (int i = 0; i < 200; i++) {
            hear();
        }
        assertThat(queue.await().written()).isZero();
        tellNonsense();
    }

    private void tellNonsense() {
        driver.start();
        tell(7, 3, 1);
        tell(-1, 6, 1);
        tell(0, 99, 1);
        driver.queue(3).request(List.of(new byte[3]));
        driver.queue(3).request(List.of(), 8);
    }
}
