package org.javisor.chipset;

import org.javisor.device.Device;
import org.javisor.device.DeviceState;
import org.javisor.device.InterruptLine;
import org.javisor.device.PioDevice;

/**
 * The PC's 8042 keyboard controller (IBM PS/2 Technical Reference, "Keyboard and auxiliary device
 * controller"), ports 60h and 64h, with nothing plugged in: it passes its self tests, keeps its
 * command byte, loops back, switches A20 and pulses the reset line. Bytes for a keyboard or mouse
 * vanish, as they do when none is there.
 *
 * <p>The A20 gate can be read back but masks nothing.
 */
public final class KeyboardController8042 implements Device<KeyboardController8042.State> {
    /**
     * The snapshot.
     *
     * @param output the byte waiting at port 60h, or -1
     * @param pendingCommand the command that waits for its parameter, or 0
     */
    public record State(
            int version,
            int commandByte,
            int outputPort,
            int output,
            boolean fromMouse,
            int pendingCommand,
            boolean lastWasCommand)
            implements DeviceState {}

    private static final int STATUS_OUTPUT_FULL = 0x01;
    private static final int STATUS_SYSTEM = 0x04;
    private static final int STATUS_COMMAND = 0x08;
    private static final int STATUS_UNLOCKED = 0x10;
    private static final int STATUS_MOUSE_DATA = 0x20;

    private static final int COMMAND_KEYBOARD_INTERRUPT = 0x01;
    private static final int COMMAND_MOUSE_INTERRUPT = 0x02;
    private static final int COMMAND_SYSTEM = 0x04;
    private static final int COMMAND_KEYBOARD_OFF = 0x10;
    private static final int COMMAND_MOUSE_OFF = 0x20;

    private static final int OUTPUT_RESET = 0x01;
    private static final int OUTPUT_A20 = 0x02;

    private static final int WRITE_COMMAND_BYTE = 0x60;
    private static final int WRITE_OUTPUT_PORT = 0xd1;
    private static final int WRITE_KEYBOARD_OUTPUT = 0xd2;
    private static final int WRITE_MOUSE_OUTPUT = 0xd3;

    private final InterruptLine keyboardIrq;
    private final InterruptLine mouseIrq;
    private final Runnable resetMachine;

    private int commandByte;
    private int outputPort;
    private int output;
    private boolean fromMouse;
    private int pendingCommand;
    private boolean lastWasCommand;

    /**
     * @param resetMachine asked for on the vCPU's thread, without the chip's lock
     */
    public KeyboardController8042(
            InterruptLine keyboardIrq, InterruptLine mouseIrq, Runnable resetMachine) {
        this.keyboardIrq = keyboardIrq;
        this.mouseIrq = mouseIrq;
        this.resetMachine = resetMachine;
        powerOn();
    }

    private void powerOn() {
        commandByte = COMMAND_KEYBOARD_OFF | COMMAND_MOUSE_OFF;
        outputPort = OUTPUT_RESET | OUTPUT_A20;
        output = -1;
        fromMouse = false;
        pendingCommand = 0;
        lastWasCommand = false;
    }

    /** Port 60h. */
    public PioDevice data() {
        return new ByteRegisters() {
            @Override
            public int readByte(int offset) {
                return readData();
            }

            @Override
            public void writeByte(int offset, int value) {
                writeData(value);
            }
        };
    }

    /** Port 64h. */
    public PioDevice command() {
        return new ByteRegisters() {
            @Override
            public int readByte(int offset) {
                return status();
            }

            @Override
            public void writeByte(int offset, int value) {
                writeCommand(value);
            }
        };
    }

    private synchronized int readData() {
        int value = Math.max(output, 0);
        output = -1;
        update();
        return value;
    }

    private synchronized int status() {
        return STATUS_UNLOCKED
                | (output >= 0 ? STATUS_OUTPUT_FULL : 0)
                | (output >= 0 && fromMouse ? STATUS_MOUSE_DATA : 0)
                | ((commandByte & COMMAND_SYSTEM) != 0 ? STATUS_SYSTEM : 0)
                | (lastWasCommand ? STATUS_COMMAND : 0);
    }

    private void writeData(int value) {
        boolean reset = false;
        synchronized (this) {
            lastWasCommand = false;
            int command = pendingCommand;
            pendingCommand = 0;
            switch (command) {
                case WRITE_COMMAND_BYTE -> commandByte = value & 0x7f;
                case WRITE_OUTPUT_PORT -> {
                    outputPort = value | OUTPUT_RESET;
                    reset = (value & OUTPUT_RESET) == 0;
                }
                case WRITE_KEYBOARD_OUTPUT -> answer(value, false);
                case WRITE_MOUSE_OUTPUT -> answer(value, true);
                default -> {}
            }
            update();
        }
        if (reset) {
            resetMachine.run();
        }
    }

    private void writeCommand(int command) {
        boolean reset;
        synchronized (this) {
            lastWasCommand = true;
            pendingCommand = 0;
            // F0h to FFh pulse the output port's low bits that are 0 in the command; bit 0 is the
            // reset.
            reset = command >= 0xf0 && (command & OUTPUT_RESET) == 0;
            execute(command);
            update();
        }
        if (reset) {
            resetMachine.run();
        }
    }

    private void execute(int command) {
        switch (command) {
            case 0x20 -> answer(commandByte, false);
            case WRITE_COMMAND_BYTE,
                    WRITE_OUTPUT_PORT,
                    WRITE_KEYBOARD_OUTPUT,
                    WRITE_MOUSE_OUTPUT,
                    0xd4 ->
                    pendingCommand = command;
            case 0xa7 -> commandByte |= COMMAND_MOUSE_OFF;
            case 0xa8 -> commandByte &= ~COMMAND_MOUSE_OFF;
            case 0xa9, 0xab -> answer(0x00, false);
            case 0xaa -> {
                commandByte |= COMMAND_SYSTEM;
                answer(0x55, false);
            }
            case 0xad -> commandByte |= COMMAND_KEYBOARD_OFF;
            case 0xae -> commandByte &= ~COMMAND_KEYBOARD_OFF;
            case 0xc0 -> answer(0x80, false);
            case 0xd0 -> answer(outputPort, false);
            case 0xdd -> outputPort &= ~OUTPUT_A20;
            case 0xdf -> outputPort |= OUTPUT_A20;
            default -> {}
        }
    }

    private void answer(int value, boolean mouse) {
        output = value & 0xff;
        fromMouse = mouse;
    }

    private void update() {
        boolean full = output >= 0;
        keyboardIrq.drive(full && !fromMouse && (commandByte & COMMAND_KEYBOARD_INTERRUPT) != 0);
        mouseIrq.drive(full && fromMouse && (commandByte & COMMAND_MOUSE_INTERRUPT) != 0);
    }

    @Override
    public synchronized void reset() {
        powerOn();
        update();
    }

    @Override
    public synchronized State save() {
        return new State(
                1, commandByte, outputPort, output, fromMouse, pendingCommand, lastWasCommand);
    }

    @Override
    public synchronized void restore(State state) {
        commandByte = state.commandByte() & 0x7f;
        outputPort = state.outputPort() & 0xff;
        output = state.output() < 0 ? -1 : state.output() & 0xff;
        fromMouse = state.fromMouse();
        pendingCommand = state.pendingCommand();
        lastWasCommand = state.lastWasCommand();
        update();
    }
}
