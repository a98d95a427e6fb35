package org.javisor.x86;

import static org.javisor.x86.LittleEndian.get64;
import static org.javisor.x86.LittleEndian.put64;

/**
 * The XSAVE area, in standard and compacted format (Intel SDM vol. 1, 13.4 and 13.7 to 13.10).
 * Components are x87 and SSE, both in the legacy region, and AVX, which follows the header in
 * either format because nothing comes before it; so the two formats differ in the header only.
 */
public final class XsaveImage {
    /** Legacy region and header, in bytes: all there is without further components. */
    public static final int SIZE = 576;

    /** Where the AVX component begins: the upper halves of YMM0 to YMM15. */
    public static final int AVX_OFFSET = SIZE;

    public static final int AVX_SIZE = 256;

    /** Bytes with every component. */
    public static final int FULL_SIZE = AVX_OFFSET + AVX_SIZE;

    public static final long X87 = 1;
    public static final long SSE = 2;
    public static final long AVX = 4;

    /** Either of the two makes XSAVE, and XRSTOR in standard format, care for MXCSR. */
    private static final long MXCSR_USERS = SSE | AVX;

    private static final long COMPACTED = 1L << 63;
    private static final int XSTATE_BV = 512;
    private static final int XCOMP_BV = 520;

    private XsaveImage() {}

    /** XINUSE: the components that are not in their initial configuration. */
    public static long inUse(FpuState state) {
        return (FxsaveImage.x87InUse(state) ? X87 : 0)
                | (FxsaveImage.xmmInUse(state) ? SSE : 0)
                | (avxInUse(state) ? AVX : 0);
    }

    private static boolean avxInUse(FpuState state) {
        long contents = 0;
        for (long half : state.ymmHigh) {
            contents |= half;
        }
        return contents != 0;
    }

    /** Bytes from the area's begin to the end of the last of these components. */
    public static int size(long components) {
        return (components & AVX) != 0 ? FULL_SIZE : SIZE;
    }

    /**
     * XSAVE, or XSAVEOPT if {@code optimised}, over what {@code area} held.
     *
     * @param requested the requested-feature bitmap: XCR0 and EDX:EAX
     * @param wide 64-bit pointers
     * @param registers how many XMM registers there are, 8 or 16
     */
    public static void save(
            FpuState state,
            byte[] area,
            long requested,
            boolean optimised,
            boolean wide,
            int registers) {
        long inUse = inUse(state);
        long written = optimised ? requested & inUse : requested;
        writeComponents(state, area, written, wide, registers);
        if ((requested & MXCSR_USERS) != 0) {
            FxsaveImage.writeMxcsr(state, area);
        }
        put64(area, XSTATE_BV, get64(area, XSTATE_BV) & ~requested | requested & inUse);
    }

    /** XSAVEC. */
    public static void saveCompacted(
            FpuState state, byte[] area, long requested, boolean wide, int registers) {
        long inUse = inUse(state) | (state.mxcsr != 0x1f80 ? SSE : 0);
        long written = requested & inUse;
        writeComponents(state, area, written, wide, registers);
        if ((written & SSE) != 0) {
            FxsaveImage.writeMxcsr(state, area);
        }
        put64(area, XSTATE_BV, written);
        put64(area, XCOMP_BV, requested | COMPACTED);
    }

    private static void writeComponents(
            FpuState state, byte[] area, long components, boolean wide, int registers) {
        if ((components & X87) != 0) {
            FxsaveImage.writeX87(state, area, wide);
        }
        if ((components & SSE) != 0) {
            FxsaveImage.writeXmm(state, area, registers);
        }
        if ((components & AVX) != 0) {
            for (int n = 0; n < 2 * registers; n++) {
                put64(area, AVX_OFFSET + 8 * n, state.ymmHigh[n]);
            }
        }
    }

    private static void readAvx(FpuState state, byte[] area, int registers) {
        for (int n = 0; n < 2 * registers; n++) {
            state.ymmHigh[n] = get64(area, AVX_OFFSET + 8 * n);
        }
    }

