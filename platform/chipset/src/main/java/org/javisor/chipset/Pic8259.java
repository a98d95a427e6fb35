package org.javisor.chipset;

import org.javisor.device.PicPairState;

/**
 * One 8259A interrupt controller (Intel 8259A data sheet, order 231468), without a lock of its own:
 * {@link PicPair} holds one over both. Modelled: initialization, all OCW2 commands, special mask
 * and special fully nested mode, poll, automatic EOI, and the edge/level register of the PC's south
 * bridges. Not modelled: 8080 mode and buffered mode.
 */
final class Pic8259 {
    private static final int ICW1 = 0x10;
    private static final int OCW3 = 0x08;
    private static final int CASCADE = 1 << 2;

    private final boolean master;
    private final int edgeLevelWritable;

    private int lines;
    private int irr;
    private int isr;
    private int imr;
    private int edgeLevel;
    private int vectorBase;
    private int initStep;
    private boolean needsIcw4;
    private int lowest = 7;
    private boolean readIsr;
    private boolean poll;
    private boolean specialMask;
    private boolean specialFullyNested;
    private boolean autoEoi;
    private boolean rotateOnAutoEoi;

    /**
     * @param edgeLevelWritable inputs that may be switched to level triggering, one bit each
     */
    Pic8259(boolean master, int edgeLevelWritable) {
        this.master = master;
        this.edgeLevelWritable = edgeLevelWritable;
    }

    void reset() {
        restore(
                new PicPairState.Chip(
                        0, 0, 0, 0, 0, 0, 0, false, 7, false, false, false, false, false, false));
    }

    void setInput(int input, boolean asserted) {
        int bit = 1 << input;
        if (asserted) {
            if ((lines & bit) == 0 || (edgeLevel & bit) != 0) {
                irr |= bit;
            }
            lines |= bit;
        } else {
            lines &= ~bit;
            if ((edgeLevel & bit) != 0) {
                irr &= ~bit;
            }
        }
    }

    /**
     * The slave's INT on the master's input 2. Unlike a device's pulse, which stays latched so that
     * it cannot be lost, a request that the slave has withdrawn is gone, as it is in the chip.
     */
    void setCascade(boolean asserted) {
        setInput(2, asserted);
        if (!asserted) {
            irr &= ~CASCADE;
        }
    }

    /** The input whose interrupt INT announces now, or -1 if INT is low. */
    int pending() {
        int requested = priorityOf(irr & ~imr);
        if (requested == 8) {
            return -1;
        }
        int blocking = specialMask ? isr & ~imr : isr;
        if (specialFullyNested && master) {
            // The slave's own ISR tells its inputs apart; the master must let a better one through.
            blocking &= ~CASCADE;
        }
        return requested < priorityOf(blocking) ? inputAt(requested) : -1;
    }

    /**
     * The acknowledge cycle: marks the pending input in service; a request that has gone away reads
     * as input 7.
     */
    int acknowledge() {
        int input = pending();
        if (input < 0) {
            return 7;
        }
        int bit = 1 << input;
        if (autoEoi) {
            if (rotateOnAutoEoi) {
                lowest = input;
            }
        } else {
            isr |= bit;
        }
        if ((edgeLevel & bit) == 0) {
            irr &= ~bit;
        }
        return input;
    }

    int vector(int input) {
        return vectorBase | input;
    }

    int read(boolean odd) {
        if (poll) {
            poll = false;
            return pending() < 0 ? 0 : 0x80 | acknowledge();
        }
        if (odd) {
            return imr;
        }
        return readIsr ? isr : irr;
    }

    void write(boolean odd, int value) {
        if (odd) {
            writeOdd(value);
        } else if ((value & ICW1) != 0) {
            initialize(value);
        } else if ((value & OCW3) != 0) {
            control(value);
        } else {
            endOfInterrupt(value);
        }
    }

    private void initialize(int icw1) {
        // Edge-triggered requests are forgotten; level-triggered ones are as long as their line is
        // high.
        irr = lines & edgeLevel;
        isr = 0;
        imr = 0;
        lowest = 7;
        readIsr = false;
        poll = false;
        specialMask = false;
        specialFullyNested = false;
        autoEoi = false;
        rotateOnAutoEoi = false;
        initStep = 2;
        needsIcw4 = (icw1 & 1) != 0;
    }

    private void writeOdd(int value) {
        switch (initStep) {
            case 2 -> {
                vectorBase = value & 0xf8;
                initStep = 3;
            }
            case 3 -> initStep = needsIcw4 ? 4 : 0;
            case 4 -> {
                specialFullyNested = (value & 0x10) != 0;
                autoEoi = (value & 0x02) != 0;
                initStep = 0;
            }
            default -> imr = value;
        }
    }

    private void control(int ocw3) {
        if ((ocw3 & 0x40) != 0) {
            specialMask = (ocw3 & 0x20) != 0;
        }
        if ((ocw3 & 0x04) != 0) {
            poll = true;
        }
        if ((ocw3 & 0x02) != 0) {
            readIsr = (ocw3 & 0x01) != 0;
        }
    }

    private void endOfInterrupt(int ocw2) {
        int named = ocw2 & 7;
        switch (ocw2 >> 5) {
            case 0 -> rotateOnAutoEoi = false;
            case 4 -> rotateOnAutoEoi = true;
            case 1 -> endHighest(false);
            case 5 -> endHighest(true);
            case 3 -> isr &= ~(1 << named);
            case 6 -> lowest = named;
            case 7 -> {
                isr &= ~(1 << named);
                lowest = named;
            }
            default -> {}
        }
    }

    private void endHighest(boolean rotate) {
        // In special mask mode a non-specific EOI must not clear an input that is masked.
        int priority = priorityOf(specialMask ? isr & ~imr : isr);
        if (priority < 8) {
            int input = inputAt(priority);
            isr &= ~(1 << input);
            if (rotate) {
                lowest = input;
            }
        }
    }

    /** 0 for the best priority among the inputs, 8 if there are none. */
    private int priorityOf(int inputs) {
        int rotated = (inputs << 8 | inputs) >> (lowest + 1 & 7);
        return (rotated & 0xff) == 0 ? 8 : Integer.numberOfTrailingZeros(rotated);
    }

    private int inputAt(int priority) {
        return priority + lowest + 1 & 7;
    }

    int edgeLevel() {
        return edgeLevel;
    }

    void setEdgeLevel(int value) {
        edgeLevel = value & edgeLevelWritable;
        irr |= lines & edgeLevel;
    }

    PicPairState.Chip save() {
        return new PicPairState.Chip(
                lines,
                irr,
                isr,
                imr,
                edgeLevel,
                vectorBase,
                initStep,
                needsIcw4,
                lowest,
                readIsr,
                poll,
                specialMask,
                specialFullyNested,
                autoEoi,
                rotateOnAutoEoi);
    }

    void restore(PicPairState.Chip state) {
        lines = state.lines() & 0xff;
        irr = state.irr() & 0xff;
        isr = state.isr() & 0xff;
        imr = state.imr() & 0xff;
        edgeLevel = state.edgeLevel() & edgeLevelWritable;
        vectorBase = state.vectorBase() & 0xf8;
        initStep = state.initStep();
        needsIcw4 = state.needsIcw4();
        lowest = state.lowest() & 7;
        readIsr = state.readIsr();
        poll = state.poll();
        specialMask = state.specialMask();
        specialFullyNested = state.specialFullyNested();
        autoEoi = state.autoEoi();
        rotateOnAutoEoi = state.rotateOnAutoEoi();
    }
}
