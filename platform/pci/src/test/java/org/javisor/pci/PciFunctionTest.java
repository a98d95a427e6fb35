package org.javisor.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PciFunctionTest {
    private static final PciIdentity IDENTITY =
            PciIdentity.of(0x1234, 0x5678, 0x020304).withRevision(9).withSubsystem(0xaaaa, 0xbbbb);

    private final TestBoard board = new TestBoard();
    private final TestBoard.Registers registers = new TestBoard.Registers("r");
    private final TestBoard.Registers wide = new TestBoard.Registers("w");
    private final TestBoard.Registers ports = new TestBoard.Registers("p");
    private final List<String> events = new ArrayList<>();

    private final PciFunction function =
            PciFunction.builder("test", IDENTITY)
                    .bar(0, Bar.memory32(0x1000, registers))
                    .bar(1, Bar.memory64(0x10_0000, true, wide))
                    .bar(3, Bar.io(0x20, ports))
                    .interruptPin(1)
                    .pciExpress()
                    .onReset(() -> events.add("reset"))
                    .build();

    private void plug() {
        board.bus.plug(new PciAddress(2, 0), function);
    }

    @Test
    void showsItsIdentity_whenReadInAnySize() {
        plug();
        assertThat(board.read(2, 0, 4)).isEqualTo(0x5678_1234);
        assertThat(board.read(2, 2, 2)).isEqualTo(0x5678);
        assertThat(board.read(2, 1, 1)).isEqualTo(0x12);
        assertThat(board.read(2, 8, 4)).isEqualTo(0x0203_0409);
        assertThat(board.read(2, 0x2c, 4)).isEqualTo(0xbbbb_aaaa);
        assertThat(board.read(2, 0x3d, 1)).isEqualTo(1);
        assertThat(board.read(2, 0x0e, 1)).isZero();
        assertThat(board.memory.read(TestBoard.ECAM + (2 << 15), 8))
                .isEqualTo(0x0010_0000_5678_1234L);
        assertThat(board.read(2, 1, 2)).isEqualTo(0x7812);
        assertThat(board.read(2, 3, 2)).isEqualTo(0x56);
        assertThat(board.read(2, 0x100, 4)).isZero();
        assertThat(board.read(3, 0, 4)).isEqualTo(-1);
        assertThat(board.read(2, 0x1000, 2)).isEqualTo(0xffff);
    }

    @Test
    void keepsItsIdentity_whenWritten() {
        plug();
        for (int offset = 0; offset < 0x40; offset += 4) {
            if (offset < 4 || offset == 8 || offset == 0x2c || offset > 0x24 && offset < 0x3c) {
                int before = board.read(2, offset, 4);
                board.write(2, offset, 4, ~before);
                assertThat(board.read(2, offset, 4)).as("%x", offset).isEqualTo(before);
            }
        }
    }

    @Test
    void tellsTheSizesOfItsBars_whenAllOnesAreWritten() {
        plug();
        for (int bar = 0; bar < 6; bar++) {
            board.write(2, 0x10 + 4 * bar, 4, -1);
        }
        assertThat(board.read(2, 0x10, 4)).isEqualTo(0xffff_f000);
        assertThat(board.read(2, 0x14, 4)).isEqualTo(0xfff0_000c);
        assertThat(board.read(2, 0x18, 4)).isEqualTo(0xffff_ffff);
        assertThat(board.read(2, 0x1c, 4)).isEqualTo(0xffff_ffe1);
        assertThat(board.read(2, 0x20, 4)).isZero();
        assertThat(board.read(2, 0x30, 4)).isZero();
    }

    @Test
    void answersAtItsBars_whenDecodingIsOn() {
        plug();
        board.write(2, 0x10, 4, 0xc000_0000);
        board.write(2, 0x14, 4, 0x0020_0000);
        board.write(2, 0x18, 4, 0x8);
        board.write(2, 0x1c, 4, 0xc020);
        assertThat(board.memory.read(0xc000_0000L, 1)).isEqualTo(0xff);
        board.write(2, 4, 2, 2);
        assertThat(board.memory.read(0xc000_0fffL, 1)).isEqualTo('r' + 0xfff & 0xff);
        assertThat(board.memory.read(0xc000_1000L, 1)).isEqualTo(0xff);
        assertThat(board.memory.read(0x8_0020_0001L, 1)).isEqualTo('w' + 1);
        assertThat(board.ports.read(0xc020, 1)).isEqualTo(0xff);
        board.write(2, 4, 2, 1);
        assertThat(board.ports.read(0xc03f, 1)).isEqualTo('p' + 0x1f);
        assertThat(board.memory.read(0xc000_0000L, 1)).isEqualTo(0xff);
        assertThat(board.memory.read(0x8_0020_0000L, 1)).isEqualTo(0xff);
    }

    @Test
    void followsItsBars_whenTheyMove() {
        plug();
        board.write(2, 4, 2, 3);
        board.write(2, 0x10, 4, 0xc000_0000);
        board.write(2, 0x10, 4, 0xd000_0000);
        assertThat(board.memory.read(0xc000_0000L, 1)).isEqualTo(0xff);
        board.memory.write(0xd000_0010L, 4, 0x77);
        assertThat(registers.writes).containsExactly("10.4=77");
        board.write(2, 0x11, 1, 0x10);
        assertThat(board.memory.read(0xd000_1000L, 1)).isEqualTo('r');
        board.write(2, 0x1c, 4, 0x1_0000);
        board.write(2, 0x10, 4, 0);
        assertThat(board.memory.accesses()).doesNotContainKey("none");
        assertThat(board.memory.read(0xd000_1000L, 1)).isEqualTo(0xff);
        assertThat(board.ports.read(0, 1)).isEqualTo(0xff);
    }

    @Test
    void answersNoMore_whenUnplugged() {
        plug();
        board.write(2, 0x10, 4, 0xc000_0000);
        board.write(2, 4, 2, 2);
        function.intx().drive(true);
        assertThat(board.lines[2]).isTrue();
        board.bus.unplug(new PciAddress(2, 0));
        assertThat(board.memory.read(0xc000_0000L, 1)).isEqualTo(0xff);
        assertThat(board.read(2, 0, 4)).isEqualTo(-1);
        assertThat(board.lines[2]).isFalse();
        plug();
        assertThat(board.memory.read(0xc000_0000L, 1)).isEqualTo('r');
        assertThat(board.lines[2]).isTrue();
    }

    @Test
    void drivesItsLine_untilTheGuestDisablesIt() {
        plug();
        function.intx().drive(true);
        assertThat(board.lines).containsExactly(false, false, true, false);
        assertThat(board.read(2, 6, 2) & 8).isEqualTo(8);
        board.write(2, 4, 2, 0x400);
        assertThat(board.lines[2]).isFalse();
        assertThat(board.read(2, 4, 4)).isEqualTo(0x0018_0400);
        board.write(2, 4, 2, 0);
        assertThat(board.lines[2]).isTrue();
        function.intx().drive(false);
        assertThat(board.lines[2]).isFalse();
        assertThat(board.read(2, 6, 2) & 8).isZero();
    }

    @Test
    void keepsASharedLineHigh_untilNobodyDrivesIt() {
        plug();
        PciFunction other = PciFunction.builder("other", IDENTITY).interruptPin(1).build();
        board.bus.plug(new PciAddress(6, 0), other);
        function.intx().drive(true);
        other.intx().drive(true);
        function.intx().drive(false);
        assertThat(board.lines[2]).isTrue();
        other.intx().drive(false);
        assertThat(board.lines[2]).isFalse();
    }

    @Test
    void isBusMaster_whenTheGuestSaysSo() {
        plug();
        assertThat(function.busMaster()).isFalse();
        board.write(2, 4, 1, 4);
        assertThat(function.busMaster()).isTrue();
        board.write(2, 4, 1, 0);
        assertThat(function.busMaster()).isFalse();
    }

    @Test
    void startsAfresh_whenTheGuestResetsTheFunction() {
        plug();
        int express = board.capability(2, PciCapability.PCI_EXPRESS);
        assertThat(board.read(2, express + 2, 2)).isEqualTo(0x92);
        board.write(2, 0x10, 4, 0xc000_0000);
        board.write(2, 4, 2, 7);
        function.intx().drive(true);
        board.write(2, express + 8, 2, 0x2010);
        assertThat(events).isEmpty();
        board.write(2, express + 8, 2, 0xa010);
        assertThat(events).containsExactly("reset");
        assertThat(board.read(2, 4, 2)).isZero();
        assertThat(board.read(2, 0x10, 4)).isZero();
        assertThat(board.memory.read(0xc000_0000L, 1)).isEqualTo(0xff);
        assertThat(board.lines[2]).isFalse();
        assertThat(board.read(2, express + 8, 2)).isEqualTo(0x2000);
        board.write(2, express + 9, 1, 0x80);
        assertThat(events).hasSize(2);
    }

    @Test
    void saysThatThereAreSeveral_whenADeviceHasMoreFunctions() {
        plug();
        PciFunction second = PciFunction.builder("second", IDENTITY).build();
        board.bus.plug(new PciAddress(2, 3), second);
        assertThat(board.read(2, 0x0c, 4)).isEqualTo(0x80_0000);
        assertThat(board.read(2, 0x3000, 4)).isEqualTo(0x5678_1234);
        board.bus.unplug(new PciAddress(2, 3));
        assertThat(board.read(2, 0x0e, 1)).isZero();
    }

    @Test
    void continuesWhereItWas_whenRestored() {
        plug();
        board.write(2, 0x10, 4, 0xc000_0000);
        board.write(2, 0x18, 4, 0x9);
        board.write(2, 4, 2, 0x407);
        function.intx().drive(true);
        PciFunctionState state = function.save();
        function.reset();
        byte[] forged = state.configuration().clone();
        forged[0] = 0x55;
        function.restore(new PciFunctionState(1, forged, true, 0, new int[0], new long[0]));
        assertThat(board.memory.read(0xc000_0000L, 1)).isEqualTo('r');
        assertThat(board.memory.read(0x9_0000_0000L, 1)).isEqualTo('w');
        assertThat(board.read(2, 0, 4)).isEqualTo(0x5678_1234);
        assertThat(function.busMaster()).isTrue();
        assertThat(board.lines[2]).isFalse();
        board.write(2, 4, 2, 7);
        assertThat(board.lines[2]).isTrue();
        assertThat(function.save().configuration()[4]).isEqualTo((byte) 7);
    }

    @Test
    void isRefused_whenItsBarsOverlap() {
        assertThatThrownBy(
                        () ->
                                PciFunction.builder("bad", IDENTITY)
                                        .bar(1, Bar.memory64(0x1000, false, wide))
                                        .bar(2, Bar.io(8, ports))
                                        .build())
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(
                        () ->
                                PciFunction.builder("bad", IDENTITY)
                                        .bar(5, Bar.memory64(0x1000, false, wide))
                                        .build())
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> Bar.memory32(0x1800, registers))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
