package org.javisor.chipset;

import org.javisor.device.Device;
import org.javisor.device.InterruptLine;

/**
 * A 16550A UART (National Semiconductor PC16550D data sheet), eight ports: FIFOs, interrupt
 * priorities, loopback, break and overrun. The other end is a {@link SerialBackend}.
 *
 * <p>A byte written is sent at once whatever the divisor says, so the transmitter is always empty
 * again. Likewise the receiver's time-out does not wait four character times: bytes below the
 * trigger level announce themselves at once.
 *
 * <p>Flow control: the other end honours RTS. Input is taken only while the guest asserts RTS, or
 * has nothing but the received-data interrupt enabled as simple guests do, so that what is typed
 * ahead waits outside until a driver that clears the FIFOs has done so.
 *
 * <p>Not modelled: baud rates, parity and framing errors, DMA mode, and the PC's gating of the
 * interrupt by OUT2, which simple guests leave off.
 */
public final class Serial16550 implements Device<SerialState>, ByteRegisters {
    private static final int FIFO_SIZE = 16;

    private static final int IER_RECEIVED = 0x01;
    private static final int IER_TRANSMITTER = 0x02;
    private static final int IER_LINE = 0x04;
    private static final int IER_MODEM = 0x08;

    private static final int IIR_NONE = 0x01;
    private static final int IIR_MODEM = 0x00;
    private static final int IIR_TRANSMITTER = 0x02;
    private static final int IIR_RECEIVED = 0x04;
    private static final int IIR_LINE = 0x06;
    private static final int IIR_TIMEOUT = 0x0c;
    private static final int IIR_FIFOS = 0xc0;

    private static final int FCR_ENABLE = 0x01;
    private static final int FCR_CLEAR_RECEIVER = 0x02;
    private static final int FCR_KEPT = 0xc9;

    private static final int LCR_DIVISOR = 0x80;

    private static final int MCR_DTR = 0x01;
    private static final int MCR_RTS = 0x02;
    private static final int MCR_OUT1 = 0x04;
    private static final int MCR_OUT2 = 0x08;
    private static final int MCR_LOOP = 0x10;

    private static final int LSR_DATA = 0x01;
    private static final int LSR_OVERRUN = 0x02;
    private static final int LSR_BREAK = 0x10;
    private static final int LSR_TRANSMITTER_EMPTY = 0x60;
    private static final int LSR_FIFO_ERROR = 0x80;
    private static final int LSR_ERRORS = 0x1e;

    private static final int MSR_CTS = 0x10;
    private static final int MSR_DSR = 0x20;
    private static final int MSR_RI = 0x40;
    private static final int MSR_DCD = 0x80;

    private final InterruptLine irq;
    private final SerialBackend backend;

    private int interruptEnable;
    private int fifoControl;
    private int lineControl;
    private int modemControl;
    private int modemDelta;
    private int scratch;
    private int divisor = 12;
    private boolean transmitterEmptyPending;
    private boolean overrun;
    private boolean senderWaits;

    /** A ring of bytes with their error bits of LSR shifted up by 8. */
    private final int[] received = new int[FIFO_SIZE];

    private int receivedFirst;
    private int receivedCount;

    private boolean line;

    public Serial16550(InterruptLine irq, SerialBackend backend) {
        this.irq = irq;
        this.backend = backend;
    }

    @Override
    public void writeByte(int offset, int value) {
        boolean send = false;
        boolean notify;
        synchronized (this) {
            if ((offset & 7) == 0 && (lineControl & LCR_DIVISOR) == 0) {
                send = transmit(value);
            } else {
                writeRegister(offset & 7, value);
            }
            update();
            notify = senderMayGoOn();
        }
        if (send) {
            backend.transmitted(value);
        }
        if (notify) {
            backend.readyToReceive();
        }
    }

    /** Whether the byte leaves the chip. */
    private boolean transmit(int value) {
        transmitterEmptyPending = true;
        if ((modemControl & MCR_LOOP) == 0) {
            return true;
        }
        if (receivedCount < capacity()) {
            push(value);
        } else {
            overrun = true;
        }
        return false;
    }

