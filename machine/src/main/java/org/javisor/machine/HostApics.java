package org.javisor.machine;

import java.util.ArrayList;
import java.util.List;
import org.javisor.chipset.InterruptMessageBus;
import org.javisor.chipset.IoApic;
import org.javisor.chipset.PicPair;
import org.javisor.device.InterruptLine;
import org.javisor.device.LocalApicState;
import org.javisor.device.LocalInterruptController;
import org.javisor.device.MessageInterrupts;
import org.javisor.hypervisor.Vcpu;

/**
 * Local APICs that the engine brings along, inside the host's kernel. The board's I/O APIC reaches
 * them by messages, its PIC by the first processor, which asks for the vector.
 */
final class HostApics implements ProcessorApics, InterruptMessageBus {
    private static final long MESSAGE_ADDRESS = 0xfee00000L;
    private static final int LOGICAL = 1 << 2, ASSERTED = 1 << 14, LEVEL = 1 << 15;

    private MessageInterrupts messages = MessageInterrupts.UNCONNECTED;
    private volatile IoApic[] ioApics = new IoApic[0];
    private volatile boolean external;
    private volatile Runnable ring = () -> {};
    private volatile PicPair pics;
    private final List<Vcpu> vcpus = new ArrayList<>();

    /** Must precede everything else. */
    void deliverTo(MessageInterrupts engine) {
        messages = engine;
    }

    void endOfInterrupt(int vector) {
        for (IoApic ioApic : ioApics) {
            ioApic.endOfInterrupt(vector);
        }
    }

    @Override
    public InterruptMessageBus bus() {
        return this;
    }

    @Override
    public MessageInterrupts messages() {
        return messages;
    }

    @Override
    public void deliver(int destination, boolean logical, int mode, int vector, boolean level) {
        long address =
                MESSAGE_ADDRESS | (long) (destination & 0xff) << 12 | (logical ? LOGICAL : 0);
        messages.deliver(address, vector | mode << 8 | (level ? LEVEL | ASSERTED : 0));
    }

    @Override
    public InterruptLine intr() {
        return asserted -> {
            external = asserted;
            if (asserted) {
                ring.run();
            }
        };
    }

    @Override
    public void attach(PicPair newPics) {
        pics = newPics;
    }

    @Override
    public void attach(IoApic ioApic) {
        IoApic[] more = java.util.Arrays.copyOf(ioApics, ioApics.length + 1);
        more[ioApics.length] = ioApic;
        ioApics = more;
    }

    @Override
    public void connect(Vcpu vcpu, BoardIo io) {
        vcpus.add(vcpu);
        ExternalInterrupts source = new ExternalInterrupts(vcpu.index() == 0);
        vcpu.connect(source);
        io.connect(source);
        if (vcpu.index() == 0) {
            ring = vcpu::interruptRequested;
        }
    }

    /** The engine resets them with their processors. */
    @Override
    public void reset() {}

    @Override
    public LocalApicState save(int index) {
        return vcpus.get(index).localApic();
    }

    @Override
    public void restore(int index, LocalApicState state) {
        vcpus.get(index).setLocalApic(state);
    }

    /** The PIC as a processor's only controller outside the engine: no registers, only vectors. */
    private final class ExternalInterrupts implements LocalInterruptController {
        private final boolean wired;

        ExternalInterrupts(boolean wired) {
            this.wired = wired;
        }

        @Override
        public boolean interruptPending() {
            return wired && external;
        }

        @Override
        public int acknowledge() {
            return interruptPending() ? pics.acknowledge() : -1;
        }

        @Override
        public long cr8() {
            return 0;
        }

        @Override
        public void setCr8(long priority) {}

        @Override
        public boolean canReadMsr(int index) {
            return false;
        }

        @Override
        public long readMsr(int index) {
            return 0;
        }

        @Override
        public boolean writeMsr(int index, long value) {
            return false;
        }

        @Override
        public long mmioBase() {
            return -1;
        }

        @Override
        public long readMmio(int offset, int size) {
            return 0;
        }

        @Override
        public void writeMmio(int offset, int size, long value) {}
    }
}
