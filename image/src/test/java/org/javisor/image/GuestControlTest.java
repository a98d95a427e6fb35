package org.javisor.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GuestControlTest {

    private final List<String> heard = new ArrayList<>();
    private final GuestControl control =
            new GuestControl(
                    new GuestControl.Listener() {
                        @Override
                        public void ready() {
                            heard.add("READY");
                        }

                        @Override
                        public void inputWanted() {
                            heard.add("IN");
                        }

                        @Override
                        public void exited(int status) {
                            heard.add("EXIT " + status);
                        }

                        @Override
                        public void log(String text) {
                            heard.add(text);
                        }
                    });

    private void receive(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        control.received(bytes, 0, bytes.length);
    }

    @Test
    void messagesAndLogAreToldApart_whenTheyShareThePort() {
        receive("[ 1.0] log\r\n\u001eready\n\u001ein\r\n[ 2.0] pan\u001eexit 7\n[ 3.0] x\n");
        assertThat(heard)
                .containsExactly("[ 1.0] log", "READY", "IN", "[ 2.0] pan", "EXIT 7", "[ 3.0] x");
    }

    @Test
    void itIsLog_whenMessageIsUnknownOrUnmarked() {
        receive("exit 7\n\u001eexit 256\n\u001eexit -1\n\u001eexit\n\u001enonsense\n");
        assertThat(heard).containsExactly("exit 7", "exit 256", "exit -1", "exit", "nonsense");
    }

    @Test
    void lineIsCut_whenGuestSendsWithoutEnd() {
        receive("x".repeat(1_000_000) + "\n\u001eexit 0\n");
        assertThat(heard.getFirst()).hasSize(1024);
        assertThat(heard.getLast()).isEqualTo("EXIT 0");
    }

    @Test
    void nothingEscapes_whenGuestSendsNoise() {
        long seed = Long.getLong("javisor.seed", 20261121L);
        Random random = new Random(seed);
        byte[] noise = new byte[200_000];
        random.nextBytes(noise);
        for (int i = 0; i < noise.length; i += 7) {
            noise[i] = (byte) "\u001e\nexit 0123456789in".charAt(random.nextInt(19));
        }
        control.received(noise, 0, noise.length);
        assertThat(heard).as("seed %d", seed).allMatch(line -> line.length() <= 1024);
    }

    @Test
    void inputIsFramed_whenAnswered() {
        byte[] bytes = "hello".getBytes(StandardCharsets.US_ASCII);
        assertThat(GuestControl.input(bytes, 1, 3)).asString().isEqualTo("3\nell");
        assertThat(GuestControl.input(bytes, 0, 0)).asString().isEqualTo("0\n");
        assertThat(GuestControl.size(new TerminalSize(24, 80)))
                .asString()
                .isEqualTo("size 24 80\n");
        assertThatThrownBy(() -> GuestControl.input(new byte[99_999], 0, 99_999))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
