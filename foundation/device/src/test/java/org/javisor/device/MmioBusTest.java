package org.javisor.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MmioBusTest {
    private final MmioBus bus = new MmioBus();
    private final List<String> writes = new ArrayList<>();

    private MmioDevice device(int tag) {
        return new MmioDevice() {
            @Override
            public long readMmio(long offset, int size) {
                return size == 8 ? 0x8877665544332211L : tag | offset;
            }

            @Override
            public void writeMmio(long offset, int size, long value) {
                writes.add("%x:%d/%d=%x".formatted(tag, offset, size, value));
            }
        };
    }

    @Test
    void readsAllOnes_whenNobodyClaimsTheAddress() {
        bus.attach("io-apic", 0xfec00000L, 0x1000, device(0));
        assertThat(bus.read(0xfebfffffL, 1)).isEqualTo(0xff);
        assertThat(bus.read(0xfec01000L, 8)).isEqualTo(-1);
        assertThat(bus.read(-1L, 4)).isEqualTo(0xffffffffL);
        bus.write(-1L, 8, 0);
        assertThat(writes).isEmpty();
    }

    @Test
    void findsTheDevice_whenThereAreSeveral() {
        for (int i = 0; i < 9; i++) {
            bus.attach("device", 0xf000_0000L - i * 0x1000L, 0x1000, device(i << 4));
        }
        for (int i = 0; i < 9; i++) {
            assertThat(bus.read(0xf000_0000L - i * 0x1000L + 1, 1)).isEqualTo(i << 4 | 1);
        }
        assertThat(bus.read(0xf000_0ff8L, 8)).isEqualTo(0x8877665544332211L);
    }

    @Test
    void splitsIntoBytes_whenTheAccessCrossesARange() {
        bus.attach("low", 0x1000, 0x10, device(0x40));
        bus.attach("high", 0x1010, 0x10, device(0x80));
        assertThat(bus.read(0x100e, 4)).isEqualTo(0x81804f4eL);
        bus.write(0x100f, 2, 0xaabb);
        assertThat(writes).containsExactly("40:15/1=bb", "80:0/1=aa");
    }

    @Test
    void refuses_whenRangesOverlap() {
        bus.attach("first", 0x2000, 0x1000, device(0));
        assertThatThrownBy(() -> bus.attach("inside", 0x2800, 8, device(0)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("first");
        assertThatThrownBy(() -> bus.attach("around", 0x1000, 0x3000, device(0)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> bus.attach("wraps", -8, 16, device(0)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void keepsCounting_whenADeviceIsTakenOff() {
        bus.attach("gone", 0x2000, 0x1000, device(0));
        bus.read(0x2000, 4);
        bus.detach(0x2000);
        assertThat(bus.read(0x2000, 4)).isEqualTo(0xffffffffL);
        assertThat(bus.accesses()).containsExactly(java.util.Map.entry("gone", 1L));
    }
}
