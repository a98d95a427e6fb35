package org.javisor.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ConsoleTailTest {
    private final ConsoleTail tail = new ConsoleTail();

    private ConsoleTail.Event print(String text) {
        ConsoleTail.Event last = ConsoleTail.Event.NOTHING;
        for (byte b : text.getBytes(StandardCharsets.ISO_8859_1)) {
            last = tail.add(b);
        }
        return last;
    }

    @Test
    void keepsTheLastLines_whenThereAreMany() {
        for (int i = 0; i < 250; i++) {
            print("line " + i + "\r\n");
        }
        assertThat(tail.lines()).hasSize(ConsoleTail.LINES).endsWith("line 249");
    }

    @Test
    void leavesOutEscapesAndControlCharacters() {
        print("\u001b[1;31mred\u001b[0m \u001b]0;title\u0007on\tX\bY\u0000\u009b\n");
        assertThat(tail.lines()).containsExactly("red on Y?");
    }

    @Test
    void showsTheLastState_whenALineIsOverwritten() {
        print("10 %\r20 %\r\n$ ");
        assertThat(tail.lines()).containsExactly("20 %", "$");
    }

    @Test
    void staysBounded_whenAGuestFloodsIt() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        byte[] bytes = new byte[1 << 20];
        random.nextBytes(bytes);
        for (byte b : bytes) {
            tail.add(b);
        }
        print("x".repeat(100_000));
        assertThat(tail.lines().size()).isLessThanOrEqualTo(ConsoleTail.LINES + 1);
        assertThat(tail.lines())
                .as("seed %d", seed)
                .allMatch(line -> line.length() <= ConsoleTail.LINE_LENGTH)
                .allMatch(line -> line.chars().allMatch(c -> c >= 0x20 && c < 0x7f));
    }

    @Test
    void noticesAPanic_whenTheKernelReportsOne() {
        assertThat(print("[    1.2] Kernel panic - not syncing: why\r\n"))
                .isEqualTo(ConsoleTail.Event.PANIC_REPORTED);
        assertThat(tail.panic()).isEqualTo("Kernel panic - not syncing: why");
        assertThat(print("CPU: 0 PID: 1\n---[ end Kernel panic - not syncing: why ]---\n"))
                .isEqualTo(ConsoleTail.Event.PANIC_COMPLETE);
        assertThat(tail.silentSincePanic()).isTrue();
        print("$");
        assertThat(tail.silentSincePanic()).isFalse();
    }

    @Test
    void takesAPanicBack_whenTheKernelRestartsInOrder() {
        print("Kernel panic - not syncing: a text\n[  9.0] reboot: Restarting system\n");
        assertThat(tail.panic()).isEmpty();
        assertThat(tail.restartAnnounced()).isTrue();
        tail.newBoot();
        assertThat(tail.restartAnnounced()).isFalse();
    }
}
