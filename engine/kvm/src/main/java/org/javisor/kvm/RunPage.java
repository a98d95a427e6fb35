package org.javisor.kvm;

import java.lang.invoke.VarHandle;
import org.javisor.memory.RawMemory;

/**
 * The page that a processor shares with the kernel, {@code struct kvm_run}: what an exit was about,
 * and a few wishes for the next entry. Reads and writes allocate nothing.
 */
final class RunPage implements AutoCloseable {
    // Exit reasons
    static final int EXIT_UNKNOWN = 0, EXIT_IO = 2, EXIT_DEBUG = 4, EXIT_HLT = 5, EXIT_MMIO = 6;
    static final int EXIT_IRQ_WINDOW_OPEN = 7, EXIT_SHUTDOWN = 8, EXIT_FAIL_ENTRY = 9;
    static final int EXIT_INTR = 10, EXIT_SET_TPR = 11, EXIT_INTERNAL_ERROR = 17;
    static final int EXIT_SYSTEM_EVENT = 24, EXIT_IOAPIC_EOI = 26;
    static final int EXIT_RDMSR = 29, EXIT_WRMSR = 30, EXIT_DIRTY_RING_FULL = 31;

    static final int INTERNAL_ERROR_EMULATION = 1;

    private static final int REQUEST_WINDOW = at("request_interrupt_window");
    private static final int IMMEDIATE_EXIT = at("immediate_exit");
    private static final int REASON = at("exit_reason");
    private static final int READY = at("ready_for_interrupt_injection");
    private static final int IF_FLAG = at("if_flag");
    private static final int CR8 = at("cr8");
    private static final int APIC_BASE = at("apic_base");

    private static final int UNION = Layouts.size(Layouts.RUN);
    private static final int IO_DIRECTION = UNION + Layouts.offset(Layouts.RUN_IO, "direction");
    private static final int IO_SIZE = UNION + Layouts.offset(Layouts.RUN_IO, "size");
    private static final int IO_PORT = UNION + Layouts.offset(Layouts.RUN_IO, "port");
    private static final int IO_COUNT = UNION + Layouts.offset(Layouts.RUN_IO, "count");
    private static final int IO_DATA = UNION + Layouts.offset(Layouts.RUN_IO, "data_offset");
    private static final int MMIO_ADDRESS = UNION + Layouts.offset(Layouts.RUN_MMIO, "phys_addr");
    private static final int MMIO_DATA = UNION + Layouts.offset(Layouts.RUN_MMIO, "data");
    private static final int MMIO_LENGTH = UNION + Layouts.offset(Layouts.RUN_MMIO, "len");
    private static final int MMIO_WRITE = UNION + Layouts.offset(Layouts.RUN_MMIO, "is_write");
    private static final int DEBUG_EXCEPTION =
            UNION + Layouts.offset(Layouts.RUN_DEBUG, "arch.exception");
    private static final int DEBUG_DR6 = UNION + Layouts.offset(Layouts.RUN_DEBUG, "arch.dr6");
    private static final int MSR_ERROR = UNION + Layouts.offset(Layouts.RUN_MSR, "error");
    private static final int MSR_INDEX = UNION + Layouts.offset(Layouts.RUN_MSR, "index");
    private static final int MSR_DATA = UNION + Layouts.offset(Layouts.RUN_MSR, "data");
    private static final int SUBERROR = UNION + Layouts.offset(Layouts.RUN_INTERNAL, "suberror");
    private static final int ENTRY_FAILURE =
            UNION + Layouts.offset(Layouts.RUN_FAIL_ENTRY, "hardware_entry_failure_reason");
    private static final int EOI_VECTOR = UNION + Layouts.offset(Layouts.RUN_EOI, "vector");

    private final long address;
    private final long size;

    /**
     * @param size as KVM_GET_VCPU_MMAP_SIZE tells
     * @throws KvmException if it cannot be mapped
     */
    RunPage(KvmHandle vcpu, long size) {
        this.size = size;
        address = LinuxCalls.map(vcpu.fd(), size, 0);
        if (address < 0 && address > -4096) {
            throw new KvmException("Mapping a processor's page", (int) -address);
        }
    }

