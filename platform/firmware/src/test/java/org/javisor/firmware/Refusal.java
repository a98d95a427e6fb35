package org.javisor.firmware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** What every refusal has in common: the right code, and one line that a person can read. */
final class Refusal {
    private Refusal() {}

    static void assertRefused(FirmwareException.Code code, String part, ThrowingCallable action) {
        assertThatThrownBy(action)
                .isInstanceOf(FirmwareException.class)
                .hasMessageContaining(part)
                .satisfies(
                        e -> {
                            assertThat(((FirmwareException) e).code()).isEqualTo(code);
                            assertThat(e.getMessage()).doesNotContain("\n");
                        });
    }
}