    /**
     * XRSTOR.
     *
     * @return false, with nothing changed, for an area that raises #GP(0)
     */
    public static boolean restore(
            FpuState state, byte[] area, long requested, long xcr0, boolean wide, int registers) {
        long saved = get64(area, XSTATE_BV);
        boolean compacted = (get64(area, XCOMP_BV) & COMPACTED) != 0;
        if (!headerValid(area, saved, xcr0)) {
            return false;
        }
        long loaded = requested & saved;
        boolean loadMxcsr = compacted ? (loaded & SSE) != 0 : (requested & MXCSR_USERS) != 0;
        int mxcsr = FxsaveImage.mxcsr(area);
        if (loadMxcsr && (mxcsr & ~FxsaveImage.MXCSR_MASK) != 0) {
            return false;
        }
        if ((loaded & X87) != 0) {
            FxsaveImage.readX87(state, area, wide);
        } else if ((requested & X87) != 0) {
            FxsaveImage.initialiseX87(state);
        }
        if ((loaded & SSE) != 0) {
            FxsaveImage.readXmm(state, area, registers);
        } else if ((requested & SSE) != 0) {
            java.util.Arrays.fill(state.xmm, 0, 2 * registers, 0);
        }
        if ((loaded & AVX) != 0) {
            readAvx(state, area, registers);
        } else if ((requested & AVX) != 0) {
            java.util.Arrays.fill(state.ymmHigh, 0, 2 * registers, 0);
        }
        if (loadMxcsr) {
            state.mxcsr = mxcsr;
        } else if (compacted && (requested & SSE) != 0) {
            state.mxcsr = 0x1f80;
        }
        return true;
    }

    private static boolean headerValid(byte[] area, long saved, long xcr0) {
        long format = get64(area, XCOMP_BV);
        if ((format & COMPACTED) == 0) {
            return format == 0 && get64(area, XCOMP_BV + 8) == 0 && (saved & ~xcr0) == 0;
        }
        long reserved = 0;
        for (int offset = XCOMP_BV + 8; offset < SIZE; offset += 8) {
            reserved |= get64(area, offset);
        }
        long components = format & ~COMPACTED;
        return reserved == 0 && (components & ~xcr0) == 0 && (saved & ~components) == 0;
    }

    /**
     * The components that a restore of an area with this header reads, out of those requested;
     * {@code area} holds at least {@link #SIZE} bytes of it.
     */
    public static long loaded(byte[] area, long requested) {
        return requested & get64(area, XSTATE_BV);
    }

    /**
     * A snapshot's image: everything, standard format, 64-bit pointers. The header names AVX only
     * where it is in use, so that a processor without it can take over the others.
     */
    public static byte[] toXsave(FpuState state) {
        byte[] area = new byte[FULL_SIZE];
        long components = X87 | SSE | (avxInUse(state) ? AVX : 0);
        writeComponents(state, area, components, true, FpuState.VECTORS);
        FxsaveImage.writeMxcsr(state, area);
        put64(area, XSTATE_BV, components);
        return area;
    }

    /**
     * Takes over a snapshot's image, in either format. Components that its header does not name get
     * their initial configuration; an area of 512 bytes has no header and holds x87 and SSE.
     * Reserved bits of MXCSR are dropped.
     *
     * @throws IllegalArgumentException if the area is shorter than that
     */
    public static void fromXsave(FpuState state, byte[] area) {
        if (area.length < FxsaveImage.SIZE) {
            throw new IllegalArgumentException(
                    "FPU area of " + area.length + " bytes, needs " + FxsaveImage.SIZE);
        }
        long saved = area.length < SIZE ? X87 | SSE : get64(area, XSTATE_BV);
        if ((saved & X87) != 0) {
            FxsaveImage.readX87(state, area, true);
        } else {
            FxsaveImage.initialiseX87(state);
        }
        if ((saved & SSE) != 0) {
            FxsaveImage.readXmm(state, area, FpuState.VECTORS);
        } else {
            java.util.Arrays.fill(state.xmm, 0);
        }
        if ((saved & AVX) != 0 && area.length >= FULL_SIZE) {
            readAvx(state, area, FpuState.VECTORS);
        } else {
            java.util.Arrays.fill(state.ymmHigh, 0);
        }
        state.mxcsr = FxsaveImage.mxcsr(area) & FxsaveImage.MXCSR_MASK;
    }
}
