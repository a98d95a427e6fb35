package org.javisor.kvm;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.javisor.device.IoApicState;
import org.javisor.device.PicPairState;
import org.javisor.device.PitState;
import org.javisor.hypervisor.InterruptFabric;

/**
 * The registers of the kernel's PICs, I/O APIC and timer chip, between the kernel's structures
 * (KVM_GET_IRQCHIP, KVM_GET_PIT2) and the records that machines' own chips go on from.
 */
final class ChipState {
    private static final int CHIP = Layouts.size(Layouts.IRQCHIP);
    private static final int REGISTERS = Layouts.offset(Layouts.IRQCHIP, "chip");
    private static final int PIT = Layouts.size(Layouts.PIT_STATE2);
    private static final int CHANNEL = Layouts.size(Layouts.PIT_CHANNEL);
    private static final int CHIPS = 3, CHANNELS = 3, INPUTS = 24;
    private static final long PIT_HERTZ = 1_193_182, NANOS = 1_000_000_000;
    private static final int SPEAKER_ON = 2;

    /** Halves of a two-byte count: the next one written or read is the high one. */
    private static final int HIGH_HALF = 4, LOW_HALF = 3;

    private final KvmHandle vm;

    ChipState(KvmHandle vm) {
        this.vm = vm;
    }

