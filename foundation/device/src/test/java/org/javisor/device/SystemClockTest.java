package org.javisor.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class SystemClockTest {
    private static final Instant NOON = Instant.parse("2026-01-02T12:00:00Z");

    private final List<Throwable> failures = new CopyOnWriteArrayList<>();
    private final BlockingQueue<String> fired = new ArrayBlockingQueue<>(16);
    private final SystemClock clock = new SystemClock("clock", () -> NOON, failures::add);

    @AfterEach
    void close() {
        clock.close();
    }

    private String next() throws InterruptedException {
        return fired.poll(30, TimeUnit.SECONDS);
    }

    @Test
    void standsStill_whilePaused() {
        assertThat(clock.nanos()).isZero();
        clock.resume();
        clock.pause();
        long stopped = clock.nanos();
        assertThat(clock.nanos()).isEqualTo(stopped).isPositive();
        clock.resume();
        assertThat(clock.nanos()).isGreaterThanOrEqualTo(stopped);
        assertThat(clock.wallTime()).isEqualTo(NOON);
    }

    @Test
    void firesInOrderOfDeadlines_whenSeveralAreArmed() throws InterruptedException {
        clock.newAlarm(() -> fired.add("late")).arm(2_000_000);
        clock.newAlarm(() -> fired.add("early")).arm(1_000_000);
        clock.newAlarm(() -> fired.add("past")).arm(-5);
        assertThat(fired).isEmpty();
        clock.resume();
        assertThat(List.of(next(), next(), next())).containsExactly("past", "early", "late");
    }

    @Test
    void firesOnceAtTheNewDeadline_whenRearmed() throws InterruptedException {
        Clock.Alarm alarm = clock.newAlarm(() -> fired.add("alarm"));
        alarm.arm(Long.MAX_VALUE);
        clock.resume();
        alarm.arm(1_000_000);
        assertThat(next()).isEqualTo("alarm");
        clock.newAlarm(() -> fired.add("after")).arm(0);
        assertThat(next()).isEqualTo("after");
    }

    @Test
    void staysSilent_whenDisarmed() throws InterruptedException {
        Clock.Alarm alarm = clock.newAlarm(() -> fired.add("disarmed"));
        alarm.arm(0);
        alarm.disarm();
        clock.newAlarm(() -> fired.add("other")).arm(1);
        clock.resume();
        assertThat(next()).isEqualTo("other");
        assertThat(fired).isEmpty();
    }

    @Test
    void goesOn_whenAnActionThrows() throws InterruptedException {
        clock.newAlarm(
                        () -> {
                            throw new IllegalStateException("broken device");
                        })
                .arm(0);
        clock.newAlarm(() -> fired.add("next")).arm(1);
        clock.resume();
        assertThat(next()).isEqualTo("next");
        assertThat(failures).singleElement().isInstanceOf(IllegalStateException.class);
    }

    @Test
    void mayRearmItself_whenItFires() throws InterruptedException {
        Clock.Alarm[] periodic = new Clock.Alarm[1];
        periodic[0] =
                clock.newAlarm(
                        () -> {
                            if (fired.offer("tick") && fired.size() < 3) {
                                periodic[0].arm(clock.nanos());
                            }
                        });
        periodic[0].arm(0);
        clock.resume();
        assertThat(List.of(next(), next(), next())).containsOnly("tick");
    }
}
