package org.javisor.chipset;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class Serial16550Test {
    private final FakeLine irq = new FakeLine();
    private final StringBuilder sent = new StringBuilder();
    private int ready;
    private final Serial16550 uart =
            new Serial16550(
                    irq,
                    new SerialBackend() {
                        @Override
                        public void transmitted(int value) {
                            sent.append((char) value);
                        }

                        @Override
                        public void readyToReceive() {
                            ready++;
                        }
                    });

    private int in(int register) {
        return uart.readPort(register, 1);
    }

    private void out(int register, int value) {
        uart.writePort(register, 1, value);
    }

    private int push(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        return uart.receive(bytes, 0, bytes.length);
    }

    private void listen() {
        out(2, 0x81);
        out(4, 0x0b);
        out(1, 0x05);
    }

    @Test
    void looksLikeA16550A_whenLinuxAutoconfigures() {
        out(1, 0);
        assertThat(in(1)).isZero();
        out(1, 0xff);
        assertThat(in(1)).as("no XScale UUE, no sleep mode").isEqualTo(0x0f);
        out(1, 0);
        out(4, 0x1a);
        assertThat(in(6) & 0xf0).as("loopback").isEqualTo(0x90);
        out(4, 0x08);
        out(3, 0xbf);
        out(2, 0);
        out(3, 0);
        out(2, 0x01);
        assertThat(in(2) >> 6).isEqualTo(3);
        out(3, 0x80);
        assertThat(in(2)).as("no EFR").isNotZero();
        out(3, 0xbf);
        assertThat(in(2)).isNotZero();
        out(3, 0);
        out(2, 0x21);
        assertThat(in(2) >> 5).as("no 64-byte FIFO").isEqualTo(6);
        out(7, 0xa5);
        assertThat(in(7)).isEqualTo(0xa5);
    }

    @Test
    void readsAsA16450_whenTheFifosAreOff() {
        assertThat(in(2)).isEqualTo(0x01);
        assertThat(in(5)).isEqualTo(0x60);
        assertThat(in(6)).isEqualTo(0xb0);
    }

    @Test
    void keepsTheDivisor_whenDlabIsSet() {
        out(3, 0x83);
        out(0, 0x34);
        out(1, 0x12);
        assertThat(in(0)).isEqualTo(0x34);
        assertThat(in(1)).isEqualTo(0x12);
        out(3, 0x03);
        assertThat(in(1)).isZero();
        assertThat(sent).isEmpty();
    }

    @Test
    void sendsEveryByte_whenTheGuestPolls() {
        for (char c : "hello".toCharArray()) {
            assertThat(in(5) & 0x20).isEqualTo(0x20);
            out(0, c);
        }
        assertThat(sent).hasToString("hello");
        assertThat(irq.rises).isZero();
    }

    @Test
    void interruptsForMore_whenTheTransmitterInterruptIsOn() {
        out(1, 0x02);
        assertThat(irq.high).as("enabling it while empty raises it").isTrue();
        assertThat(in(2)).isEqualTo(0x02);
        assertThat(irq.high).as("reading IIR clears it").isFalse();
        assertThat(in(2)).isEqualTo(0x01);
        out(0, 'x');
        assertThat(irq.high).isTrue();
        out(1, 0x00);
        assertThat(irq.high).isFalse();
        out(1, 0x02);
        assertThat(irq.high).isTrue();
    }

    @Test
    void ranksReceiverAboveTransmitter_whenBothArePending() {
        listen();
        out(1, 0x07);
        push("a");
        assertThat(in(2)).as("below the trigger level").isEqualTo(0xcc);
        push("bcdefgh");
        assertThat(in(2)).isEqualTo(0xc4);
        for (char c : "abcdefgh".toCharArray()) {
            assertThat(in(5) & 1).isEqualTo(1);
            assertThat(in(0)).isEqualTo(c);
        }
        assertThat(in(5) & 1).isZero();
        assertThat(in(2)).isEqualTo(0xc2);
    }

    @Test
    void refusesInput_untilTheGuestAssertsRts() {
        assertThat(push("typed ahead")).isZero();
        assertThat(ready).isZero();
        out(4, 0x1a);
        assertThat(ready).as("loopback is no listening").isZero();
        out(1, 0x0f);
        assertThat(ready).as("nor is the test of the enable register").isZero();
        out(1, 0);
        listen();
        assertThat(ready).isEqualTo(1);
        assertThat(push("typed ahead")).isEqualTo(11);
    }

    @Test
    void takesInput_whenASimpleGuestOnlyEnablesTheInterrupt() {
        out(1, 0x01);
        assertThat(push("xy")).isEqualTo(1);
        assertThat(irq.high).isTrue();
        assertThat(in(0)).isEqualTo('x');
        assertThat(irq.high).isFalse();
        assertThat(ready).isEqualTo(1);
    }

    @Test
    void tellsThePusherOfRoom_onceHalfTheFifoIsFree() {
        listen();
        assertThat(push("0123456789abcdefXYZ")).isEqualTo(16);
        for (int i = 0; i < 7; i++) {
            in(0);
        }
        assertThat(ready).isZero();
        in(0);
        assertThat(ready).isEqualTo(1);
        in(0);
        assertThat(ready).isEqualTo(1);
        assertThat(push("XYZ")).isEqualTo(3);
    }

    @Test
    void loopsBackAndOverruns_whenInLoopback() {
        out(4, 0x10);
        out(0, 'a');
        assertThat(in(5)).isEqualTo(0x61);
        out(0, 'b');
        assertThat(in(5)).isEqualTo(0x63);
        assertThat(in(5)).as("reading clears the overrun").isEqualTo(0x61);
        assertThat(in(0)).isEqualTo('a');
        assertThat(sent).isEmpty();
    }

    @Test
    void interruptsOnModemChange_whenLoopedBack() {
        out(4, 0x10);
        in(6);
        out(1, 0x08);
        out(4, 0x11);
        assertThat(in(2)).isEqualTo(0x00);
        assertThat(in(6)).isEqualTo(0x22);
        assertThat(in(2)).isEqualTo(0x01);
    }

    @Test
    void reportsABreak_asLineStatusFirst() {
        listen();
        push("a");
        assertThat(uart.receiveBreak()).isTrue();
        assertThat(in(5)).as("an error further back").isEqualTo(0xe1);
        assertThat(in(0)).isEqualTo('a');
        assertThat(in(2)).isEqualTo(0xc6);
        assertThat(in(5)).isEqualTo(0xf1);
        assertThat(in(5)).isEqualTo(0x61);
        assertThat(in(0)).isZero();
    }

    @Test
    void emptiesTheReceiver_whenItsFifoIsCleared() {
        listen();
        push("abc");
        out(2, 0x83);
        assertThat(in(5) & 1).isZero();
        assertThat(irq.high).isFalse();
    }
}
