package org.javisor.chipset;

import org.javisor.device.DeviceState;

/**
 * {@link Serial16550}'s snapshot: its registers by their names in the data sheet.
 *
 * @param received bytes in the receiver FIFO, oldest first, each with its error bits of LSR shifted
 *     up by 8
 * @param senderWaits whether the other end was refused input and waits to hear of room
 */
public record SerialState(
        int version,
        int interruptEnable,
        int fifoControl,
        int lineControl,
        int modemControl,
        int modemDelta,
        int scratch,
        int divisor,
        boolean transmitterEmptyPending,
        boolean overrun,
        int[] received,
        boolean senderWaits)
        implements DeviceState {}
