package org.javisor.kvm;

import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The structures of KVM's interface on x86-64, member by member under their C names (Linux's {@code
 * linux/kvm.h} and {@code asm/kvm.h}). Structures with a flexible array end before it.
 */
final class Layouts {
    static final StructLayout USER_MEMORY_REGION =
            struct(
                    "kvm_userspace_memory_region",
                    u32("slot", "flags"),
                    u64("guest_phys_addr", "memory_size", "userspace_addr"));

    static final StructLayout REGS =
            struct(
                    "kvm_regs",
                    u64("rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp"),
                    u64("r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"),
                    u64("rip", "rflags"));

    static final StructLayout SEGMENT =
            struct(
                    "kvm_segment",
                    u64("base"),
                    u32("limit"),
                    u16("selector"),
                    u8("type", "present", "dpl", "db", "s", "l", "g", "avl", "unusable"),
                    u8("padding"));

    static final StructLayout DTABLE =
            struct("kvm_dtable", u64("base"), u16("limit"), many("padding", 3, u16("")));

    static final StructLayout SREGS =
            struct(
                    "kvm_sregs",
                    Stream.of("cs", "ds", "es", "fs", "gs", "ss", "tr", "ldt")
                            .map(SEGMENT::withName),
                    Stream.of("gdt", "idt").map(DTABLE::withName),
                    u64("cr0", "cr2", "cr3", "cr4", "cr8", "efer", "apic_base"),
                    many("interrupt_bitmap", 4, u64("")));

    static final StructLayout VCPU_EVENTS =
            struct(
                    "kvm_vcpu_events",
                    u8("exception.injected", "exception.nr", "exception.has_error_code"),
                    u8("exception.pending"),
                    u32("exception.error_code"),
                    u8("interrupt.injected", "interrupt.nr", "interrupt.soft", "interrupt.shadow"),
                    u8("nmi.injected", "nmi.pending", "nmi.masked", "nmi.pad"),
                    u32("sipi_vector", "flags"),
                    u8("smi.smm", "smi.pending", "smi.smm_inside_nmi", "smi.latched_init"),
                    u8("triple_fault.pending"),
                    many("reserved", 26, u8("")),
                    u8("exception_has_payload"),
                    u64("exception_payload"));

    static final StructLayout DEBUGREGS =
            struct(
                    "kvm_debugregs",
                    many("db", 4, u64("")),
                    u64("dr6", "dr7", "flags"),
                    many("reserved", 9, u64("")));

    static final StructLayout GUEST_DEBUG =
            struct("kvm_guest_debug", u32("control", "pad"), many("arch.debugreg", 8, u64("")));

    static final StructLayout XCR = struct("kvm_xcr", u32("xcr", "reserved"), u64("value"));

    static final StructLayout XCRS =
            struct(
                    "kvm_xcrs",
                    u32("nr_xcrs", "flags"),
                    many("xcrs", 16, Stream.of(XCR)),
                    many("padding", 16, u64("")));

    static final StructLayout MSRS = struct("kvm_msrs", u32("nmsrs", "pad"));
    static final StructLayout MSR_ENTRY =
            struct("kvm_msr_entry", u32("index", "reserved"), u64("data"));

    static final StructLayout MSR_FILTER_RANGE =
            struct("kvm_msr_filter_range", u32("flags", "nmsrs", "base", ""), u64("bitmap"));
    static final StructLayout MSR_FILTER =
            struct(
                    "kvm_msr_filter",
                    u32("flags", ""),
                    many("ranges", 16, Stream.of(MSR_FILTER_RANGE)));

    static final StructLayout CPUID = struct("kvm_cpuid2", u32("nent", "padding"));
    static final StructLayout CPUID_ENTRY =
            struct(
                    "kvm_cpuid_entry2",
                    u32("function", "index", "flags", "eax", "ebx", "ecx", "edx"),
                    many("padding", 3, u32("")));

    static final StructLayout MP_STATE = struct("kvm_mp_state", u32("mp_state"));
    static final StructLayout INTERRUPT = struct("kvm_interrupt", u32("irq"));

    static final StructLayout ENABLE_CAP =
            struct(
                    "kvm_enable_cap",
                    u32("cap", "flags"),
                    many("args", 4, u64("")),
                    many("pad", 64, u8("")));
    static final StructLayout DEVICE_ATTR =
            struct("kvm_device_attr", u32("flags", "group"), u64("attr", "addr"));
    static final StructLayout CLOCK_DATA =
            struct(
                    "kvm_clock_data",
                    u64("clock"),
                    u32("flags", "pad0"),
                    u64("realtime", "host_tsc"),
                    many("pad", 4, u32("")));

