package org.javisor.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KvmHostTest {
    @Test
    void missingDevice_isNamed(@TempDir Path directory) {
        assertThat(KvmHost.obstacle(directory.resolve("kvm")))
                .get()
                .asString()
                .contains("not there");
    }

    @Test
    void ticks_areExact_alsoForLongTimes() {
        assertThat(MachineTime.toTicks(1_000_000_000L, 2_596_154)).isEqualTo(2_596_154_000L);
        long year = 365L * 24 * 3600 * 1_000_000_000L;
        assertThat(MachineTime.toTicks(year, 2_596_154)).isEqualTo(year / 1_000_000 * 2_596_154);
    }

    @Test
    void speedOfHardware_isToldFromThatOfEmulation() {
        assertThat(new KernelSpeed(0.5).hardware()).isFalse();
        assertThat(new KernelSpeed(400).hardware()).isTrue();
    }
}
