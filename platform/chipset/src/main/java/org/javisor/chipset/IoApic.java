package org.javisor.chipset;

import org.javisor.device.Device;
import org.javisor.device.InterruptLine;
import org.javisor.device.IoApicState;
import org.javisor.device.MmioDevice;

/**
 * The 82093AA I/O APIC with 24 inputs (Intel order 290566), in the later version 20h that adds the
 * EOI register (Intel ICH data sheets, "APIC memory-mapped registers"). Level-triggered interrupts
 * are repeated after their end if the line is still high; a masked edge is lost, as the manual
 * says.
 *
 * <p>Not modelled: input polarity (every line here is active when driven), the arbitration bus.
 */
public final class IoApic implements Device<IoApicState>, MmioDevice {
    private static final int INPUTS = 24;

    private static final int SELECT = 0x00;
    private static final int WINDOW = 0x10;
    private static final int EOI = 0x40;

    private static final int ID = 0;
    private static final int VERSION = 1;
    private static final int ARBITRATION = 2;
    private static final int REDIRECTION = 0x10;

    private static final long LEVEL = 1L << 15;
    private static final long MASKED = 1L << 16;
    private static final long REMOTE_IRR = 1L << 14;
    private static final long READ_ONLY = REMOTE_IRR | 1L << 12;
    private static final long WRITABLE = 0xff00_0000_0001_afffL;

    private final InterruptMessageBus bus;

    private final long[] redirection = new long[INPUTS];
    private int lines;
    private int select;
    private int id;

    public IoApic(InterruptMessageBus bus) {
        this.bus = bus;
        reset();
    }

    /** Input {@code pin}, 0 to 23. */
    public InterruptLine input(int pin) {
        if (pin < 0 || pin >= INPUTS) {
            throw new IllegalArgumentException("No such I/O APIC input: " + pin);
        }
        return asserted -> drive(pin, asserted);
    }

    private synchronized void drive(int pin, boolean asserted) {
        int bit = 1 << pin;
        boolean rises = asserted && (lines & bit) == 0;
        lines = asserted ? lines | bit : lines & ~bit;
        long entry = redirection[pin];
        if ((entry & LEVEL) != 0) {
            deliverLevel(pin);
        } else if (rises && (entry & MASKED) == 0) {
            send(entry);
        }
    }

    private void deliverLevel(int pin) {
        long entry = redirection[pin];
        if ((entry & (LEVEL | MASKED | REMOTE_IRR)) != LEVEL || (lines >> pin & 1) == 0) {
            return;
        }
        int mode = mode(entry);
        if (mode == DeliveryMode.FIXED || mode == DeliveryMode.LOWEST_PRIORITY) {
            // Set before the message goes out: its end may come back on another thread at once.
            redirection[pin] = entry | REMOTE_IRR;
        }
        send(entry);
    }

    private void send(long entry) {
        int mode = mode(entry);
        boolean level = (entry & LEVEL) != 0 && mode <= DeliveryMode.LOWEST_PRIORITY;
        bus.deliver((int) (entry >>> 56), (entry & 1 << 11) != 0, mode, (int) entry & 0xff, level);
    }

    private static int mode(long entry) {
        return (int) (entry >> 8) & 7;
    }

    /** A processor has finished a level-triggered interrupt. To be called without any lock held. */
    public synchronized void endOfInterrupt(int vector) {
        for (int pin = 0; pin < INPUTS; pin++) {
            long entry = redirection[pin];
            if ((entry & REMOTE_IRR) != 0 && (entry & 0xff) == vector) {
                redirection[pin] = entry & ~REMOTE_IRR;
                deliverLevel(pin);
            }
        }
    }

    @Override
    public synchronized long readMmio(long offset, int size) {
        int register = (int) offset & 0xf0;
        int value =
                switch (register) {
                    case SELECT -> select;
                    case WINDOW -> readRegister();
                    default -> 0;
                };
        int within = (int) offset & 0xf;
        long shifted = within > 3 ? 0 : (value & 0xffffffffL) >>> (8 * within);
        return size >= 4 ? shifted : shifted & (1L << 8 * size) - 1;
    }

    @Override
    public synchronized void writeMmio(long offset, int size, long value) {
        if ((offset & 0xf) != 0) {
            return;
        }
        switch ((int) offset & 0xf0) {
            case SELECT -> select = (int) value & 0xff;
            case WINDOW -> writeRegister((int) value);
            case EOI -> endOfInterrupt((int) value & 0xff);
            default -> {}
        }
    }

    private int readRegister() {
        return switch (select) {
            case ID, ARBITRATION -> id << 24;
            case VERSION -> (INPUTS - 1) << 16 | 0x20;
            default -> {
                int pin = select - REDIRECTION >> 1;
                if (select < REDIRECTION || pin >= INPUTS) {
                    yield 0;
                }
                yield (int) (redirection[pin] >>> (select & 1) * 32);
            }
        };
    }

    private void writeRegister(int value) {
        if (select == ID) {
            id = value >>> 24 & 0xf;
            return;
        }
        int pin = select - REDIRECTION >> 1;
        if (select < REDIRECTION || pin >= INPUTS) {
            return;
        }
        long before = redirection[pin];
        long shift = (select & 1) * 32;
        long half = 0xffffffffL << shift;
        long after = before & ~half | (value & 0xffffffffL) << shift & half;
        after = after & WRITABLE | before & READ_ONLY;
        if ((after & LEVEL) == 0) {
            // Guests without the EOI register end an interrupt by switching to edge and back.
            after &= ~REMOTE_IRR;
        }
        redirection[pin] = after;
        deliverLevel(pin);
    }

    @Override
    public synchronized void reset() {
        java.util.Arrays.fill(redirection, MASKED);
        lines = 0;
        select = 0;
        id = 0;
    }

    @Override
    public synchronized IoApicState save() {
        return new IoApicState(1, select, id, redirection.clone(), lines);
    }

    @Override
    public synchronized void restore(IoApicState state) {
        for (int pin = 0; pin < INPUTS; pin++) {
            long entry = pin < state.redirection().length ? state.redirection()[pin] : MASKED;
            redirection[pin] = entry & (WRITABLE | READ_ONLY);
        }
        select = state.select() & 0xff;
        id = state.id() & 0xf;
        lines = state.lines() & (1 << INPUTS) - 1;
    }
}
