package org.javisor.kvm;

import java.lang.foreign.StructLayout;

/**
 * Request numbers of KVM's ioctls ({@code linux/kvm.h}), composed as {@code asm-generic/ioctl.h}
 * does: direction, size of the argument, type AEh, number.
 */
enum Ioctl {
    GET_API_VERSION(0x00),
    CREATE_VM(0x01),
    CHECK_EXTENSION(0x03),
    GET_VCPU_MMAP_SIZE(0x04),
    GET_SUPPORTED_CPUID(Ioctl.READ | Ioctl.WRITE, 0x05, Layouts.CPUID),

    CREATE_VCPU(0x41),
    GET_DIRTY_LOG(Ioctl.WRITE, 0x42, Layouts.DIRTY_LOG),
    SET_USER_MEMORY_REGION(Ioctl.WRITE, 0x46, Layouts.USER_MEMORY_REGION),
    SET_TSS_ADDR(0x47),
    SET_IDENTITY_MAP_ADDR(Ioctl.WRITE, 0x48, 8),
    CREATE_IRQCHIP(0x60),
    IRQ_LINE(Ioctl.WRITE, 0x61, Layouts.IRQ_LEVEL),
    GET_IRQCHIP(Ioctl.READ | Ioctl.WRITE, 0x62, Layouts.IRQCHIP),
    SET_IRQCHIP(Ioctl.READ, 0x63, Layouts.IRQCHIP),
    SET_GSI_ROUTING(Ioctl.WRITE, 0x6a, Layouts.IRQ_ROUTING),
    REINJECT_CONTROL(0x71),
    IRQFD(Ioctl.WRITE, 0x76, Layouts.IRQFD),
    CREATE_PIT2(Ioctl.WRITE, 0x77, Layouts.PIT_CONFIG),
    IOEVENTFD(Ioctl.WRITE, 0x79, Layouts.IOEVENTFD),
    SET_CLOCK(Ioctl.WRITE, 0x7b, Layouts.CLOCK_DATA),
    GET_CLOCK(Ioctl.READ, 0x7c, Layouts.CLOCK_DATA),
    GET_PIT2(Ioctl.READ, 0x9f, Layouts.PIT_STATE2),
    SET_PIT2(Ioctl.WRITE, 0xa0, Layouts.PIT_STATE2),
    SIGNAL_MSI(Ioctl.WRITE, 0xa5, Layouts.MSI),
    ENABLE_CAP(Ioctl.WRITE, 0xa3, Layouts.ENABLE_CAP),
    RESET_DIRTY_RINGS(0xc7),
    X86_SET_MSR_FILTER(Ioctl.WRITE, 0xc6, Layouts.MSR_FILTER),

    RUN(0x80),
    GET_REGS(Ioctl.READ, 0x81, Layouts.REGS),
    SET_REGS(Ioctl.WRITE, 0x82, Layouts.REGS),
    GET_SREGS(Ioctl.READ, 0x83, Layouts.SREGS),
    SET_SREGS(Ioctl.WRITE, 0x84, Layouts.SREGS),
    INTERRUPT(Ioctl.WRITE, 0x86, Layouts.INTERRUPT),
    GET_MSRS(Ioctl.READ | Ioctl.WRITE, 0x88, Layouts.MSRS),
    SET_MSRS(Ioctl.WRITE, 0x89, Layouts.MSRS),
    GET_LAPIC(Ioctl.READ, 0x8e, Layouts.LAPIC),
    SET_LAPIC(Ioctl.WRITE, 0x8f, Layouts.LAPIC),
    SET_CPUID2(Ioctl.WRITE, 0x90, Layouts.CPUID),
    GET_MP_STATE(Ioctl.READ, 0x98, Layouts.MP_STATE),
    SET_MP_STATE(Ioctl.WRITE, 0x99, Layouts.MP_STATE),
    NMI(0x9a),
    SET_GUEST_DEBUG(Ioctl.WRITE, 0x9b, Layouts.GUEST_DEBUG),
    GET_VCPU_EVENTS(Ioctl.READ, 0x9f, Layouts.VCPU_EVENTS),
    SET_VCPU_EVENTS(Ioctl.WRITE, 0xa0, Layouts.VCPU_EVENTS),
    GET_DEBUGREGS(Ioctl.READ, 0xa1, Layouts.DEBUGREGS),
    SET_DEBUGREGS(Ioctl.WRITE, 0xa2, Layouts.DEBUGREGS),
    GET_TSC_KHZ(0xa3),
    GET_XSAVE(Ioctl.READ, 0xa4, 4096),
    SET_XSAVE(Ioctl.WRITE, 0xa5, 4096),
    GET_XCRS(Ioctl.READ, 0xa6, Layouts.XCRS),
    SET_XCRS(Ioctl.WRITE, 0xa7, Layouts.XCRS),
    KVMCLOCK_CTRL(0xad),
    SET_DEVICE_ATTR(Ioctl.WRITE, 0xe1, Layouts.DEVICE_ATTR),
    GET_DEVICE_ATTR(Ioctl.WRITE, 0xe2, Layouts.DEVICE_ATTR),
    HAS_DEVICE_ATTR(Ioctl.WRITE, 0xe3, Layouts.DEVICE_ATTR);
    private static final int WRITE = 1, READ = 2, TYPE = 0xae;

    private final long request;

    Ioctl(int number) {
        this(0, number, 0);
    }

    Ioctl(int direction, int number, StructLayout argument) {
        this(direction, number, Layouts.size(argument));
    }

    Ioctl(int direction, int number, int size) {
        request = (long) direction << 30 | (long) size << 16 | TYPE << 8 | number;
    }

    /** The second argument of ioctl(2). */
    long request() {
        return request;
    }
}
