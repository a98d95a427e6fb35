package org.javisor.chipset;

import static org.assertj.core.api.Assertions.assertThat;

import org.javisor.device.PioDevice;
import org.junit.jupiter.api.Test;

class ControlPortsTest {
    private int resets;
    private final FakeLine keyboard = new FakeLine();
    private final FakeLine mouse = new FakeLine();
    private final KeyboardController8042 controller =
            new KeyboardController8042(keyboard, mouse, () -> resets++);
    private final PioDevice data = controller.data();
    private final PioDevice command = controller.command();

    private int ask(int code) {
        command.writePort(0, 1, code);
        assertThat(command.readPort(0, 1) & 1).isEqualTo(1);
        return data.readPort(0, 1);
    }

    @Test
    void passesItsTests_whenLinuxProbes() {
        assertThat(command.readPort(0, 1) & 1).as("nothing to flush").isZero();
        assertThat(ask(0xaa)).isEqualTo(0x55);
        assertThat(ask(0xab)).isZero();
        assertThat(ask(0xa9)).isZero();
        command.writePort(0, 1, 0x60);
        data.writePort(0, 1, 0x47);
        assertThat(ask(0x20)).isEqualTo(0x47);
        command.writePort(0, 1, 0xa8);
        assertThat(ask(0x20) & 0x20).isZero();
        command.writePort(0, 1, 0xa7);
        assertThat(ask(0x20) & 0x20).isEqualTo(0x20);
    }

    @Test
    void loopsBack_asMouseData() {
        command.writePort(0, 1, 0x60);
        data.writePort(0, 1, 0x02);
        command.writePort(0, 1, 0xd3);
        data.writePort(0, 1, 0x5a);
        assertThat(command.readPort(0, 1) & 0x21).isEqualTo(0x21);
        assertThat(mouse.high).isTrue();
        assertThat(keyboard.high).isFalse();
        assertThat(data.readPort(0, 1)).isEqualTo(0x5a);
        assertThat(mouse.high).isFalse();
    }

    @Test
    void staysSilent_whenAKeyboardIsSpokenTo() {
        data.writePort(0, 1, 0xff);
        command.writePort(0, 1, 0xd4);
        data.writePort(0, 1, 0xf2);
        assertThat(command.readPort(0, 1) & 1).isZero();
    }

    @Test
    void resets_whenTheLineIsPulsed() {
        command.writePort(0, 1, 0xff);
        assertThat(resets).isZero();
        command.writePort(0, 1, 0xfe);
        assertThat(resets).isEqualTo(1);
        command.writePort(0, 1, 0xd1);
        data.writePort(0, 1, 0xfe);
        assertThat(resets).isEqualTo(2);
    }

    @Test
    void switchesA20_asCanBeReadBack() {
        assertThat(ask(0xd0) & 2).isEqualTo(2);
        command.writePort(0, 1, 0xdd);
        assertThat(ask(0xd0) & 2).isZero();
    }

    @Test
    void resetsOnTheRise_whenTheResetRegisterIsWritten() {
        ResetControl control = new ResetControl(() -> resets++);
        control.writePort(1, 1, 0x02);
        assertThat(resets).isZero();
        control.writePort(1, 1, PcPorts.RESET_VALUE);
        control.writePort(1, 1, PcPorts.RESET_VALUE);
        assertThat(resets).isEqualTo(1);
        assertThat(control.readPort(1, 1)).isEqualTo(6);
    }

    @Test
    void staysUp_whenPciIsProbedAroundTheResetRegister() {
        ResetControl control = new ResetControl(() -> resets++);
        control.writePort(3, 1, 0x01);
        control.writePort(0, 2, 0x0600);
        assertThat(resets).isZero();
        assertThat(control.readPort(0, 1)).isEqualTo(0xff);
        assertThat(control.readPort(0, 2)).isEqualTo(0xffff);
        assertThat(control.readPort(1, 1)).isZero();
    }

    @Test
    void resetsOnTheRise_whenPortAIsWritten() {
        SystemControlPortA port = new SystemControlPortA(() -> resets++);
        assertThat(port.readPort(0, 1)).isEqualTo(2);
        port.writePort(0, 1, 0x03);
        port.writePort(0, 1, 0x03);
        assertThat(resets).isEqualTo(1);
    }
}
