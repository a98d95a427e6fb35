package org.javisor.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class ResolutionTest {

    /** Each line: a name, a version, and the other fields after a semicolon each. */
    private static PackageUniverse universe(String... lines) throws IOException {
        StringBuilder index = new StringBuilder();
        for (String line : lines) {
            String[] parts = line.split(";");
            String[] words = parts[0].split(" ");
            index.append("Package: ").append(words[0]).append("\nVersion: ").append(words[1]);
            for (int i = 1; i < parts.length; i++) {
                index.append('\n').append(parts[i].strip());
            }
            index.append("\nDescription: text\n Depends: nothing\nFilename: pool/x.deb\nSize: 1\n")
                    .append("SHA256: ")
                    .append("0".repeat(64))
                    .append("\n\n");
        }
        return PackageUniverse.read(
                new ByteArrayInputStream(index.toString().getBytes(StandardCharsets.UTF_8)));
    }

    private static List<String> resolved(PackageUniverse universe, String... wanted) {
        return resolved(universe, Set.of(), wanted);
    }

    private static List<String> resolved(
            PackageUniverse universe, Set<String> excluded, String... wanted) {
        return Resolution.of(universe, List.of(wanted), excluded).stream()
                .map(DebianPackage::name)
                .toList();
    }

    @Test
    void dependenciesComeFirst_whenTheyAreNested() throws IOException {
        PackageUniverse universe =
                universe(
                        "top 1; Depends: middle (>= 2), other",
                        "middle 2; Pre-Depends: bottom",
                        "bottom 1",
                        "other 1",
                        "unrelated 1");
        assertThat(resolved(universe, "top"))
                .containsExactlyInAnyOrder("top", "middle", "bottom", "other")
                .containsSubsequence("bottom", "middle", "top")
                .containsSubsequence("other", "top");
    }

    @Test
    void allAreThere_whenDependenciesGoInCircles() throws IOException {
        PackageUniverse universe =
                universe("a 1; Depends: b", "b 1; Depends: c", "c 1; Depends: a, d", "d 1");
        assertThat(resolved(universe, "a")).containsExactlyInAnyOrder("a", "b", "c", "d");
    }

    @Test
    void aChosenAlternativeServes_whenItIsNotTheFirst() throws IOException {
        PackageUniverse universe =
                universe("top 1; Depends: first | second", "first 1", "second 1");
        assertThat(resolved(universe, "top", "second")).doesNotContain("first");
        assertThat(resolved(universe, "top")).contains("first").doesNotContain("second");
    }

    @Test
    void theNextAlternativeServes_whenTheFirstIsTooOldOrExcludedOrInConflict() throws IOException {
        PackageUniverse universe =
                universe(
                        "old 1; Depends: first (>= 2) | second",
                        "shut 1; Depends: third | second",
                        "war 1; Depends: fourth | second; Conflicts: fourth",
                        "first 1",
                        "second 1",
                        "third 1",
                        "fourth 1");
        assertThat(resolved(universe, "old")).containsExactly("second", "old");
        assertThat(resolved(universe, Set.of("third"), "shut")).containsExactly("second", "shut");
        assertThat(resolved(universe, "war")).containsExactly("second", "war");
    }

    @Test
    void aProviderServes_whenThePackageIsVirtual() throws IOException {
        PackageUniverse universe =
                universe(
                        "top 1; Depends: mail",
                        "versioned 1; Depends: abi (= 5)",
                        "extra-mailer 1; Provides: mail; Priority: optional",
                        "usual-mailer 1; Provides: mail; Priority: standard",
                        "library 1; Provides: abi (= 5), abi-old",
                        "wrong 1; Provides: abi");
        assertThat(resolved(universe, "top")).containsExactly("usual-mailer", "top");
        assertThat(resolved(universe, "versioned")).containsExactly("library", "versioned");
    }

    @Test
    void essentialOnesComeFirst_whenNobodyNamesThem() throws IOException {
        PackageUniverse universe = universe("a 1", "b 1; Essential: yes; Depends: c", "c 1");
        assertThat(resolved(universe, "a", "b")).containsExactly("c", "b", "a");
    }

    @Test
    void theNewestIsTaken_whenTheIndexHasSeveral() throws IOException {
        PackageUniverse universe = universe("a 1.10", "a 1.9");
        assertThat(Resolution.of(universe, List.of("a"), Set.of()).getFirst().version())
                .isEqualTo("1.10");
    }

    @Test
    void refusesInOneLine_whenSomethingCannotBeHad() throws IOException {
        PackageUniverse universe =
                universe("top 1; Depends: gone (>= 2) | lost", "x 1; Conflicts: y", "y 1");
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> resolved(universe, "top"))
                .withMessage("The package top needs gone (>= 2) or lost, which cannot be had");
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> resolved(universe, "nonsense"))
                .withMessageContaining("no package nonsense");
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> resolved(universe, "x", "y"))
                .withMessageContaining("y and x cannot be installed together");
    }

    @Test
    void readingEndsSoon_whenInterrupted() {
        Thread.currentThread().interrupt();
        assertThatExceptionOfType(ImageException.class)
                .isThrownBy(() -> universe("a 1", "b 1"))
                .extracting(ImageException::code)
                .isEqualTo(ImageException.Code.INTERRUPTED);
        assertThat(Thread.interrupted()).isTrue();
    }
}
