package org.javisor.pci;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PciFirmwareTest {
    private static final PciIdentity IDENTITY = PciIdentity.of(0x1234, 0x5678, 0);
    private static final long GIB = 1L << 30;
    private static final List<Integer> INTERRUPTS = List.of(10, 11, 10, 11);

    private final TestBoard board = new TestBoard();
    private final TestBoard.Registers registers = new TestBoard.Registers("r");
    private final PciWindows windows = PciWindows.above(GIB);

    private PciAddress plug(Bar... bars) {
        PciFunction.Builder builder = PciFunction.builder("f", IDENTITY).interruptPin(1);
        int index = 0;
        for (Bar bar : bars) {
            builder.bar(index, bar);
            index += bar.wide() ? 2 : 1;
        }
        return board.bus.plug(builder.build());
    }

    private long bar(PciAddress address, int index) {
        return board.read(address.device(), 0x10 + 4 * index, 4) & 0xffff_ffffL;
    }

    @Test
    void placesEveryBarInItsWindow_alignedAndApart() {
        List<long[]> ranges = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            PciAddress at =
                    plug(
                            Bar.memory32(0x1000L << i, registers),
                            Bar.memory64(0x10_0000, true, registers),
                            Bar.memory64(0x4000, false, registers),
                            Bar.io(8 << i % 5, registers));
            ranges.add(new long[] {at.device(), i});
        }
        PciFirmware.configure(board.bus, windows, INTERRUPTS);
        List<long[]> taken = new ArrayList<>();
        for (long[] range : ranges) {
            PciAddress at = new PciAddress((int) range[0], 0);
            int i = (int) range[1];
            check(windows.low(), bar(at, 0), 0x1000L << i, taken);
            check(windows.high(), bar(at, 1) & -16 | bar(at, 2) << 32, 0x10_0000, taken);
            check(windows.low(), bar(at, 3) & -16 | bar(at, 4) << 32, 0x4000, taken);
            check(windows.ports(), bar(at, 5) & -4, 8 << i % 5, taken);
            assertThat(board.read(at.device(), 4, 2)).isEqualTo(3);
            assertThat(board.read(at.device(), 0x3c, 1)).isEqualTo(INTERRUPTS.get(at.device() % 4));
            assertThat(board.memory.read(bar(at, 0), 1)).isEqualTo('r');
        }
    }

    private static void check(PciWindows.Range window, long base, long size, List<long[]> taken) {
        assertThat(base % size).isZero();
        assertThat(base).isBetween(window.base(), window.end() - size);
        for (long[] other : taken) {
            assertThat(base + size <= other[0] || other[0] + other[1] <= base).isTrue();
        }
        taken.add(new long[] {base, size});
    }

    @Test
    void leavesABarWithoutAddress_whenThereIsNoRoom() {
        PciAddress first = plug(Bar.memory32(GIB / 2, registers));
        PciAddress second = plug(Bar.memory32(GIB / 2, registers));
        PciAddress wide = plug(Bar.memory64(GIB / 2, false, registers));
        PciFirmware.configure(board.bus, windows, INTERRUPTS);
        assertThat(bar(first, 0)).isEqualTo(3 * GIB);
        assertThat(bar(second, 0)).isZero();
        assertThat(bar(wide, 0) & -16 | bar(wide, 1) << 32)
                .as("above 4 GiB instead")
                .isEqualTo(32 * GIB);
    }

    @Test
    void keepsTheHighWindowAboveRam_howeverMuchThereIs() {
        assertThat(PciWindows.above(GIB).high().base()).isEqualTo(32 * GIB);
        assertThat(PciWindows.above(32 * GIB).high().base()).isEqualTo(32 * GIB);
        assertThat(PciWindows.above(32 * GIB + 1).high().base()).isEqualTo(64 * GIB);
        assertThat(PciWindows.above(1000 * GIB).high().base()).isEqualTo(1024 * GIB);
    }
}
