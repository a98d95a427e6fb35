package org.javisor.chipset;

import org.javisor.device.Device;
import org.javisor.device.InterruptLine;
import org.javisor.device.PicPairState;
import org.javisor.device.PioDevice;

/**
 * The PC's two cascaded 8259A controllers: sixteen inputs, the slave on the master's input 2. Ports
 * 20h/21h (master), A0h/A1h (slave) and the edge/level registers 4D0h/4D1h of PCI south bridges
 * (Intel 82371AB data sheet, 4.2.4).
 *
 * <p>The output INTR goes to the processors' local APICs (LINT0), which come back for the vector
 * through {@link #acknowledge()}.
 */
public final class PicPair implements Device<PicPairState> {
    private static final int CASCADE = 2;

    /** Timer, keyboard and cascade are always edge-triggered; on the slave, RTC and coprocessor. */
    private static final int MASTER_LEVEL_CAPABLE = 0xf8;

    private static final int SLAVE_LEVEL_CAPABLE = 0xde;

    private final InterruptLine intr;
    private final Pic8259 master = new Pic8259(true, MASTER_LEVEL_CAPABLE);
    private final Pic8259 slave = new Pic8259(false, SLAVE_LEVEL_CAPABLE);

    /**
     * @param intr the processors' interrupt request pin
     */
    public PicPair(InterruptLine intr) {
        this.intr = intr;
    }

    /** Input {@code irq}, 0 to 15; 2 is the cascade and leads nowhere. */
    public InterruptLine input(int irq) {
        if (irq < 0 || irq > 15) {
            throw new IllegalArgumentException("No such interrupt input: " + irq);
        }
        return irq == CASCADE ? InterruptLine.UNCONNECTED : asserted -> drive(irq, asserted);
    }

    private synchronized void drive(int irq, boolean asserted) {
        (irq < 8 ? master : slave).setInput(irq & 7, asserted);
        update();
    }

    /**
     * The processor's interrupt-acknowledge cycle: the vector; a spurious one if the request has
     * gone away.
     */
    public synchronized int acknowledge() {
        int input = master.acknowledge();
        int vector = master.vector(input);
        if (input == CASCADE) {
            vector = slave.vector(slave.acknowledge());
            // The cycle takes the slave's INT low, so that what else it has pending makes a new
            // edge.
            master.setCascade(false);
        }
        update();
        return vector;
    }

    /** The master's two ports. */
    public PioDevice master() {
        return new Ports(master);
    }

    /** The slave's two ports. */
    public PioDevice slave() {
        return new Ports(slave);
    }

    /** The two edge/level registers, master's first. */
    public PioDevice edgeLevel() {
        return new EdgeLevelPorts();
    }

    private final class Ports implements ByteRegisters {
        private final Pic8259 chip;

        Ports(Pic8259 chip) {
            this.chip = chip;
        }

        @Override
        public int readByte(int offset) {
            synchronized (PicPair.this) {
                int value = chip.read((offset & 1) != 0);
                update();
                return value;
            }
        }

        @Override
        public void writeByte(int offset, int value) {
            synchronized (PicPair.this) {
                chip.write((offset & 1) != 0, value);
                update();
            }
        }
    }

    private final class EdgeLevelPorts implements ByteRegisters {
        @Override
        public int readByte(int offset) {
            synchronized (PicPair.this) {
                return ((offset & 1) == 0 ? master : slave).edgeLevel();
            }
        }

        @Override
        public void writeByte(int offset, int value) {
            synchronized (PicPair.this) {
                ((offset & 1) == 0 ? master : slave).setEdgeLevel(value);
                update();
            }
        }
    }

    private void update() {
        master.setCascade(slave.pending() >= 0);
        intr.drive(master.pending() >= 0);
    }

    @Override
    public synchronized void reset() {
        master.reset();
        slave.reset();
        update();
    }

    @Override
    public synchronized PicPairState save() {
        return new PicPairState(1, master.save(), slave.save());
    }

    @Override
    public synchronized void restore(PicPairState state) {
        master.restore(state.master());
        slave.restore(state.slave());
        update();
    }
}
