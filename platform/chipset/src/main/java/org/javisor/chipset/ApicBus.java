package org.javisor.chipset;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import org.javisor.device.InterruptLine;
import org.javisor.device.MessageInterrupts;

/**
 * What the local APICs of one machine are connected by (Intel SDM vol. 3A, 11.6.2 "Determining IPI
 * destination" and 11.11 "Message signalled interrupts"): routes interprocessor interrupts,
 * messages of I/O APICs and of PCI devices to the local APICs they are meant for, ends of
 * level-triggered interrupts back to the I/O APICs, and the PIC's INTR to every LINT0.
 *
 * <p>Routing takes no lock. Chips are attached while the machine is built, before any processor
 * runs.
 */
public final class ApicBus implements InterruptMessageBus, MessageInterrupts {
    /** Shorthands of an IPI's destination, as in bits 18 and 19 of the ICR. */
    static final int SELF = 1;

    static final int ALL_INCLUDING_SELF = 2;
    static final int ALL_BUT_SELF = 3;

    /** Bits 20 and up of the address of every message. */
    private static final long MSI_WINDOW = 0xfee;

    private volatile LocalApic[] locals = new LocalApic[0];
    private volatile IoApic[] ioApics = new IoApic[0];
    private volatile IntSupplier pic = () -> -1;
    private volatile boolean intrAsserted;

    /** Which of several equally good processors takes the next lowest-priority interrupt. */
    private final AtomicInteger turn = new AtomicInteger();

    /** Called by each local APIC when it is built. */
    synchronized void attach(LocalApic local) {
        LocalApic[] more = Arrays.copyOf(locals, locals.length + 1);
        more[locals.length] = local;
        locals = more;
    }

    /** Makes an I/O APIC hear of the ends of interrupts. */
    public synchronized void attach(IoApic ioApic) {
        IoApic[] more = Arrays.copyOf(ioApics, ioApics.length + 1);
        more[ioApics.length] = ioApic;
        ioApics = more;
    }

    /** Makes processors fetch the vectors of external interrupts from here. */
    public void attach(PicPair pics) {
        pic = pics::acknowledge;
    }

    /** The wire from the PIC's INTR output to LINT0 of every processor. */
    public InterruptLine intr() {
        return asserted -> {
            boolean rises = asserted && !intrAsserted;
            intrAsserted = asserted;
            for (LocalApic local : locals) {
                local.intrChanged(rises);
            }
        };
    }

    /**
     * The wire to LINT1 of every processor, where a PC's board reports memory and bus errors;
     * rising edges count.
     */
    public InterruptLine nmi() {
        return asserted -> {
            if (asserted) {
                for (LocalApic local : locals) {
                    local.localNmi();
                }
            }
        };
    }

    boolean intrAsserted() {
        return intrAsserted;
    }

    /** The PIC's acknowledge cycle; to be called without any lock held. */
    int acknowledgeExternal() {
        return pic.getAsInt();
    }

    void endOfInterrupt(int vector) {
        for (IoApic ioApic : ioApics) {
            ioApic.endOfInterrupt(vector);
        }
    }

    @Override
    public void deliver(int destination, boolean logical, int mode, int vector, boolean level) {
        int to = destination & 0xff;
        route(!logical && to == 0xff ? ApicIdentity.ALL : to, logical, mode, vector, level);
    }

    @Override
    public void deliver(long address, int data) {
        if (address >>> 20 != MSI_WINDOW) {
            return;
        }
        int destination = (int) (address >> 12) & 0xff;
        boolean logical = (address & 1 << 2) != 0;
        boolean level = (data & 1 << 15) != 0;
        deliver(destination, logical, data >> 8 & 7, data & 0xff, level);
    }

    /**
     * An interprocessor interrupt.
     *
     * @param shorthand 0, or which group instead of {@code destination}
     * @param destination 32 bits, {@code FFFFFFFFh} meaning all
     */
    void sendIpi(
            LocalApic from, int shorthand, int destination, boolean logical, int mode, int vector) {
        if (shorthand == 0) {
            route(destination, logical, mode, vector, false);
            return;
        }
        if (shorthand == SELF) {
            from.accept(mode, vector, false);
            return;
        }
        for (LocalApic local : locals) {
            if (shorthand == ALL_INCLUDING_SELF || local != from) {
                local.accept(mode, vector, false);
            }
        }
    }

    private void route(int destination, boolean logical, int mode, int vector, boolean level) {
        if (mode == DeliveryMode.LOWEST_PRIORITY) {
            LocalApic chosen = lowestPriority(destination, logical);
            if (chosen != null) {
                chosen.accept(DeliveryMode.FIXED, vector, level);
            }
            return;
        }
        for (LocalApic local : locals) {
            if (local.matches(destination, logical)) {
                local.accept(mode, vector, level);
            }
        }
    }

    private LocalApic lowestPriority(int destination, boolean logical) {
        LocalApic[] all = locals;
        LocalApic best = null;
        int start = all.length < 2 ? 0 : Math.floorMod(turn.getAndIncrement(), all.length);
        for (int i = 0; i < all.length; i++) {
            LocalApic local = all[(start + i) % all.length];
            if (local.matches(destination, logical)
                    && local.softwareEnabled()
                    && (best == null || local.processorPriority() < best.processorPriority())) {
                best = local;
            }
        }
        return best;
    }
}