    static final StructLayout DIRTY_LOG =
            struct("kvm_dirty_log", u32("slot", "padding1"), u64("dirty_bitmap"));

    static final StructLayout DIRTY_GFN =
            struct("kvm_dirty_gfn", u32("flags", "slot"), u64("offset"));

    static final StructLayout IRQ_LEVEL = struct("kvm_irq_level", u32("irq", "level"));
    static final StructLayout MSI =
            struct(
                    "kvm_msi",
                    u32("address_lo", "address_hi", "data", "flags", "devid"),
                    many("pad", 12, u8("")));
    static final StructLayout IRQ_ROUTING = struct("kvm_irq_routing", u32("nr", "flags"));
    static final StructLayout IRQ_ROUTING_ENTRY =
            struct(
                    "kvm_irq_routing_entry",
                    u32("gsi", "type", "flags", "pad"),
                    u32("u.msi.address_lo", "u.msi.address_hi", "u.msi.data"),
                    many("", 5, u32("")));
    static final StructLayout IRQFD =
            struct("kvm_irqfd", u32("fd", "gsi", "flags", "resamplefd"), many("pad", 16, u8("")));
    static final StructLayout IOEVENTFD =
            struct(
                    "kvm_ioeventfd",
                    u64("datamatch", "addr"),
                    u32("len", "fd", "flags"),
                    many("pad", 36, u8("")));

    static final StructLayout LAPIC = struct("kvm_lapic_state", many("regs", 0x400, u8("")));

    /** The chip's registers are a structure of their own. */
    static final StructLayout IRQCHIP =
            struct("kvm_irqchip", u32("chip_id", "pad"), many("chip", 64, u64("")));

    static final StructLayout PIC =
            struct(
                    "kvm_pic_state",
                    u8("last_irr", "irr", "imr", "isr", "priority_add", "irq_base"),
                    u8("read_reg_select", "poll", "special_mask", "init_state", "auto_eoi"),
                    u8("rotate_on_auto_eoi", "special_fully_nested_mode", "init4", "elcr"),
                    u8("elcr_mask"));

    static final StructLayout IO_APIC =
            struct(
                    "kvm_ioapic_state",
                    u64("base_address"),
                    u32("ioregsel", "id", "irr", "pad"),
                    many("redirtbl", 24, u64("")));

    static final StructLayout PIT_CHANNEL =
            struct(
                    "kvm_pit_channel_state",
                    u32("count"),
                    u16("latched_count"),
                    u8("count_latched", "status_latched", "status", "read_state", "write_state"),
                    u8("write_latch", "rw_mode", "mode", "bcd", "gate"),
                    u64("count_load_time"));

    static final StructLayout PIT_STATE2 =
            struct(
                    "kvm_pit_state2",
                    many("channels", 3, Stream.of(PIT_CHANNEL)),
                    u32("flags"),
                    many("reserved", 9, u32("")));

    static final StructLayout REINJECT_CONTROL =
            struct("kvm_reinject_control", u8("pit_reinject"), many("reserved", 31, u8("")));

    static final StructLayout PIT_CONFIG =
            struct("kvm_pit_config", u32("flags"), many("pad", 15, u32("")));

    /** Up to and with the beginning of the union; its parts follow, each a structure of its own. */
    static final StructLayout RUN =
            struct(
                    "kvm_run",
                    u8("request_interrupt_window", "immediate_exit"),
                    many("padding1", 6, u8("")),
                    u32("exit_reason"),
                    u8("ready_for_interrupt_injection", "if_flag"),
                    u16("flags"),
                    u64("cr8", "apic_base"));

    /** Parts of {@code kvm_run}'s union, by the member's name. */
    static final StructLayout RUN_IO =
            struct("io", u8("direction", "size"), u16("port"), u32("count"), u64("data_offset"));

