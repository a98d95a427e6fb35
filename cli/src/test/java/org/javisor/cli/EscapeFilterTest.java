package org.javisor.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.javisor.cli.EscapeFilter.Request;
import org.junit.jupiter.api.Test;

class EscapeFilterTest {
    private final List<Request> requests = new ArrayList<>();

    private String type(EscapeKey key, String typed) {
        EscapeFilter filter = new EscapeFilter(key);
        for (byte b : typed.getBytes(StandardCharsets.ISO_8859_1)) {
            Request request = filter.accept(b);
            if (request != Request.NONE) {
                requests.add(request);
            }
        }
        return new String(filter.takeForGuest(), StandardCharsets.ISO_8859_1);
    }

    private static EscapeKey key(String text) {
        return new EscapeKey.Converter().convert(text);
    }

    @Test
    void passesEverythingElse_whenTheKeyIsNotPressed() {
        assertThat(type(key("^]"), "a\u0003\u001b[A\u00ff")).isEqualTo("a\u0003\u001b[A\u00ff");
        assertThat(requests).isEmpty();
    }

    @Test
    void takesTheNextKey_whenTheKeyIsPressed() {
        assertThat(type(key("^]"), "a\u001dcb\u001dq")).isEqualTo("ab");
        assertThat(requests)
                .containsExactly(Request.MENU, Request.CONTINUE, Request.MENU, Request.QUIT);
    }

    @Test
    void sendsTheKey_whenPressedTwice() {
        assertThat(type(key("Ctrl-a"), "\u0001\u0001x")).isEqualTo("\u0001x");
    }

    @Test
    void staysOpen_whenHelpOrStatisticsAreShown() {
        assertThat(type(key("^]"), "\u001d?spx")).isEqualTo("x");
        assertThat(requests)
                .containsExactly(
                        Request.MENU, Request.HELP, Request.STATISTICS, Request.POWER_BUTTON);
    }

    @Test
    void isNeverLeft_whenThereIsNoKey() {
        assertThat(type(key("none"), "\u001dq\u00ff")).isEqualTo("\u001dq\u00ff");
    }

    @Test
    void knowsKeysByTheirNames() {
        assertThat(key("^]").code()).isEqualTo(0x1d);
        assertThat(key("ctrl-A").code()).isEqualTo(1);
        assertThat(key("^]").label()).isEqualTo("Ctrl-]");
    }
}
