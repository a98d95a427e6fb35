package org.javisor.bench;

import java.util.ArrayList;
import java.util.List;

/**
 * Something that a guest does with a disk or a network, and how it counts.
 *
 * @param row its name in the table
 * @param command for the guest's {@code io}; PORT and MS stand for the host's port and the time
 * @param unit what one of is timed
 */
record IoTest(String row, String command, Unit unit) {
    /** What is timed. */
    enum Unit {
        MEBIBYTE,
        OPERATION
    }

    /** The guests' disks, by the names that their driver gives them, and what they are. */
    private static final List<String> DISKS = List.of("vda raw", "vdb qcow2");

    /** Of a disk, each filled by itself: how long that takes varies most. */
    private static final int PARTS = 4;

    private static final int PINGS = 200;

    /** Written to each disk before anything else: the host's file grows meanwhile. */
    static List<IoTest> first() {
        List<IoTest> tests = new ArrayList<>();
        for (int part = 0; part < PARTS; part++) {
            for (String disk : DISKS) {
                String[] d = disk.split(" ");
                tests.add(
                        new IoTest(
                                d[1] + " fill",
                                "fill /dev/%s %d %d".formatted(d[0], part, PARTS),
                                Unit.MEBIBYTE));
            }
        }
        return tests;
    }

    /** What is done again and again. */
    static List<IoTest> repeated() {
        List<IoTest> tests = new ArrayList<>();
        for (String disk : DISKS) {
            String[] d = disk.split(" ");
            for (String way : List.of("read", "write")) {
                tests.add(
                        new IoTest(
                                "%s sequential %s, 1 MiB x 4".formatted(d[1], way),
                                "disk /dev/%s %s sequential 1048576 4 MS".formatted(d[0], way),
                                Unit.MEBIBYTE));
                for (int depth : new int[] {1, 32}) {
                    tests.add(
                            new IoTest(
                                    "%s random %s, 4 KiB x %d".formatted(d[1], way, depth),
                                    "disk /dev/%s %s random 4096 %d MS".formatted(d[0], way, depth),
                                    Unit.OPERATION));
                }
            }
        }
        tests.add(new IoTest("TCP to the host", "send 10.0.2.2 PORT MS", Unit.MEBIBYTE));
        tests.add(new IoTest("TCP from the host", "receive 10.0.2.2 PORT MS", Unit.MEBIBYTE));
        tests.add(new IoTest("TCP to a guest", "send 192.168.77.2 5001 MS", Unit.MEBIBYTE));
        tests.add(new IoTest("TCP from a guest", "receive 192.168.77.2 5001 MS", Unit.MEBIBYTE));
        tests.add(new IoTest("ping of the host", "ping 10.0.2.2 " + PINGS, Unit.OPERATION));
        tests.add(new IoTest("ping of a guest", "ping 192.168.77.2 " + PINGS, Unit.OPERATION));
        return tests;
    }

    /** What to send to the guest. */
    String command(int port, int milliseconds) {
        return command.replace("PORT", String.valueOf(port))
                .replace("MS", String.valueOf(milliseconds));
    }

    /**
     * How many units an answer is about.
     *
     * @param answer {@code io OPERATIONS BYTES NANOSECONDS}
     * @throws SampleException if it is none
     */
    double units(String answer) throws SampleException {
        return switch (unit) {
            case MEBIBYTE -> number(answer, 2) / (1 << 20);
            case OPERATION -> number(answer, 1);
        };
    }

    /** The guest's nanoseconds. */
    static double nanos(String answer) throws SampleException {
        return number(answer, 3);
    }

    private static double number(String answer, int index) throws SampleException {
        if (!answer.matches("io [1-9][0-9]{0,17} [1-9][0-9]{0,17} [1-9][0-9]{0,17}")) {
            throw new SampleException("not a result: " + Text.printable(answer));
        }
        return Double.parseDouble(answer.split(" ")[index]);
    }
}
