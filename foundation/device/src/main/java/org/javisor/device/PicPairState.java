package org.javisor.device;

/** The snapshot of a PC's two 8259A: both chips. */
public record PicPairState(int version, Chip master, Chip slave) implements DeviceState {
    /**
     * One chip's registers and modes.
     *
     * @param lines levels of the inputs, one bit each, as in the request, service and mask
     *     registers
     * @param initStep which ICW the next write to the odd port is (2, 3, 4), 0 outside
     *     initialization
     * @param lowest the input with the lowest priority; 7 unless rotated
     */
    public record Chip(
            int lines,
            int irr,
            int isr,
            int imr,
            int edgeLevel,
            int vectorBase,
            int initStep,
            boolean needsIcw4,
            int lowest,
            boolean readIsr,
            boolean poll,
            boolean specialMask,
            boolean specialFullyNested,
            boolean autoEoi,
            boolean rotateOnAutoEoi) {}
}
