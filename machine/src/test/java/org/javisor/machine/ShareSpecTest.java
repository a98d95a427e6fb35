package org.javisor.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ShareSpecTest {
    @Test
    void isReadOnlyUnderItsOwnName_whenOnlyTheFolderIsGiven() {
        assertThat(ShareSpec.parse("/home/me/src"))
                .isEqualTo(new ShareSpec(Path.of("/home/me/src"), "src", false));
        assertThat(ShareSpec.parse("./x/../src").tag()).isEqualTo("src");
    }

    @Test
    void takesNameAndAccess_whenGiven() {
        assertThat(ShareSpec.parse(".:src")).isEqualTo(new ShareSpec(Path.of("."), "src", false));
        assertThat(ShareSpec.parse("/a:b/c:work:rw"))
                .isEqualTo(new ShareSpec(Path.of("/a:b/c"), "work", true));
        assertThat(ShareSpec.parse("/a:work:ro").writable()).isFalse();
    }

    @Test
    void isRefused_whenTheNameIsNone() {
        assertThatThrownBy(() -> ShareSpec.parse("/a:b c:rw"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("'b c' is no name for a shared folder");
        assertThatThrownBy(() -> ShareSpec.parse("/"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("The folder / needs a name for the guest: /:NAME");
        assertThatThrownBy(() -> ShareSpec.parse("")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> ShareSpec.parse("/a:" + "x".repeat(32)))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
