package org.javisor.guesttests;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.javisor.guesttests.DebianGuest.Kernel;
import org.javisor.image.CachedImage;
import org.javisor.machine.EndReason;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Debian's kernels, as bzImages, with other numbers of processors, sizes of memory and ways to use
 * the hardware: each boots without complaint, computes right, and switches itself off. Images that
 * have not been pulled are skipped.
 */
@Tag("slow")
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class KernelMatrixTest {
    /**
     * @param memory MiB
     * @param words as {@link Kernel#words}
     */
    record Case(String image, int cpus, int memory, String words) {
        @Override
        public String toString() {
            return "%s, %d processors, %d MiB, '%s'".formatted(image, cpus, memory, words);
        }
    }

    static List<Case> cases() {
        List<Case> cases = new ArrayList<>();
        for (String image :
                List.of("tiny", "tiny:generic", "tiny:bookworm", "tiny:bookworm-generic")) {
            for (int cpus : List.of(1, 2, 4)) {
                cases.add(new Case(image, cpus, 512, ""));
            }
        }
        for (int memory : List.of(128, 3072, 5120)) {
            cases.add(new Case("tiny", 1, memory, ""));
        }
        for (String words :
                List.of(
                        "-nokaslr -mitigations=off",
                        "nopv",
                        "nopv clocksource=acpi_pm",
                        "nopv tsc=unstable",
                        "nox2apic",
                        "lapic=notscdeadline",
                        "nolapic_timer",
                        "noapic",
                        "nohz=off highres=off")) {
            cases.add(new Case("tiny", 2, 512, words));
        }
        cases.add(new Case("tiny", 1, 512, "nolapic"));
        cases.add(new Case("tiny", 1, 512, "acpi=off"));
        return cases;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void bootsComputesAndSwitchesItselfOff(Case with) throws InterruptedException {
        CachedImage image = GuestImage.require(with.image());
        Kernel kernel = new Kernel(true, with.words(), true);
        try (DebianGuest guest =
                DebianGuest.start(
                        image,
                        kernel,
                        config -> config.cpus(with.cpus()).memory((long) with.memory() << 20))) {
            guest.awaitPrompt();
            // Modules are still being loaded; what they say is not the answer to a command.
            guest.run("dmesg -n 1");
            assertThat(guest.run("nproc").output()).isEqualTo(with.cpus() + "\n");
            assertThat(guest.run("seq 1 20000 | sha256sum").output())
                    .isEqualTo(DebianShellTest.SUM_OF_20000 + "  -\n");
            ClockComparison.overSeconds(guest, 3).assertWithin(0.01);
            // The words ask for what the kernel may well complain of.
            if (with.words().isEmpty()) {
                assertThat(guest.run("dmesg -r | grep '^<[0-4]>'").output()).isEmpty();
            }
            if (!with.words().contains("acpi=off")) {
                guest.type("poweroff\n");
                assertThat(guest.awaitEnd(Duration.ofMinutes(2)).reason())
                        .isEqualTo(EndReason.POWER_OFF);
            }
        }
    }
}
