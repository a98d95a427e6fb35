package org.javisor.chipset;

import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;

/**
 * The time registers of the MC146818 (data sheet, table 3 "Time, calendar and alarm data modes") as
 * seconds since 1970 and back, in BCD or binary, 12 or 24 hours.
 *
 * @param binary register B's DM
 * @param hours24 register B's 24/12
 */
record RtcCalendar(boolean binary, boolean hours24) {
    static final int SECONDS = 0;
    static final int MINUTES = 2;
    static final int HOURS = 4;
    static final int WEEKDAY = 6;
    static final int DAY = 7;
    static final int MONTH = 8;
    static final int YEAR = 9;

    /** Where PCs keep the century, as ACPI's FADT says. */
    static final int CENTURY = 0x32;

    private static final int AFTERNOON = 0x80;

    /** The years 0000 to 9999. */
    private static final long FIRST_SECOND = LocalDate.of(0, 1, 1).toEpochDay() * 86_400;

    private static final long LAST_SECOND = LocalDate.of(10_000, 1, 1).toEpochDay() * 86_400 - 1;

    /** Fills the time registers in. */
    void encode(long epochSecond, byte[] cmos) {
        long second = Math.clamp(epochSecond, FIRST_SECOND, LAST_SECOND);
        LocalDateTime time = LocalDateTime.ofEpochSecond(second, 0, ZoneOffset.UTC);
        cmos[SECONDS] = number(time.getSecond());
        cmos[MINUTES] = number(time.getMinute());
        cmos[HOURS] = hour(time.getHour());
        cmos[WEEKDAY] = number(time.getDayOfWeek().getValue() % 7 + 1);
        cmos[DAY] = number(time.getDayOfMonth());
        cmos[MONTH] = number(time.getMonthValue());
        cmos[YEAR] = number(time.getYear() % 100);
        cmos[CENTURY] = number(time.getYear() / 100);
    }

    /**
     * Reads the time registers; fields out of range carry into the next, as nothing else could be
     * meant.
     */
    long decode(byte[] cmos) {
        int year = value(cmos[CENTURY]) % 100 * 100 + value(cmos[YEAR]) % 100;
        LocalDate date =
                LocalDate.of(year, 1, 1)
                        .plusMonths(Math.max(value(cmos[MONTH]), 1) - 1)
                        .plusDays(Math.max(value(cmos[DAY]), 1) - 1);
        long second =
                date.toEpochDay() * 86_400
                        + hourValue(cmos[HOURS]) * 3600L
                        + value(cmos[MINUTES]) * 60L
                        + value(cmos[SECONDS]);
        return Math.clamp(second, FIRST_SECOND, LAST_SECOND);
    }

    /**
     * Whether the three alarm registers, each after its time register, name this second of the day.
     */
    boolean alarmMatches(long epochSecond, byte[] cmos) {
        int second = (int) Math.floorMod(epochSecond, 86_400L);
        return matches(cmos[SECONDS + 1], number(second % 60))
                && matches(cmos[MINUTES + 1], number(second / 60 % 60))
                && matches(cmos[HOURS + 1], hour(second / 3600));
    }

    /** C0h to FFh mean "any". */
    private static boolean matches(byte alarm, byte now) {
        return (alarm & 0xc0) == 0xc0 || alarm == now;
    }

    private byte number(int value) {
        return (byte) (binary ? value : value / 10 << 4 | value % 10);
    }

    private int value(int register) {
        int bits = register & 0xff;
        return binary ? bits : (bits >> 4) * 10 + (bits & 0xf);
    }

    private byte hour(int hour) {
        if (hours24) {
            return number(hour);
        }
        int twelve = hour % 12 == 0 ? 12 : hour % 12;
        return (byte) (number(twelve) | (hour >= 12 ? AFTERNOON : 0));
    }

    private int hourValue(int register) {
        if (hours24) {
            return value(register);
        }
        int twelve = value(register & 0x7f) % 12;
        return (register & AFTERNOON) != 0 ? twelve + 12 : twelve;
    }
}
