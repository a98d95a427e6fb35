package org.javisor.chipset;

/**
 * Numbers of the local APIC's registers: the xAPIC offset divided by 16, the x2APIC MSR less 800h
 * (Intel SDM vol. 3A, tables 11-1 and 11-6).
 */
final class ApicRegister {
    static final int ID = 0x02;
    static final int VERSION = 0x03;
    static final int TASK_PRIORITY = 0x08;
    static final int PROCESSOR_PRIORITY = 0x0a;
    static final int EOI = 0x0b;
    static final int LOGICAL_DESTINATION = 0x0d;
    static final int DESTINATION_FORMAT = 0x0e;
    static final int SPURIOUS = 0x0f;

    /** The first of eight, as the two after it. */
    static final int IN_SERVICE = 0x10;

    static final int TRIGGER_MODE = 0x18;
    static final int REQUEST = 0x20;
    static final int ERROR_STATUS = 0x28;
    static final int COMMAND_LOW = 0x30;

    /** xAPIC only; in x2APIC mode the command is one register. */
    static final int COMMAND_HIGH = 0x31;

    /** The first of six LVT entries. */
    static final int LVT_TIMER = 0x32;

    static final int LVT_ERROR = 0x37;
    static final int TIMER_INITIAL = 0x38;
    static final int TIMER_CURRENT = 0x39;
    static final int TIMER_DIVIDE = 0x3e;

    /** x2APIC only. */
    static final int SELF_IPI = 0x3f;

    /** Bits of the spurious-interrupt vector register that are not reserved. */
    static final int SPURIOUS_WRITABLE = 0x13ff;

    /** Bits of the interrupt command that are. */
    static final long COMMAND_RESERVED = 0xfff3_2000L;

    private ApicRegister() {}

    /** Whether there is such a register in either mode. */
    static boolean exists(int register) {
        return switch (register) {
            case ID, VERSION, TASK_PRIORITY, PROCESSOR_PRIORITY, EOI -> true;
            case LOGICAL_DESTINATION, DESTINATION_FORMAT, SPURIOUS -> true;
            case TIMER_INITIAL, TIMER_CURRENT, TIMER_DIVIDE, SELF_IPI -> true;
            default ->
                    register >= IN_SERVICE && register <= ERROR_STATUS
                            || register >= COMMAND_LOW && register <= LVT_ERROR;
        };
    }

    /** Whether software may read it as an MSR (table 11-6); if not, #GP. */
    static boolean msrReadable(int register) {
        return switch (register) {
            case EOI, SELF_IPI, DESTINATION_FORMAT, COMMAND_HIGH -> false;
            default -> exists(register);
        };
    }

    /**
     * Whether software may write this value to it as an MSR: reserved bits and read-only registers
     * raise #GP.
     */
    static boolean msrWritable(int register, long value) {
        int entry = lvtEntry(register);
        long allowed =
                switch (register) {
                    case TASK_PRIORITY, SELF_IPI -> 0xff;
                    case EOI, ERROR_STATUS -> 0;
                    case SPURIOUS -> SPURIOUS_WRITABLE;
                    case COMMAND_LOW -> ~COMMAND_RESERVED;
                    case TIMER_INITIAL -> 0xffffffffL;
                    case TIMER_DIVIDE -> 0xb;
                    default -> entry < 0 ? 0 : LocalVectorTable.defined(entry);
                };
        return (writable(register) || entry >= 0) && (value & ~allowed) == 0;
    }

    private static boolean writable(int register) {
        return switch (register) {
            case TASK_PRIORITY, EOI, SPURIOUS, ERROR_STATUS, COMMAND_LOW -> true;
            case TIMER_INITIAL, TIMER_DIVIDE, SELF_IPI -> true;
            default -> false;
        };
    }

    /**
     * Which of the six LVT entries the register is, or -1: timer, thermal, performance, LINT0,
     * LINT1, error.
     */
    static int lvtEntry(int register) {
        return register >= LVT_TIMER && register <= LVT_ERROR ? register - LVT_TIMER : -1;
    }
}
