package org.javisor.testkit;

import java.util.concurrent.ConcurrentLinkedQueue;
import org.javisor.device.LocalInterruptController;
import org.javisor.hypervisor.Vcpu;

/** An interrupt controller that delivers the vectors it was given, in their order. */
public final class VectorSource implements LocalInterruptController {
    private final ConcurrentLinkedQueue<Integer> vectors = new ConcurrentLinkedQueue<>();
    private final Vcpu vcpu;
    private volatile long priority;

    /** Connects itself. */
    public VectorSource(Vcpu vcpu) {
        this.vcpu = vcpu;
        vcpu.connect(this);
    }

    /** From any thread. */
    public void request(int vector) {
        vectors.add(vector);
        vcpu.interruptRequested();
    }

    private boolean deliverable() {
        Integer next = vectors.peek();
        return next != null && next >> 4 > priority;
    }

    @Override
    public boolean interruptPending() {
        return deliverable();
    }

    @Override
    public int acknowledge() {
        return deliverable() ? vectors.remove() : -1;
    }

    @Override
    public long cr8() {
        return priority;
    }

    @Override
    public void setCr8(long newPriority) {
        priority = newPriority;
    }

    @Override
    public boolean canReadMsr(int index) {
        return index == 0x1b;
    }

    @Override
    public long readMsr(int index) {
        return 0xfee00800L;
    }

    @Override
    public boolean writeMsr(int index, long value) {
        return index == 0x1b;
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
