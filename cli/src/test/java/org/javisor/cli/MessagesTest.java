package org.javisor.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class MessagesTest {
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final Messages messages =
            new Messages(new PrintStream(err, true, StandardCharsets.UTF_8));

    private String written() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void makesTextHarmless_whenItCarriesControlCharacters() {
        messages.say("file '\u001b[2J\r\n\u0007x'");
        assertThat(written()).isEqualTo("javisor: file '?[2J???x'\n");
    }

    @Test
    void returnsTheCarriage_whenTheTerminalIsRaw() {
        messages.rawTerminal(true);
        messages.line("text");
        assertThat(written()).isEqualTo("\rtext\r\n");
    }
}