    /** Everything as the kernel gives it. */
    byte[] image() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment all = arena.allocate(CHIPS * CHIP + PIT, 8);
            for (int chip = 0; chip < CHIPS; chip++) {
                getChip(all.asSlice((long) chip * CHIP, CHIP), chip);
            }
            vm.call(Ioctl.GET_PIT2, all.asSlice((long) CHIPS * CHIP));
            return all.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    void setImage(byte[] image) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment all = arena.allocate(CHIPS * CHIP + PIT, 8);
            MemorySegment.copy(image, 0, all, ValueLayout.JAVA_BYTE, 0, image.length);
            for (int chip = 0; chip < CHIPS; chip++) {
                vm.call(Ioctl.SET_IRQCHIP, all.asSlice((long) chip * CHIP, CHIP));
            }
            vm.call(Ioctl.SET_PIT2, all.asSlice((long) CHIPS * CHIP));
        }
    }

    private void getChip(MemorySegment at, int chip) {
        Fields.putInt(at, Layouts.IRQCHIP, "chip_id", chip);
        vm.call(Ioctl.GET_IRQCHIP, at);
    }

    void setLevelTriggered(int inputs) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment chip = arena.allocate(Layouts.IRQCHIP);
            for (int n = 0; n < 2; n++) {
                getChip(chip, n);
                MemorySegment pic = chip.asSlice(REGISTERS);
                int capable = Fields.getByte(pic, Layouts.PIC, "elcr_mask");
                Fields.putByte(pic, Layouts.PIC, "elcr", inputs >> 8 * n & capable);
                vm.call(Ioctl.SET_IRQCHIP, chip);
            }
        }
    }

    InterruptFabric.State save() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment chip = arena.allocate(Layouts.IRQCHIP);
            MemorySegment registers = chip.asSlice(REGISTERS);
            getChip(chip, RoutingTable.PIC_MASTER);
            PicPairState.Chip master = pic(registers);
            getChip(chip, RoutingTable.PIC_SLAVE);
            PicPairState.Chip slave = pic(registers);
            getChip(chip, RoutingTable.IO_APIC);
            IoApicState ioApic = ioApic(registers);
            MemorySegment pit = arena.allocate(Layouts.PIT_STATE2);
            vm.call(Ioctl.GET_PIT2, pit);
            List<PitState.Counter> counters = new ArrayList<>();
            for (int n = 0; n < CHANNELS; n++) {
                counters.add(counter(pit.asSlice((long) n * CHANNEL, CHANNEL)));
            }
            boolean speaker = (Fields.getInt(pit, Layouts.PIT_STATE2, "flags") & SPEAKER_ON) != 0;
            return new InterruptFabric.State(
                    new PicPairState(1, master, slave), ioApic, new PitState(1, counters), speaker);
        }
    }

    void restore(InterruptFabric.State state) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment chip = arena.allocate(Layouts.IRQCHIP);
            MemorySegment registers = chip.asSlice(REGISTERS);
            getChip(chip, RoutingTable.PIC_MASTER);
            put(state.pics().master(), registers);
            vm.call(Ioctl.SET_IRQCHIP, chip);
            getChip(chip, RoutingTable.PIC_SLAVE);
            put(state.pics().slave(), registers);
            vm.call(Ioctl.SET_IRQCHIP, chip);
            getChip(chip, RoutingTable.IO_APIC);
            put(state.ioApic(), registers);
            vm.call(Ioctl.SET_IRQCHIP, chip);
            MemorySegment pit = arena.allocate(Layouts.PIT_STATE2);
            for (int n = 0; n < CHANNELS; n++) {
                MemorySegment channel = pit.asSlice((long) n * CHANNEL, CHANNEL);
                put(state.pit().counters().get(n), channel);
            }
            int flags = state.speaker() ? SPEAKER_ON : 0;
            Fields.putInt(pit, Layouts.PIT_STATE2, "flags", flags);
            vm.call(Ioctl.SET_PIT2, pit);
        }
    }

    private static PicPairState.Chip pic(MemorySegment s) {
        // Of a line the kernel remembers only what an edge is found by.
        return new PicPairState.Chip(
                get(s, "last_irr"),
                get(s, "irr"),
                get(s, "isr"),
                get(s, "imr"),
                get(s, "elcr"),
                get(s, "irq_base"),
                get(s, "init_state") == 0 ? 0 : get(s, "init_state") + 1,
                get(s, "init4") != 0,
                get(s, "priority_add") + 7 & 7,
                get(s, "read_reg_select") != 0,
                get(s, "poll") != 0,
                get(s, "special_mask") != 0,
                get(s, "special_fully_nested_mode") != 0,
                get(s, "auto_eoi") != 0,
                get(s, "rotate_on_auto_eoi") != 0);
    }

    private static int get(MemorySegment pic, String member) {
        return Fields.getByte(pic, Layouts.PIC, member);
    }

    private static void put(PicPairState.Chip state, MemorySegment s) {
        put(s, "last_irr", state.lines());
        put(s, "irr", state.irr());
        put(s, "isr", state.isr());
        put(s, "imr", state.imr());
        put(s, "elcr", state.edgeLevel() & get(s, "elcr_mask"));
        put(s, "irq_base", state.vectorBase());
        put(s, "init_state", state.initStep() == 0 ? 0 : state.initStep() - 1);
        put(s, "init4", state.needsIcw4() ? 1 : 0);
        put(s, "priority_add", state.lowest() + 1 & 7);
        put(s, "read_reg_select", state.readIsr() ? 1 : 0);
        put(s, "poll", state.poll() ? 1 : 0);
        put(s, "special_mask", state.specialMask() ? 1 : 0);
        put(s, "special_fully_nested_mode", state.specialFullyNested() ? 1 : 0);
        put(s, "auto_eoi", state.autoEoi() ? 1 : 0);
        put(s, "rotate_on_auto_eoi", state.rotateOnAutoEoi() ? 1 : 0);
    }

    private static void put(MemorySegment pic, String member, int value) {
        Fields.putByte(pic, Layouts.PIC, member, value);
    }

    private static IoApicState ioApic(MemorySegment s) {
        long table = Layouts.offset(Layouts.IO_APIC, "redirtbl");
        long[] entries = new long[INPUTS];
        for (int n = 0; n < INPUTS; n++) {
            entries[n] = s.get(ValueLayout.JAVA_LONG, table + 8L * n);
        }
        return new IoApicState(
                1,
                Fields.getInt(s, Layouts.IO_APIC, "ioregsel"),
                Fields.getInt(s, Layouts.IO_APIC, "id"),
                entries,
                Fields.getInt(s, Layouts.IO_APIC, "irr"));
    }

    private static void put(IoApicState state, MemorySegment s) {
        long table = Layouts.offset(Layouts.IO_APIC, "redirtbl");
        for (int n = 0; n < Math.min(INPUTS, state.redirection().length); n++) {
            s.set(ValueLayout.JAVA_LONG, table + 8L * n, state.redirection()[n]);
        }
        Fields.putInt(s, Layouts.IO_APIC, "ioregsel", state.select());
        Fields.putInt(s, Layouts.IO_APIC, "id", state.id());
        Fields.putInt(s, Layouts.IO_APIC, "irr", state.lines());
    }

    private static PitState.Counter counter(MemorySegment s) {
        int access = Fields.getByte(s, Layouts.PIT_CHANNEL, "rw_mode");
        int mode = Fields.getByte(s, Layouts.PIT_CHANNEL, "mode");
        // Its clock is the one that nanoTime reads.
        long since = Fields.getLong(s, Layouts.PIT_CHANNEL, "count_load_time");
        long nanos = Math.max(0, System.nanoTime() - since);
        long elapsed = nanos / NANOS * PIT_HERTZ + nanos % NANOS * PIT_HERTZ / NANOS;
        boolean programmed = mode <= 5;
        boolean halved = Fields.getByte(s, Layouts.PIT_CHANNEL, "write_state") == HIGH_HALF;
        boolean gate = Fields.getByte(s, Layouts.PIT_CHANNEL, "gate") != 0;
        int count = Fields.getInt(s, Layouts.PIT_CHANNEL, "count");
        return new PitState.Counter(
                programmed ? mode : 0,
                Fields.getByte(s, Layouts.PIT_CHANNEL, "bcd") != 0,
                Math.clamp(access, 1, 3),
                programmed ? count : 0,
                0,
                programmed ? elapsed : 0,
                programmed && gate,
                programmed && gate,
                gate,
                halved ? Fields.getByte(s, Layouts.PIT_CHANNEL, "write_latch") : -1,
                Fields.getByte(s, Layouts.PIT_CHANNEL, "read_state") == HIGH_HALF,
                Fields.getByte(s, Layouts.PIT_CHANNEL, "count_latched") != 0
                        ? Fields.getShort(s, Layouts.PIT_CHANNEL, "latched_count")
                        : -1,
                Fields.getByte(s, Layouts.PIT_CHANNEL, "status_latched") != 0
                        ? Fields.getByte(s, Layouts.PIT_CHANNEL, "status")
                        : -1);
    }

    private static void put(PitState.Counter state, MemorySegment s) {
        Fields.putInt(
                s, Layouts.PIT_CHANNEL, "count", state.count() == 0 ? 0x10000 : state.count());
        Fields.putByte(s, Layouts.PIT_CHANNEL, "mode", state.count() == 0 ? 0xff : state.mode());
        Fields.putByte(s, Layouts.PIT_CHANNEL, "bcd", state.bcd() ? 1 : 0);
        Fields.putByte(s, Layouts.PIT_CHANNEL, "gate", state.gate() ? 1 : 0);
        Fields.putByte(s, Layouts.PIT_CHANNEL, "rw_mode", state.access());
        int half = state.access() == 3 ? LOW_HALF : state.access();
        boolean writeHigh = state.access() == 3 && state.writeLow() >= 0;
        boolean readHigh = state.access() == 3 && state.readHigh();
        Fields.putByte(s, Layouts.PIT_CHANNEL, "write_state", writeHigh ? HIGH_HALF : half);
        Fields.putByte(s, Layouts.PIT_CHANNEL, "read_state", readHigh ? HIGH_HALF : half);
        Fields.putByte(s, Layouts.PIT_CHANNEL, "write_latch", Math.max(0, state.writeLow()));
        int latchedHalf = state.access() == 3 ? LOW_HALF : state.access();
        Fields.putByte(
                s, Layouts.PIT_CHANNEL, "count_latched", state.latched() < 0 ? 0 : latchedHalf);
        Fields.putShort(s, Layouts.PIT_CHANNEL, "latched_count", Math.max(0, state.latched()));
        Fields.putByte(s, Layouts.PIT_CHANNEL, "status_latched", state.latchedStatus() < 0 ? 0 : 1);
        Fields.putByte(s, Layouts.PIT_CHANNEL, "status", Math.max(0, state.latchedStatus()));
    }
}
