package org.javisor.chipset;

import org.javisor.device.DeviceState;

/**
 * {@link Rtc146818}'s snapshot.
 *
 * @param cmos 128 bytes; those of the time count while the clock is stopped only
 * @param offsetSeconds the guest's time of day less the machine's wall time
 * @param phaseNanos by how much the guest's seconds begin before the machine's, less than 10^9
 */
public record RtcState(
        int version, int index, byte[] cmos, int flags, long offsetSeconds, long phaseNanos)
        implements DeviceState {}
