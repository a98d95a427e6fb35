package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.javisor.testkit.GuestCode;
import org.javisor.testkit.SmallGuest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PerfMapTest {
    @TempDir Path directory;

    @Test
    void blocks_areListedWithTheGuestsAddressAndMode() throws IOException {
        Path file = PerfMap.usualFile();
        Files.deleteIfExists(file);
        try (SmallGuest guest =
                new SmallGuest(
                        new TranslatorHypervisor(TranslatorOptions.DEFAULT.withPerfMap(true)))) {
            guest.run(GuestCode.at(SmallGuest.CODE).mov32(0, 1).end());
            guest.runUser(GuestCode.at(SmallGuest.USER).mov32(0, 1).hex("0f0b"));
        }
        try {
            assertThat(Files.readAllLines(file))
                    .allMatch(line -> line.matches("[0-9a-f]+ [0-9a-f]+ \\S+"))
                    .anyMatch(line -> line.endsWith(" javisor-renew-slot"))
                    .anyMatch(line -> line.endsWith(" guest-kernel-10000"))
                    .anyMatch(line -> line.endsWith(" guest-user-30000"));
        } finally {
            Files.delete(file);
        }
    }

    @Test
    void fileThatCannotBeWritten_isTold() {
        Path file = directory.resolve("missing").resolve("perf.map");
        assertThatThrownBy(() -> PerfMap.open(file)).hasMessageContaining("Cannot write " + file);
    }
}
