package org.javisor.kvm;

/**
 * What a host's KVM may or may not offer (Linux Documentation/virt/kvm/api.rst), as far as this
 * engine asks.
 *
 * <p>Without those called essential there is no running on it. Without another the engine does less
 * or takes another way, as {@link #without} says.
 */
public enum Capability {
    USER_MEMORY(3, true, "guest memory cannot be given to it"),
    EXT_CPUID(7, true, "processors cannot be described to guests"),
    MP_STATE(14, true, "processors cannot be put to sleep"),
    USER_NMI(22, true, "non-maskable interrupts cannot be delivered"),
    VCPU_EVENTS(41, true, "a processor's state cannot be read in full"),
    DEBUGREGS(50, true, "a processor's state cannot be read in full"),
    XSAVE(55, true, "a processor's state cannot be read in full"),
    XCRS(56, true, "a processor's state cannot be read in full"),
    IMMEDIATE_EXIT(136, true, "a processor cannot be stopped reliably"),

    IRQCHIP(0, false, "interrupt controllers and timer chip are Javisor's own"),
    PIT2(33, false, "interrupt controllers and timer chip are Javisor's own"),
    PIT_STATE2(35, false, "interrupt controllers and timer chip are Javisor's own"),
    REINJECT_CONTROL(
            24, false, "ticks of the kernel's timer chip that were missed are made up for"),
    IRQFD(32, false, "each interrupt message of a device is a call of its own"),
    IOEVENTFD(36, false, "a driver's notification of a virtio device stops the processor"),
    IOEVENTFD_ANY_LENGTH(122, false, "notifications are taken in their usual size only"),
    SPLIT_IRQCHIP(121, false, "local APICs are Javisor's own"),
    SIGNAL_MSI(77, false, "local APICs are Javisor's own"),
    IRQ_ROUTING(25, false, "local APICs are Javisor's own"),
    READONLY_MEM(81, false, "guests can write to what is meant to be read-only memory"),
    DIRTY_LOG_RING(192, false, "pages that a guest writes are told by a bitmap only"),
    SET_TSS_ADDR(4, false, "old Intel processors cannot run real mode"),
    SET_IDENTITY_MAP_ADDR(37, false, "old Intel processors cannot run real mode"),
    SET_GUEST_DEBUG(23, false, "debuggers cannot stop the guest"),
    X86_USER_SPACE_MSR(188, false, "APICs of Javisor's own have no x2APIC mode"),
    X86_MSR_FILTER(189, false, "APICs of Javisor's own cannot be moved or switched off"),
    TSC_DEADLINE_TIMER(72, false, "the local timer counts instead of comparing"),
    ADJUST_CLOCK(39, false, "the guest's clock jumps when a paused machine goes on"),
    GET_TSC_KHZ(61, false, "the counter's frequency is estimated");

    private final int number;
    private final boolean essential;
    private final String without;

    Capability(int number, boolean essential, String without) {
        this.number = number;
        this.essential = essential;
        this.without = without;
    }

    /** The number of {@code KVM_CAP_} and this name. */
    int number() {
        return number;
    }

    public boolean essential() {
        return essential;
    }

    /** What it means if it is missing. */
    public String without() {
        return without;
    }
}
