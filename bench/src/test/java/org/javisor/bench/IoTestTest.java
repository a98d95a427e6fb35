package org.javisor.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class IoTestTest {
    private static final IoTest SEQUENTIAL = IoTest.repeated().getFirst();
    private static final IoTest PING = IoTest.repeated().getLast();

    @Test
    void unitsAreMebibytes_whenBytesAreMoved() throws SampleException {
        assertThat(SEQUENTIAL.units("io 3 3145728 1000")).isEqualTo(3);
        assertThat(IoTest.nanos("io 3 3145728 1000")).isEqualTo(1000);
    }

    @Test
    void unitsAreOperations_whenLatencyIsMeant() throws SampleException {
        assertThat(PING.units("io 200 12800 1000")).isEqualTo(200);
    }

    @Test
    void answersAreRefused_whenTheyAreNoResults() {
        for (String answer : new String[] {"", "io 1 2", "a request: EIO", "io 0 0 5"}) {
            assertThatThrownBy(() -> PING.units(answer)).isInstanceOf(SampleException.class);
        }
    }

    @Test
    void commandsHaveNoPlaceholders_whenTheyAreSent() {
        assertThat(Stream.concat(IoTest.first().stream(), IoTest.repeated().stream()))
                .allSatisfy(
                        test ->
                                assertThat(test.command(4711, 300))
                                        .doesNotContain("PORT", "MS")
                                        .matches("[a-z0-9./ ]+"));
    }
}
