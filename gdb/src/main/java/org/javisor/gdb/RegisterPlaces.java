package org.javisor.gdb;

import org.javisor.hypervisor.VcpuState;

/** How the registers that gdb knows are found in a processor's state. */
final class RegisterPlaces {
    private static final int KERNEL_GS_BASE = 0xc0000102;
    private static final long CR0_PE = 1;
    private static final long RFLAGS_VM = 1 << 17;

    /** Bits of RFLAGS that can be written: the defined ones (Intel SDM vol. 1, figure 3-8). */
    private static final long RFLAGS_WRITABLE = 0x3f7fd5;

    // Offsets in the FXSAVE area (Intel SDM vol. 2A, FXSAVE)
    private static final int FCW = 0, FSW = 2, FTW = 4, FOP = 6;
    private static final int FIP = 8, FCS = 12, FDP = 16, FDS = 20;
    static final int MXCSR = 24;
    static final int ST0 = 32;
    static final int XMM0 = 160;

    /** Behind the FXSAVE area: XSAVE's header and the upper halves of the YMM registers. */
    static final int XSTATE_BV = 512, YMM0_HIGH = 576;

    /** The bit of the latter in the former. */
    static final int AVX = 4;

    private RegisterPlaces() {}

    static Register.Number gpr(int number) {
        return field(state -> state.gpr[number], (state, value) -> state.gpr[number] = value);
    }

    static Register.Number rip() {
        return field(state -> state.rip, (state, value) -> state.rip = value);
    }

    static Register.Number rflags() {
        return field(
                state -> state.rflags,
                (state, value) -> state.rflags = value & RFLAGS_WRITABLE | 2);
    }

    /**
     * A segment selector. In protected mode it takes no other value than it has: the hidden part
     * would not follow.
     */
    static Register.Number selector(int segment) {
        return new Register.Number() {
            @Override
            public long get(VcpuState state) {
                return state.segments[segment].selector();
            }

            @Override
            public boolean set(VcpuState state, long value) {
                VcpuState.Segment old = state.segments[segment];
                if (value == old.selector()) {
                    return true;
                }
                boolean shifted = (state.cr0 & CR0_PE) == 0 || (state.rflags & RFLAGS_VM) != 0;
                if (!shifted || value > 0xffff) {
                    return false;
                }
                state.segments[segment] =
                        new VcpuState.Segment(
                                (int) value, value << 4, old.limit(), old.attributes());
                return true;
            }
        };
    }

    static Register.Number base(int segment) {
        return checked(
                state -> state.segments[segment].base(),
                (state, value) -> {
                    VcpuState.Segment old = state.segments[segment];
                    state.segments[segment] =
                            new VcpuState.Segment(
                                    old.selector(), value, old.limit(), old.attributes());
                },
                RegisterPlaces::canonical);
    }

    static Register.Number kernelGsBase() {
        return checked(
                state -> state.msrs.getOrDefault(KERNEL_GS_BASE, 0L),
                (state, value) -> state.msrs.put(KERNEL_GS_BASE, value),
                RegisterPlaces::canonical);
    }

    static Register.Number cr0() {
        return field(state -> state.cr0, (state, value) -> state.cr0 = value);
    }

    static Register.Number cr2() {
        return field(state -> state.cr2, (state, value) -> state.cr2 = value);
    }

    static Register.Number cr3() {
        return field(state -> state.cr3, (state, value) -> state.cr3 = value);
    }

    static Register.Number cr4() {
        return field(state -> state.cr4, (state, value) -> state.cr4 = value);
    }

    static Register.Number cr8() {
        return field(state -> state.cr8, (state, value) -> state.cr8 = value & 0xf);
    }

    static Register.Number efer() {
        return field(state -> state.efer, (state, value) -> state.efer = value);
    }

    /** Linux's own: no system call is ever under way as far as a debugger of the machine goes. */
    static Register.Number originalRax() {
        return field(state -> -1, (state, value) -> {});
    }

    static Register.Number fctrl() {
        return area16(FCW);
    }

    static Register.Number fstat() {
        return area16(FSW);
    }

    static Register.Number fiseg() {
        return area16(FCS);
    }

    static Register.Number fioff() {
        return area32(FIP);
    }

    static Register.Number foseg() {
        return area16(FDS);
    }

    static Register.Number fooff() {
        return area32(FDP);
    }

    static Register.Number fop() {
        return area16(FOP);
    }

    static Register.Number mxcsr() {
        return area32(MXCSR);
    }

    /**
     * The full tag word, of which FXSAVE keeps only what is empty (Intel SDM vol. 1, 8.1.7 and
     * table 10-2).
     */
    static Register.Number ftag() {
        return field(RegisterPlaces::tags, RegisterPlaces::setTags);
    }

    private static long tags(VcpuState state) {
        int top = state.xsave[FSW + 1] >> 3 & 7;
        int tags = 0;
        for (int physical = 0; physical < 8; physical++) {
            boolean valid = (state.xsave[FTW] >> physical & 1) != 0;
            int tag = valid ? tag(state, ST0 + 16 * (physical - top & 7)) : 3;
            tags |= tag << 2 * physical;
        }
        return tags;
    }

    /** 0 valid, 1 zero, 2 special. */
    private static int tag(VcpuState state, int offset) {
        long significand = read(state, offset, 8);
        long exponent = read(state, offset + 8, 2) & 0x7fff;
        if (exponent == 0 && significand == 0) {
            return 1;
        }
        return exponent == 0 || exponent == 0x7fff || significand >= 0 ? 2 : 0;
    }

    private static void setTags(VcpuState state, long value) {
        int valid = 0;
        for (int physical = 0; physical < 8; physical++) {
            if ((value >> 2 * physical & 3) != 3) {
                valid |= 1 << physical;
            }
        }
        state.xsave[FTW] = (byte) valid;
    }

    private static boolean canonical(long address) {
        return address << 16 >> 16 == address;
    }

    private static Register.Number area16(int offset) {
        return inArea(offset, 2);
    }

    private static Register.Number area32(int offset) {
        return inArea(offset, 4);
    }

    private static Register.Number inArea(int offset, int size) {
        return field(
                state -> read(state, offset, size),
                (state, value) -> {
                    for (int n = 0; n < size; n++) {
                        state.xsave[offset + n] = (byte) (value >> 8 * n);
                    }
                });
    }

    private static long read(VcpuState state, int offset, int size) {
        long value = 0;
        for (int n = 0; n < size; n++) {
            value |= (state.xsave[offset + n] & 0xffL) << 8 * n;
        }
        return value;
    }

    private interface Getter {
        long get(VcpuState state);
    }

    private interface Setter {
        void set(VcpuState state, long value);
    }

    private interface Check {
        boolean accepts(long value);
    }

    private static Register.Number field(Getter getter, Setter setter) {
        return checked(getter, setter, value -> true);
    }

    private static Register.Number checked(Getter getter, Setter setter, Check check) {
        return new Register.Number() {
            @Override
            public long get(VcpuState state) {
                return getter.get(state);
            }

            @Override
            public boolean set(VcpuState state, long value) {
                if (check.accepts(value)) {
                    setter.set(state, value);
                    return true;
                }
                return false;
            }
        };
    }
}
