package org.javisor.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class Atomic128Test {
    @BeforeEach
    void needsX86Linux() {
        assumeTrue(Atomic128.available(), "16-byte atomics are emitted for x86-64 Linux only");
    }

    @Test
    void exchanges_whenBothHalvesAreExpected() {
        try (HostMapping mapping = HostMapping.reserve(4096)) {
            long at = mapping.address() + 32;
            RawMemory.putLong(at, 1);
            RawMemory.putLong(at + 8, 2);
            Atomic128 atomic = new Atomic128();

            assertThat(atomic.compareAndExchange(at, 1, 3, 9, 9)).isFalse();
            assertThat(atomic.low()).isEqualTo(1);
            assertThat(atomic.high()).isEqualTo(2);
            assertThat(RawMemory.getLong(at)).isEqualTo(1);

            assertThat(atomic.compareAndExchange(at, 1, 2, -5, 7)).isTrue();
            assertThat(RawMemory.getLong(at)).isEqualTo(-5);
            assertThat(RawMemory.getLong(at + 8)).isEqualTo(7);
        }
    }

    @Test
    void losesNoIncrement_whenTwoThreadsContend() throws InterruptedException {
        int rounds = 200_000;
        try (HostMapping mapping = HostMapping.reserve(4096)) {
            Runnable incrementBoth =
                    () -> {
                        Atomic128 atomic = new Atomic128();
                        long low = 0;
                        long high = 0;
                        for (int done = 0; done < rounds; ) {
                            if (atomic.compareAndExchange(
                                    mapping.address(), low, high, low + 1, high - 1)) {
                                done++;
                            }
                            low = RawMemory.getLongVolatile(mapping.address());
                            high = -low;
                        }
                    };
            Thread other = new Thread(incrementBoth);
            other.start();
            incrementBoth.run();
            other.join();
            assertThat(RawMemory.getLong(mapping.address())).isEqualTo(2L * rounds);
            assertThat(RawMemory.getLong(mapping.address() + 8)).isEqualTo(-2L * rounds);
        }
    }
}
