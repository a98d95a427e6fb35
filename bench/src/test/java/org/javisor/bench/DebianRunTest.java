package org.javisor.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class DebianRunTest {
    @Test
    void guestKnowsEveryTask() {
        String loop = new String(GuestSources.file("debian/loop"), StandardCharsets.UTF_8);

        assertThat(DebianRun.TASKS)
                .allSatisfy(task -> assertThat(loop).contains("do_" + task + "()"));
    }

    @Test
    void givesTheCompilerOnlyWhatItCanCompile() {
        assertThat(GuestSources.compiledInGuests())
                .contains("bench.h", "lz.c")
                .doesNotContain("aes.c")
                .allSatisfy(name -> assertThat(GuestSources.file(name)).isNotEmpty());
    }
}