    static final StructLayout RUN_MMIO =
            struct("mmio", u64("phys_addr"), many("data", 8, u8("")), u32("len"), u8("is_write"));
    static final StructLayout RUN_DEBUG =
            struct(
                    "debug",
                    u32("arch.exception", "arch.pad"),
                    u64("arch.pc", "arch.dr6", "arch.dr7"));
    static final StructLayout RUN_MSR =
            struct("msr", u8("error"), many("pad", 7, u8("")), u32("reason", "index"), u64("data"));
    static final StructLayout RUN_INTERNAL = struct("internal", u32("suberror", "ndata"));
    static final StructLayout RUN_FAIL_ENTRY =
            struct("fail_entry", u64("hardware_entry_failure_reason"), u32("cpu"));
    static final StructLayout RUN_EOI = struct("eoi", u8("vector"));

    /** By structure and member: to walk a layout's path takes a thousand times as long. */
    private static final Map<StructLayout, Map<String, Integer>> OFFSETS = new IdentityHashMap<>();

    static {
        for (StructLayout structure :
                List.of(
                        USER_MEMORY_REGION,
                        REGS,
                        SEGMENT,
                        DTABLE,
                        SREGS,
                        VCPU_EVENTS,
                        DEBUGREGS,
                        GUEST_DEBUG,
                        XCR,
                        XCRS,
                        MSRS,
                        MSR_ENTRY,
                        MSR_FILTER_RANGE,
                        MSR_FILTER,
                        CPUID,
                        CPUID_ENTRY,
                        MP_STATE,
                        INTERRUPT,
                        ENABLE_CAP,
                        DEVICE_ATTR,
                        CLOCK_DATA,
                        DIRTY_LOG,
                        IRQ_LEVEL,
                        MSI,
                        IRQ_ROUTING,
                        IRQ_ROUTING_ENTRY,
                        IRQFD,
                        IOEVENTFD,
                        LAPIC,
                        PIT_CONFIG)) {
            OFFSETS.put(structure, offsets(structure));
        }
    }

    private static Map<String, Integer> offsets(StructLayout structure) {
        Map<String, Integer> result = new HashMap<>();
        long at = 0;
        for (MemoryLayout member : structure.memberLayouts()) {
            int offset = (int) at;
            member.name().ifPresent(name -> result.put(name, offset));
            at += member.byteSize();
        }
        return Map.copyOf(result);
    }

    private Layouts() {}

    /** Where a member lies in its structure, in bytes. */
    static int offset(StructLayout structure, String member) {
        Map<String, Integer> known = OFFSETS.get(structure);
        return known != null
                ? known.get(member)
                : (int) structure.byteOffset(PathElement.groupElement(member));
    }

    static int size(StructLayout structure) {
        return (int) structure.byteSize();
    }

    /** Puts members one after the other, each at its natural alignment, as C does. */
    @SafeVarargs
    private static StructLayout struct(String name, Stream<? extends MemoryLayout>... members) {
        List<MemoryLayout> laidOut = new ArrayList<>();
        long at = 0;
        long alignment = 1;
        for (MemoryLayout member : Arrays.stream(members).flatMap(m -> m).toList()) {
            long gap = -at & member.byteAlignment() - 1;
            if (gap > 0) {
                laidOut.add(MemoryLayout.paddingLayout(gap));
            }
            laidOut.add(member);
            at += gap + member.byteSize();
            alignment = Math.max(alignment, member.byteAlignment());
        }
        long tail = -at & alignment - 1;
        if (tail > 0) {
            laidOut.add(MemoryLayout.paddingLayout(tail));
        }
        return MemoryLayout.structLayout(laidOut.toArray(MemoryLayout[]::new)).withName(name);
    }

    private static Stream<MemoryLayout> values(ValueLayout type, String... names) {
        return Arrays.stream(names)
                .map(name -> name.isEmpty() ? type.withoutName() : type.withName(name));
    }

    private static Stream<MemoryLayout> u8(String... names) {
        return values(ValueLayout.JAVA_BYTE, names);
    }

    private static Stream<MemoryLayout> u16(String... names) {
        return values(ValueLayout.JAVA_SHORT, names);
    }

    private static Stream<MemoryLayout> u32(String... names) {
        return values(ValueLayout.JAVA_INT, names);
    }

    private static Stream<MemoryLayout> u64(String... names) {
        return values(ValueLayout.JAVA_LONG, names);
    }

    private static Stream<MemoryLayout> many(
            String name, int count, Stream<? extends MemoryLayout> element) {
        MemoryLayout all =
                MemoryLayout.sequenceLayout(count, element.findFirst().orElseThrow().withoutName());
        return Stream.of(name.isEmpty() ? all : all.withName(name));
    }
}
