package org.javisor.interpreter;

/** The model-specific registers that handlers use directly; {@link MsrAccess} has the rest. */
final class ModelSpecificRegisters {
    long star;
    long lstar;
    long cstar;
    long fmask;
    long kernelGsBase;
    long tscAux;
    long sysenterCs;
    long sysenterEsp;
    long sysenterEip;
    long pat = 0x0007040600070406L;
    long miscEnable = 1;
    long tscAdjust;
    long mtrrDefault;
    final long[] mtrrVariable = new long[16];
    final long[] mtrrFixed = new long[11];
}
