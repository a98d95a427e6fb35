package org.javisor.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PioBusTest {
    private final PioBus bus = new PioBus();

    /** Answers with its tag and the offset; remembers writes. */
    private static final class Recorder implements PioDevice {
        final int tag;
        final List<String> writes = new ArrayList<>();

        Recorder(int tag) {
            this.tag = tag;
        }

        @Override
        public int readPort(int offset, int size) {
            return size == 1 ? tag | offset : 0x1000_0000 | offset;
        }

        @Override
        public void writePort(int offset, int size, int value) {
            writes.add("%d/%d=%x".formatted(offset, size, value));
        }
    }

    @Test
    void readsAllOnes_whenNobodyClaimsThePort() {
        assertThat(bus.read(0x80, 1)).isEqualTo(0xff);
        assertThat(bus.read(0x80, 2)).isEqualTo(0xffff);
        assertThat(bus.read(0xfffe, 4)).isEqualTo(-1);
        bus.write(0xffff, 4, 1);
    }

    @Test
    void passesOffsetAndSize_whenTheAccessFits() {
        Recorder device = new Recorder(0x50);
        bus.attach("device", 0xff, 4, device);
        assertThat(bus.read(0x101, 1)).isEqualTo(0x52);
        assertThat(bus.read(0xff, 4)).isEqualTo(0x1000_0000);
        bus.write(0x100, 2, 0xabcd);
        assertThat(device.writes).containsExactly("1/2=abcd");
    }

    @Test
    void splitsIntoBytes_whenTheAccessCrossesARange() {
        Recorder low = new Recorder(0x10);
        Recorder high = new Recorder(0x20);
        bus.attach("low", 0x60, 1, low);
        bus.attach("high", 0x62, 1, high);
        assertThat(bus.read(0x60, 4)).isEqualTo(0xff20ff10);
        bus.write(0x60, 4, 0x44332211);
        assertThat(low.writes).containsExactly("0/1=11");
        assertThat(high.writes).containsExactly("0/1=33");
    }

    @Test
    void refuses_whenRangesOverlapOrLeaveTheSpace() {
        bus.attach("first", 0x3f8, 8, new Recorder(0));
        assertThatThrownBy(() -> bus.attach("second", 0x3f0, 9, new Recorder(0)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("0x3f8 already belongs to first");
        assertThatThrownBy(() -> bus.attach("third", 0xfff9, 8, new Recorder(0)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> bus.detach(0x3f9)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void keepsCounting_whenADeviceMoves() {
        bus.attach("uart", 0x3f8, 8, new Recorder(0));
        bus.read(0x3f8, 1);
        bus.detach(0x3f8);
        assertThat(bus.read(0x3f8, 1)).isEqualTo(0xff);
        bus.attach("uart", 0x2f8, 8, new Recorder(0));
        bus.write(0x2f9, 1, 0);
        assertThat(bus.accesses()).containsExactly(java.util.Map.entry("uart", 2L));
    }
}
