package org.javisor.interpreter;

import org.javisor.x86.XsaveImage;

/** CR0 to CR4, XCR0, EFER and the descriptor-table registers (Intel SDM vol. 3A, 2.4 to 2.6). */
final class ControlRegisters {
    static final long CR0_PE = 1, CR0_MP = 2, CR0_EM = 4, CR0_TS = 8, CR0_ET = 0x10, CR0_NE = 0x20;
    static final long CR0_WP = 0x10000,
            CR0_AM = 0x40000,
            CR0_NW = 1L << 29,
            CR0_CD = 1L << 30,
            CR0_PG = 1L << 31;
    static final long CR0_DEFINED =
            CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD
                    | CR0_PG;

    static final long CR4_VME = 1,
            CR4_PVI = 2,
            CR4_TSD = 4,
            CR4_DE = 8,
            CR4_PSE = 0x10,
            CR4_PAE = 0x20;
    static final long CR4_MCE = 0x40,
            CR4_PGE = 0x80,
            CR4_PCE = 0x100,
            CR4_OSFXSR = 0x200,
            CR4_OSXMMEXCPT = 0x400;
    static final long CR4_UMIP = 0x800,
            CR4_FSGSBASE = 0x10000,
            CR4_PCIDE = 0x20000,
            CR4_OSXSAVE = 0x40000;
    static final long CR4_SMEP = 0x100000, CR4_SMAP = 0x200000;

    /** What this processor implements; VME and PVI (virtual-8086 extensions) and PCE are not. */
    static final long CR4_DEFINED =
            CR4_TSD
                    | CR4_DE
                    | CR4_PSE
                    | CR4_PAE
                    | CR4_MCE
                    | CR4_PGE
                    | CR4_PCE
                    | CR4_OSFXSR
                    | CR4_OSXMMEXCPT
                    | CR4_UMIP
                    | CR4_FSGSBASE
                    | CR4_PCIDE
                    | CR4_OSXSAVE
                    | CR4_SMEP
                    | CR4_SMAP;

    static final long EFER_SCE = 1, EFER_LME = 0x100, EFER_LMA = 0x400, EFER_NXE = 0x800;
    static final long EFER_DEFINED = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;

    long cr0;
    long cr2;
    long cr3;
    long cr4;
    long efer;
    long xcr0 = 1;

    long gdtBase;
    int gdtLimit = 0xffff;
    long idtBase;
    int idtLimit = 0xffff;

    boolean protectedMode() {
        return (cr0 & CR0_PE) != 0;
    }

    boolean paging() {
        return (cr0 & CR0_PG) != 0;
    }

    boolean longMode() {
        return (efer & EFER_LMA) != 0;
    }

    boolean emulatedFpu() {
        return (cr0 & CR0_EM) != 0;
    }

    boolean osFxsr() {
        return (cr4 & CR4_OSFXSR) != 0;
    }

    boolean writeProtect() {
        return (cr0 & CR0_WP) != 0;
    }

    boolean has4(long bits) {
        return (cr4 & bits) != 0;
    }

    /**
     * Whether the operating system has enabled AVX: CR4.OSXSAVE and both parts of the registers.
     */
    boolean avxEnabled() {
        return protectedMode()
                && (cr0 & CR0_EM) == 0
                && (cr4 & (CR4_OSXSAVE | CR4_OSFXSR)) == (CR4_OSXSAVE | CR4_OSFXSR)
                && (xcr0 & XsaveImage.AVX) != 0;
    }

    boolean noExecute() {
        return (efer & EFER_NXE) != 0;
    }
}
