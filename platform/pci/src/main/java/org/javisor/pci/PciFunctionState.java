package org.javisor.pci;

import org.javisor.device.DeviceState;

/**
 * A function's snapshot.
 *
 * @param configuration the 256 bytes of configuration space
 * @param interrupt whether the device drives its INTx
 * @param msiPending a bit for each vector; 0 without MSI
 * @param msixTable four words for each vector; empty without MSI-X
 * @param msixPending a bit for each vector; empty without MSI-X
 */
public record PciFunctionState(
        int version,
        byte[] configuration,
        boolean interrupt,
        int msiPending,
        int[] msixTable,
        long[] msixPending)
        implements DeviceState {}
