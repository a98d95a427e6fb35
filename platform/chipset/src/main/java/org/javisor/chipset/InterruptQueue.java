package org.javisor.chipset;

import org.javisor.device.LocalApicState;

/**
 * The interrupts a local APIC has accepted, and their priorities (Intel SDM vol. 3A, 11.8.3 and
 * 11.8.4): IRR, ISR, TMR, TPR, PPR. Any thread may request; the rest is the processor's own
 * thread's.
 */
final class InterruptQueue {
    private final VectorSet requested = new VectorSet();
    private final VectorSet inService = new VectorSet();
    private final VectorSet level = new VectorSet();

    private int taskPriority;

    /** Read by senders, who look for the least busy processor. */
    private volatile int processorPriority;

    void clear() {
        requested.clear();
        inService.clear();
        level.clear();
        taskPriority = 0;
        updatePriority();
    }

    void request(int vector, boolean levelTriggered) {
        if (levelTriggered) {
            level.add(vector);
        } else {
            level.remove(vector);
        }
        requested.add(vector);
    }

    /** The highest requested vector if its priority class is above the processor's, or -1. */
    int deliverable() {
        int vector = requested.highest();
        return vector >= 0 && vector >> 4 > processorPriority >> 4 ? vector : -1;
    }

    /** The processor takes a deliverable vector. */
    void begin(int vector) {
        requested.remove(vector);
        inService.add(vector);
        updatePriority();
    }

    /** The end of the interrupt in service: its vector, or -1 if none is. */
    int end() {
        int vector = inService.highest();
        if (vector >= 0) {
            inService.remove(vector);
            updatePriority();
        }
        return vector;
    }

    boolean levelTriggered(int vector) {
        return level.contains(vector);
    }

    int taskPriority() {
        return taskPriority;
    }

    void setTaskPriority(int value) {
        taskPriority = value & 0xff;
        updatePriority();
    }

    int processorPriority() {
        return processorPriority;
    }

    private void updatePriority() {
        int highest = Math.max(inService.highest(), 0);
        int priority = taskPriority >> 4 >= highest >> 4 ? taskPriority : highest & 0xf0;
        // A volatile store is dear, and most updates change nothing.
        if (priority != processorPriority) {
            processorPriority = priority;
        }
    }

    /** One of the 24 registers from ISR to IRR. */
    int register(int index) {
        VectorSet set =
                index < ApicRegister.TRIGGER_MODE
                        ? inService
                        : index < ApicRegister.REQUEST ? level : requested;
        return set.register(index & 7);
    }

    long[] requested() {
        return requested.save();
    }

    long[] inService() {
        return inService.save();
    }

    long[] level() {
        return level.save();
    }

    void restore(LocalApicState state) {
        requested.restore(state.irr());
        inService.restore(state.isr());
        level.restore(state.tmr());
        taskPriority = state.tpr() & 0xff;
        updatePriority();
    }
}
