package org.javisor.chipset;

import org.javisor.device.DeviceState;

/**
 * {@link AcpiPm}'s snapshot.
 *
 * @param timer the 32-bit timer's count, continued beyond 32 bits so that its overflows can be told
 * @param timerSeen the count up to which overflows have been reported
 */
public record AcpiPmState(
        int version,
        int status,
        int enable,
        int control,
        int gpeStatus,
        int gpeEnable,
        long timer,
        long timerSeen)
        implements DeviceState {}