    private void writeRegister(int register, int value) {
        boolean divisorAccess = (lineControl & LCR_DIVISOR) != 0;
        switch (register) {
            case 0 -> divisor = divisor & 0xff00 | value;
            case 1 -> {
                if (divisorAccess) {
                    divisor = divisor & 0xff | value << 8;
                } else {
                    enableInterrupts(value & 0x0f);
                }
            }
            case 2 -> controlFifos(value);
            case 3 -> lineControl = value;
            case 4 -> {
                int before = modemStatus();
                modemControl = value & 0x1f;
                noteModemChange(before);
            }
            case 7 -> scratch = value;
            default -> {}
        }
    }

    private void enableInterrupts(int value) {
        // Enabling the transmitter's interrupt while it is empty raises it (data sheet, table IV).
        if ((value & ~interruptEnable & IER_TRANSMITTER) != 0) {
            transmitterEmptyPending = true;
        }
        interruptEnable = value;
    }

    private void controlFifos(int value) {
        boolean toggled = ((value ^ fifoControl) & FCR_ENABLE) != 0;
        if (toggled || (value & FCR_CLEAR_RECEIVER) != 0) {
            receivedFirst = 0;
            receivedCount = 0;
        }
        fifoControl = (value & FCR_ENABLE) == 0 ? 0 : value & FCR_KEPT;
    }

    @Override
    public int readByte(int offset) {
        int value;
        boolean notify;
        synchronized (this) {
            value = readRegister(offset & 7);
            notify = senderMayGoOn();
        }
        if (notify) {
            backend.readyToReceive();
        }
        return value;
    }

    private int readRegister(int register) {
        boolean divisorAccess = (lineControl & LCR_DIVISOR) != 0;
        return switch (register) {
            case 0 -> divisorAccess ? divisor & 0xff : pop();
            case 1 -> divisorAccess ? divisor >> 8 : interruptEnable;
            case 2 -> readIdentification();
            case 3 -> lineControl;
            case 4 -> modemControl;
            case 5 -> readLineStatus();
            case 6 -> {
                int status = modemStatus() | modemDelta;
                modemDelta = 0;
                update();
                yield status;
            }
            default -> scratch;
        };
    }

    private int pop() {
        if (receivedCount == 0) {
            return 0;
        }
        int value = received[receivedFirst] & 0xff;
        receivedFirst = receivedFirst + 1 & FIFO_SIZE - 1;
        receivedCount--;
        update();
        return value;
    }

    private void push(int entry) {
        received[receivedFirst + receivedCount & FIFO_SIZE - 1] = entry;
        receivedCount++;
    }

    private int readIdentification() {
        int source = identification();
        if (source == IIR_TRANSMITTER) {
            transmitterEmptyPending = false;
            update();
        }
        return source | ((fifoControl & FCR_ENABLE) != 0 ? IIR_FIFOS : 0);
    }

    private int readLineStatus() {
        int status = lineStatus();
        if (receivedCount > 0) {
            received[receivedFirst] &= 0xff;
        }
        overrun = false;
        update();
        return status;
    }

    private int lineStatus() {
        int status = LSR_TRANSMITTER_EMPTY | (overrun ? LSR_OVERRUN : 0);
        if (receivedCount > 0) {
            status |= LSR_DATA | received[receivedFirst] >> 8;
        }
        if ((fifoControl & FCR_ENABLE) != 0 && anyErrorReceived()) {
            status |= LSR_FIFO_ERROR;
        }
        return status;
    }

    private boolean anyErrorReceived() {
        int all = 0;
        for (int i = 0; i < receivedCount; i++) {
            all |= received[receivedFirst + i & FIFO_SIZE - 1];
        }
        return all >> 8 != 0;
    }

    private int modemStatus() {
        if ((modemControl & MCR_LOOP) == 0) {
            return MSR_CTS | MSR_DSR | MSR_DCD;
        }
        return ((modemControl & MCR_RTS) != 0 ? MSR_CTS : 0)
                | ((modemControl & MCR_DTR) != 0 ? MSR_DSR : 0)
                | ((modemControl & MCR_OUT1) != 0 ? MSR_RI : 0)
                | ((modemControl & MCR_OUT2) != 0 ? MSR_DCD : 0);
    }

    private void noteModemChange(int before) {
        int after = modemStatus();
        int changed = (before ^ after) & (MSR_CTS | MSR_DSR | MSR_DCD);
        // The ring indicator's delta tells its end only.
        int ringEnded = before & ~after & MSR_RI;
        modemDelta |= (changed | ringEnded) >> 4;
    }

