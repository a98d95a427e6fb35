package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * How far a guest's clock has got in a time of the host's. The guest reads its clock at some moment
 * between the host's asking and the answer's arrival, so the host's time is known within limits,
 * and a busy host cannot make the comparison wrong.
 *
 * @param guest seconds by the guest's clock
 * @param least seconds of the host's that have passed at least
 * @param most seconds of the host's that can have passed
 */
record ClockComparison(double guest, double least, double most) {
    private record Reading(double guest, long asked, long answered) {}

    static ClockComparison overSeconds(DebianGuest guest, int seconds) throws InterruptedException {
        Reading first = read(guest);
        DebianGuest.Answer slept =
                guest.run("sleep " + seconds, DebianGuest.ANSWER.plusSeconds(seconds));
        assertThat(slept.status()).isZero();
        Reading second = read(guest);
        return new ClockComparison(
                second.guest() - first.guest(),
                (second.asked() - first.answered()) / 1e9,
                (second.answered() - first.asked()) / 1e9);
    }

    private static Reading read(DebianGuest guest) throws InterruptedException {
        long asked = System.nanoTime();
        String uptime = guest.run("read up idle </proc/uptime; echo $up").output();
        return new Reading(Double.parseDouble(uptime.strip()), asked, System.nanoTime());
    }

    /** The guest's clock shows hundredths of a second. */
    void assertWithin(double part) {
        assertThat(guest).isBetween(least * (1 - part) - 0.02, most * (1 + part) + 0.02);
    }
}
