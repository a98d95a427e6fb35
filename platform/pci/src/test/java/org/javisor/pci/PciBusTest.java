package org.javisor.pci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class PciBusTest {
    private static final PciIdentity IDENTITY = PciIdentity.of(0x1234, 0x5678, 0);

    private final TestBoard board = new TestBoard();

    private void plug(int device, String name, long size) {
        PciFunction function =
                PciFunction.builder(name, IDENTITY)
                        .bar(0, Bar.memory32(size, new TestBoard.Registers(name)))
                        .build();
        board.bus.plug(new PciAddress(device, 0), function);
        board.write(device, 4, 2, 2);
    }

    private long at(long address) {
        return board.memory.read(address, 1);
    }

    @Test
    void givesTheLowerDeviceThePlace_whenTwoClaimIt() {
        plug(1, "a", 0x1000);
        plug(2, "b", 0x2000);
        board.write(2, 0x10, 4, 0xc000_0000);
        assertThat(at(0xc000_1000L)).isEqualTo('b');
        board.write(1, 0x10, 4, 0xc000_1000);
        assertThat(at(0xc000_1000L)).isEqualTo('a');
        // The loser does not answer beside the winner either.
        assertThat(at(0xc000_0000L)).isEqualTo(0xff);
        board.write(1, 0x10, 4, 0xd000_0000);
        assertThat(at(0xc000_0000L)).isEqualTo('b');
        assertThat(at(0xd000_0000L)).isEqualTo('a');
    }

    @Test
    void givesTheChipThePlace_whenABarIsMovedOntoIt() {
        plug(1, "a", 0x20_0000);
        plug(2, "b", 0x1000);
        board.write(2, 0x10, 4, 0xe010_0000);
        board.write(1, 0x10, 4, (int) TestBoard.ECAM);
        assertThat(board.read(1, 0, 4)).isEqualTo(0x5678_1234);
        // The one that the chip keeps out keeps nobody out in turn.
        assertThat(at(0xe010_0000L)).isEqualTo('b');
        board.write(1, 0x10, 4, 0xc000_0000);
        assertThat(at(0xc000_0000L)).isEqualTo('a');
    }

    @Test
    void choosesAFreeSlot_whenNoneIsNamed() {
        board.bus.plug(HostBridge.ADDRESS, HostBridge.create());
        plug(1, "a", 0x1000);
        PciFunction other = PciFunction.builder("other", IDENTITY).build();
        assertThat(board.bus.plug(other)).isEqualTo(new PciAddress(2, 0));
        assertThat(board.read(0, 8, 4)).isEqualTo(0x0600_0000);
        assertThatThrownBy(() -> board.bus.plug(new PciAddress(1, 0), other))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("00:01.0 belongs to a");
        assertThatThrownBy(() -> board.bus.unplug(new PciAddress(7, 0)))
                .isInstanceOf(IllegalStateException.class);
        assertThat(board.bus.functions().keySet())
                .containsExactly(new PciAddress(0, 0), new PciAddress(1, 0), new PciAddress(2, 0));
        for (int device = 3; device < 32; device++) {
            board.bus.plug(PciFunction.builder("more", IDENTITY).build());
        }
        assertThatThrownBy(() -> board.bus.plug(other)).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void reachesConfigurationSpace_whenTheLegacyPortsAreUsed() {
        plug(1, "a", 0x1000);
        board.ports.write(0xcf8, 4, 0x8000_0800);
        assertThat(board.ports.read(0xcf8, 4)).isEqualTo(0x8000_0800);
        assertThat(board.ports.read(0xcfc, 4)).isEqualTo(0x5678_1234);
        assertThat(board.ports.read(0xcfe, 2)).isEqualTo(0x5678);
        assertThat(board.ports.read(0xcfd, 2)).isEqualTo(0x7812);
        assertThat(board.ports.read(0xcff, 1)).isEqualTo(0x56);
        board.ports.write(0xcf8, 4, 0xffff_ffff);
        assertThat(board.ports.read(0xcf8, 4)).isEqualTo(0x80ff_fffc);
        assertThat(board.ports.read(0xcfc, 4)).isEqualTo(-1);
        board.ports.write(0xcf8, 4, 0x0000_0800);
        assertThat(board.ports.read(0xcfc, 2)).isEqualTo(0xffff);
        board.ports.write(0xcf8, 4, 0x8000_0810);
        board.ports.write(0xcfd, 1, 0x70);
        assertThat(board.read(1, 0x10, 4)).isEqualTo(0x7000);
        board.configuration.restore(new ConfigurationPorts.State(1, 0x8000_0800));
        assertThat(board.configuration.save().address()).isEqualTo(0x8000_0800);
        board.configuration.reset();
        assertThat(board.ports.read(0xcfc, 4)).isEqualTo(-1);
    }

    @Test
    void leavesNarrowAccessesToTheOtherDevice_whenTheyMeetTheAddressRegister() {
        assertThat(board.ports.read(0xcf9, 1)).isEqualTo('o' + 1);
        board.ports.write(0xcf9, 1, 6);
        board.ports.write(0xcf8, 2, 7);
        assertThat(board.others.writes).containsExactly("1.1=6", "0.2=7");
        assertThat(board.ports.read(0xcf8, 4)).isZero();
        assertThat(board.ports.read(0xcfa, 4)).isEqualTo(-1);
    }
}
