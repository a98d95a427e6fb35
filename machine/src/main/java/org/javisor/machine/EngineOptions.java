package org.javisor.machine;

/**
 * How an engine is to work, where it leaves a choice.
 *
 * @param countInstructions whether to count the guest's instructions, where that costs speed; else
 *     statistics say how many were interpreted
 * @param codeCache bytes for translated code, a multiple of 4096 from {@link #SMALLEST_CODE_CACHE}
 *     on
 * @param interruptChips whose interrupt controllers and timer to take
 */
public record EngineOptions(
        boolean countInstructions, long codeCache, InterruptChips interruptChips) {
    /** Less would be dropped again and again. */
    public static final long SMALLEST_CODE_CACHE = 1L << 20;

    /** A displacement of 32 bits has to lead from one end to the other. */
    public static final long LARGEST_CODE_CACHE = 1L << 30;

    public static final EngineOptions DEFAULT =
            new EngineOptions(true, 64L << 20, InterruptChips.AUTO);

    /**
     * @throws MachineException BAD_CONFIGURATION
     */
    public EngineOptions {
        if (codeCache < SMALLEST_CODE_CACHE || codeCache > LARGEST_CODE_CACHE) {
            throw new MachineException(
                    MachineException.Code.BAD_CONFIGURATION,
                    "The code cache cannot have %d bytes: 1 MiB to 1 GiB".formatted(codeCache));
        }
    }

    public EngineOptions withCountInstructions(boolean count) {
        return new EngineOptions(count, codeCache, interruptChips);
    }

    public EngineOptions withCodeCache(long bytes) {
        return new EngineOptions(countInstructions, bytes, interruptChips);
    }

    public EngineOptions withInterruptChips(InterruptChips chips) {
        return new EngineOptions(countInstructions, codeCache, chips);
    }
}