    /** The pending interrupt of the best priority, as IIR shows it (data sheet, table IV). */
    private int identification() {
        if ((interruptEnable & IER_LINE) != 0 && (lineStatus() & LSR_ERRORS) != 0) {
            return IIR_LINE;
        }
        if ((interruptEnable & IER_RECEIVED) != 0 && receivedCount > 0) {
            return receivedCount >= triggerLevel() ? IIR_RECEIVED : IIR_TIMEOUT;
        }
        if ((interruptEnable & IER_TRANSMITTER) != 0 && transmitterEmptyPending) {
            return IIR_TRANSMITTER;
        }
        if ((interruptEnable & IER_MODEM) != 0 && modemDelta != 0) {
            return IIR_MODEM;
        }
        return IIR_NONE;
    }

    private int triggerLevel() {
        if ((fifoControl & FCR_ENABLE) == 0) {
            return 1;
        }
        return switch (fifoControl >> 6) {
            case 0 -> 1;
            case 1 -> 4;
            case 2 -> 8;
            default -> 14;
        };
    }

    private int capacity() {
        return (fifoControl & FCR_ENABLE) != 0 ? FIFO_SIZE : 1;
    }

    private void update() {
        boolean asserted = identification() != IIR_NONE;
        if (asserted != line) {
            line = asserted;
            irq.drive(asserted);
        }
    }

    // The other end's side, from any thread.

    /**
     * Input for the guest.
     *
     * @return how many bytes were taken, from none to all. If not all, {@link
     *     SerialBackend#readyToReceive} will be called once there is room for more.
     */
    public synchronized int receive(byte[] bytes, int offset, int length) {
        int taken = 0;
        if (listening()) {
            while (taken < length && receivedCount < capacity()) {
                push(bytes[offset + taken] & 0xff);
                taken++;
            }
        }
        senderWaits = taken < length;
        if (taken > 0) {
            update();
        }
        return taken;
    }

    /**
     * A break condition on the line, which Linux takes as the prefix of a SysRq command.
     *
     * @return whether it was taken; if not, as in {@link #receive}
     */
    public synchronized boolean receiveBreak() {
        if (!listening() || receivedCount >= capacity()) {
            senderWaits = true;
            return false;
        }
        push(LSR_BREAK << 8);
        update();
        return true;
    }

    private boolean listening() {
        if ((modemControl & MCR_LOOP) != 0) {
            return false;
        }
        return (modemControl & MCR_RTS) != 0 || interruptEnable == IER_RECEIVED;
    }

    /**
     * Room is announced when half the FIFO is free: each announcement may wake a thread of the
     * host.
     */
    private boolean senderMayGoOn() {
        if (senderWaits && listening() && receivedCount <= capacity() / 2) {
            senderWaits = false;
            return true;
        }
        return false;
    }

    @Override
    public synchronized void reset() {
        interruptEnable = 0;
        fifoControl = 0;
        lineControl = 0;
        modemControl = 0;
        modemDelta = 0;
        scratch = 0;
        divisor = 12;
        transmitterEmptyPending = false;
        overrun = false;
        receivedFirst = 0;
        receivedCount = 0;
        line = false;
        irq.drive(false);
    }

    @Override
    public synchronized SerialState save() {
        int[] entries = new int[receivedCount];
        for (int i = 0; i < receivedCount; i++) {
            entries[i] = received[receivedFirst + i & FIFO_SIZE - 1];
        }
        return new SerialState(
                1,
                interruptEnable,
                fifoControl,
                lineControl,
                modemControl,
                modemDelta,
                scratch,
                divisor,
                transmitterEmptyPending,
                overrun,
                entries,
                senderWaits);
    }

    @Override
    public synchronized void restore(SerialState state) {
        interruptEnable = state.interruptEnable() & 0x0f;
        fifoControl = state.fifoControl() & FCR_KEPT;
        lineControl = state.lineControl() & 0xff;
        modemControl = state.modemControl() & 0x1f;
        modemDelta = state.modemDelta() & 0x0f;
        scratch = state.scratch() & 0xff;
        divisor = state.divisor() & 0xffff;
        transmitterEmptyPending = state.transmitterEmptyPending();
        overrun = state.overrun();
        receivedFirst = 0;
        receivedCount = 0;
        for (int i = 0; i < Math.min(state.received().length, FIFO_SIZE); i++) {
            push(state.received()[i]);
        }
        senderWaits = state.senderWaits();
        line = identification() != IIR_NONE;
        irq.drive(line);
    }
}
