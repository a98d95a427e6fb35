package org.javisor.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MirrorTest {

    @TempDir private Path apt;

    private Optional<URI> fromApt() {
        return AptSources.debianMirror(apt);
    }

    private void sources(String name, String text) throws IOException {
        Files.createDirectories(apt.resolve("sources.list.d"));
        Files.writeString(apt.resolve(name), text);
    }

    @Test
    void optionWins_whenVariableAndAptNameOthers() throws IOException {
        sources("sources.list", "deb http://apt.invalid/debian trixie main\n");
        Map<String, String> environment = Map.of("JAVISOR_MIRROR", "http://variable.invalid");
        assertThat(Mirror.find(Optional.of("http://option.invalid/d"), environment, apt).base())
                .hasToString("http://option.invalid/d/");
        assertThat(Mirror.find(Optional.empty(), environment, apt).base())
                .hasToString("http://variable.invalid/");
        assertThat(Mirror.find(Optional.empty(), Map.of(), apt).base())
                .hasToString("http://apt.invalid/debian/");
    }

    @Test
    void oneLineNotationIsRead_whenItHasOptionsAndComments() throws IOException {
        sources(
                "sources.list",
                """
                # deb http://comment.invalid/debian trixie main
                deb-src http://source.invalid/debian trixie main
                deb cdrom:[Debian]/ trixie main
                deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] \
                http://good.invalid/debian/ trixie contrib main # here
                """);
        assertThat(fromApt()).contains(URI.create("http://good.invalid/debian/"));
    }

    @Test
    void deb822NotationIsRead_whenSourcesAreSplitOverLines() throws IOException {
        sources(
                "sources.list.d/debian.sources",
                """
                Types: deb
                URIs: http://off.invalid/debian
                Suites: trixie
                Components: main
                Enabled: no

                types: deb deb-src
                uris:
                 http://good.invalid/debian
                # in between
                 http://second.invalid/debian
                suites: trixie
                 trixie-updates
                components: main contrib
                signed-by: /usr/share/keyrings/debian-archive-keyring.pgp
                """);
        assertThat(fromApt()).contains(URI.create("http://good.invalid/debian"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "deb http://x.invalid/debian-security trixie-security main",
                "deb http://x.invalid/debian trixie-updates main",
                "deb http://x.invalid/linux/debian trixie stable",
                "deb http://x.invalid/node nodistro main",
                "deb [signed-by=/usr/share/keyrings/third.gpg] http://x.invalid/debian trixie main",
                "deb ftp://x.invalid/debian trixie main",
                "deb [broken http://x.invalid/debian trixie main",
                "deb http://x.invalid/debian trixie",
                "deb http://[broken/debian trixie main",
                ""
            })
    void noMirrorIsFound_whenSourceIsNotDebiansMainArchive(String line) throws IOException {
        sources("sources.list", line + "\n");
        assertThat(fromApt()).isEmpty();
    }

    @Test
    void debiansOwnArchiveIsPreferred_whenThirdPartiesLookAlike() throws IOException {
        sources("sources.list.d/a.list", "deb http://third.invalid/apt stable main\n");
        sources("sources.list.d/b.list", "deb http://own.invalid/debian trixie main\n");
        sources("sources.list.d/c.list", "deb http://other.invalid/debian trixie main\n");
        sources("sources.list.d/d.list.save", "deb http://saved.invalid/debian trixie main\n");
        assertThat(fromApt()).contains(URI.create("http://own.invalid/debian"));
    }

    @Test
    void adviceIsGiven_whenNoMirrorIsKnown() {
        assertThatThrownBy(() -> Mirror.find(Optional.empty(), Map.of(), apt))
                .isInstanceOfSatisfying(
                        ImageException.class,
                        e -> assertThat(e.code()).isEqualTo(ImageException.Code.NO_MIRROR))
                .hasMessageContaining("--mirror")
                .hasMessageContaining("JAVISOR_MIRROR");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ftp://x.invalid/", "http:///none", "http://a b/", "mailto:x@y"})
    void addressIsRefused_whenItIsNoMirrors(String address) {
        assertThatThrownBy(() -> Mirror.at(address, "--mirror"))
                .isInstanceOfSatisfying(
                        ImageException.class,
                        e -> assertThat(e.code()).isEqualTo(ImageException.Code.BAD_MIRROR));
    }

    @Test
    void directoryIsTaken_whenAddressIsAPathOrAFileUrl() {
        assertThat(Mirror.at(apt.toString(), "").directory()).isEqualTo(apt);
        assertThat(Mirror.at(apt.toUri().toString(), "").directory()).isEqualTo(apt);
        assertThat(Mirror.at("file://localhost" + apt, "").directory()).isEqualTo(apt);
    }

    @Test
    void noFileIsOpened_whenPathLeadsOutOfDirectory() {
        assertThatThrownBy(() -> new DirectoryTransport(apt).open("../../etc/passwd"))
                .isInstanceOf(Transport.Refused.class);
    }
}