    private static int at(String member) {
        return Layouts.offset(Layouts.RUN, member);
    }

    private int u8(int offset) {
        return RawMemory.getByte(address + offset) & 0xff;
    }

    int reason() {
        return RawMemory.getInt(address + REASON);
    }

    void requestInterruptWindow(boolean wanted) {
        RawMemory.putByte(address + REQUEST_WINDOW, (byte) (wanted ? 1 : 0));
    }

    /** Makes KVM_RUN finish what it has begun and return with EINTR. From any thread. */
    void immediateExit(boolean wanted) {
        VarHandle.fullFence();
        RawMemory.putByte(address + IMMEDIATE_EXIT, (byte) (wanted ? 1 : 0));
        VarHandle.fullFence();
    }

    /** Whether at the last exit an interrupt could have been injected. */
    boolean readyForInterrupt() {
        return u8(READY) != 0 && u8(IF_FLAG) != 0;
    }

    boolean interruptFlag() {
        return u8(IF_FLAG) != 0;
    }

    long cr8() {
        return RawMemory.getLong(address + CR8);
    }

    void setCr8(long value) {
        RawMemory.putLong(address + CR8, value);
    }

    long apicBase() {
        return RawMemory.getLong(address + APIC_BASE);
    }

    void setApicBase(long value) {
        RawMemory.putLong(address + APIC_BASE, value);
    }

    boolean ioOut() {
        return u8(IO_DIRECTION) != 0;
    }

    int ioSize() {
        return u8(IO_SIZE);
    }

    int ioPort() {
        return RawMemory.getShort(address + IO_PORT) & 0xffff;
    }

    int ioCount() {
        return RawMemory.getInt(address + IO_COUNT);
    }

    /** The value of the {@code n}th access of a repeated one. */
    int ioData(int n, int bytes) {
        long at = address + RawMemory.getLong(address + IO_DATA) + (long) n * bytes;
        return switch (bytes) {
            case 1 -> RawMemory.getByte(at) & 0xff;
            case 2 -> RawMemory.getShort(at) & 0xffff;
            default -> RawMemory.getInt(at);
        };
    }

    void putIoData(int n, int bytes, int value) {
        long at = address + RawMemory.getLong(address + IO_DATA) + (long) n * bytes;
        switch (bytes) {
            case 1 -> RawMemory.putByte(at, (byte) value);
            case 2 -> RawMemory.putShort(at, (short) value);
            default -> RawMemory.putInt(at, value);
        }
    }

    long mmioAddress() {
        return RawMemory.getLong(address + MMIO_ADDRESS);
    }

    int mmioLength() {
        return RawMemory.getInt(address + MMIO_LENGTH);
    }

    boolean mmioWrite() {
        return u8(MMIO_WRITE) != 0;
    }

    long mmioData() {
        return RawMemory.getLong(address + MMIO_DATA);
    }

    void putMmioData(long value) {
        RawMemory.putLong(address + MMIO_DATA, value);
    }

    int debugException() {
        return RawMemory.getInt(address + DEBUG_EXCEPTION);
    }

    long debugDr6() {
        return RawMemory.getLong(address + DEBUG_DR6);
    }

    int msrIndex() {
        return RawMemory.getInt(address + MSR_INDEX);
    }

    long msrData() {
        return RawMemory.getLong(address + MSR_DATA);
    }

    void answerMsr(boolean known, long value) {
        RawMemory.putByte(address + MSR_ERROR, (byte) (known ? 0 : 1));
        RawMemory.putLong(address + MSR_DATA, value);
    }

    int suberror() {
        return RawMemory.getInt(address + SUBERROR);
    }

    long entryFailure() {
        return RawMemory.getLong(address + ENTRY_FAILURE);
    }

    int eoiVector() {
        return u8(EOI_VECTOR);
    }

    @Override
    public void close() {
        LinuxCalls.unmap(address, size);
    }
}
