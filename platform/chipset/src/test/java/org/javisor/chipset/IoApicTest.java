package org.javisor.chipset;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class IoApicTest {
    private record Message(int destination, boolean logical, int mode, int vector, boolean level) {}

    private final List<Message> messages = new ArrayList<>();
    private final IoApic ioApic =
            new IoApic(
                    (destination, logical, mode, vector, level) ->
                            messages.add(new Message(destination, logical, mode, vector, level)));

    private int read(int register) {
        ioApic.writeMmio(0x00, 4, register);
        return (int) ioApic.readMmio(0x10, 4);
    }

    private void write(int register, int value) {
        ioApic.writeMmio(0x00, 4, register);
        ioApic.writeMmio(0x10, 4, value);
    }

    private void redirect(int pin, int high, int low) {
        write(0x11 + 2 * pin, high);
        write(0x10 + 2 * pin, low);
    }

    @Test
    void hasTwentyFourMaskedInputs_afterReset() {
        assertThat(read(0x01)).isEqualTo(0x00170020);
        for (int pin = 0; pin < 24; pin++) {
            assertThat(read(0x10 + 2 * pin)).isEqualTo(0x10000);
        }
        assertThat(read(0x40)).as("beyond the table").isZero();
    }

    @Test
    void sendsOneMessagePerEdge_whenEdgeTriggered() {
        redirect(2, 0x03000000, 0x0030);
        ioApic.input(2).drive(true);
        ioApic.input(2).drive(true);
        assertThat(messages).containsExactly(new Message(3, false, 0, 0x30, false));
        ioApic.input(2).drive(false);
        ioApic.input(2).pulse();
        assertThat(messages).hasSize(2);
    }

    @Test
    void losesTheEdge_whenMasked() {
        redirect(2, 0, 0x10030);
        ioApic.input(2).drive(true);
        redirect(2, 0, 0x00030);
        assertThat(messages).isEmpty();
    }

    @Test
    void repeatsALevel_whenItIsStillHighAtItsEnd() {
        redirect(9, 0x0f000000, 0x8839);
        ioApic.input(9).drive(true);
        assertThat(messages).containsExactly(new Message(15, true, 0, 0x39, true));
        assertThat(read(0x22) & 0x4000).as("remote IRR").isEqualTo(0x4000);
        ioApic.endOfInterrupt(0x38);
        assertThat(messages).hasSize(1);
        ioApic.endOfInterrupt(0x39);
        assertThat(messages).hasSize(2);
        ioApic.input(9).drive(false);
        ioApic.endOfInterrupt(0x39);
        assertThat(messages).hasSize(2);
        assertThat(read(0x22) & 0x4000).isZero();
    }

    @Test
    void deliversAWaitingLevel_whenUnmasked() {
        redirect(9, 0, 0x18039);
        ioApic.input(9).drive(true);
        assertThat(messages).isEmpty();
        redirect(9, 0, 0x08039);
        assertThat(messages).hasSize(1);
    }

    @Test
    void endsTheInterrupt_whenTheEoiRegisterIsWritten() {
        redirect(9, 0, 0x8039);
        ioApic.input(9).drive(true);
        ioApic.writeMmio(0x40, 4, 0x39);
        assertThat(messages).hasSize(2);
    }

    @Test
    void clearsRemoteIrr_whenSwitchedToEdgeAndBack() {
        redirect(9, 0, 0x8039);
        ioApic.input(9).drive(true);
        ioApic.input(9).drive(false);
        write(0x22, 0x10039);
        write(0x22, 0x18039);
        assertThat(read(0x22)).isEqualTo(0x18039);
    }

    @Test
    void ignoresReadOnlyBits_whenWritten() {
        write(0x22, 0x1ffff);
        assertThat(read(0x22)).isEqualTo(0x1afff);
        write(0x00, 0xffffffff);
        assertThat(read(0x00)).isEqualTo(0x0f000000);
    }

    @Test
    void passesEveryDeliveryMode_whenAsked() {
        for (int mode : new int[] {0, 1, 2, 4, 5, 7}) {
            redirect(5, 0, mode << 8 | 0x50);
            ioApic.input(5).pulse();
        }
        assertThat(messages).extracting(Message::mode).containsExactly(0, 1, 2, 4, 5, 7);
    }

    @Test
    void wiresTimerToInputTwo_whenIsaInterruptsFork() {
        FakeLine intr = new FakeLine();
        IsaInterrupts isa = new IsaInterrupts(new PicPair(intr), ioApic);
        redirect(2, 0, 0x30);
        redirect(4, 0, 0x34);
        isa.line(0).drive(true);
        isa.line(4).drive(true);
        assertThat(messages).extracting(Message::vector).containsExactly(0x30, 0x34);
        assertThat(intr.high).isTrue();
    }
}
