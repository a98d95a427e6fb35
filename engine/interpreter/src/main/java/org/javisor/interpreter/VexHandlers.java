package org.javisor.interpreter;

import org.javisor.x86.Instruction;

/** What VEX encodes: finds the family that knows an instruction. */
final class VexHandlers {
    private VexHandlers() {}

    /** The handler, or null if there is none. */
    static Handler select(Instruction i) {
        Handler handler = VexMoveHandlers.select(i);
        if (handler == null) {
            handler = VexIntegerHandlers.select(i);
        }
        if (handler == null) {
            handler = VexPermuteHandlers.select(i);
        }
        if (handler == null) {
            handler = MaskedMoveHandlers.select(i);
        }
        if (handler == null) {
            handler = GatherHandlers.select(i);
        }
        if (handler == null) {
            handler = FusedHandlers.select(i);
        }
        if (handler == null) {
            handler = HalfFloatHandlers.select(i);
        }
        if (handler == null) {
            handler = BitFieldHandlers.select(i);
        }
        return handler == null ? VexLanes.select(i) : handler;
    }
}
