package org.javisor.chipset;

import org.javisor.device.InterruptLine;

/**
 * The wiring of the ISA interrupts: each goes to the PIC pair and to the I/O APIC, which a guest
 * uses one of and masks the other. ISA number and I/O APIC input agree, except that the timer's
 * interrupt 0 is on input 2.
 */
public final class IsaInterrupts {
    private final PicPair pics;
    private final IoApic ioApic;

    public IsaInterrupts(PicPair pics, IoApic ioApic) {
        this.pics = pics;
        this.ioApic = ioApic;
    }

    /** The line of ISA interrupt {@code irq}, 0 to 15. Each has one driver. */
    public InterruptLine line(int irq) {
        InterruptLine pic = pics.input(irq);
        InterruptLine apic = ioApic.input(irq == PcPorts.PIT_IRQ ? PcPorts.IO_APIC_PIT_INPUT : irq);
        return asserted -> {
            pic.drive(asserted);
            apic.drive(asserted);
        };
    }
}
