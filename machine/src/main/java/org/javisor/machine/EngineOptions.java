package org.javisor.machine;

/**
 * How an engine is to work, where it leaves a choice.
 *
 * @param countInstructions whether to count the guest's instructions, where that costs speed; else
 *     statistics say how many were interpreted
 * @param codeCache bytes for translated code, a multiple of 4096 from {@link #SMALLEST_CODE_CACHE}
 *     on
 * @param interruptChips whose interrupt controllers and timer to take
 * @param verify whether the interpreter is to carry out what the translator does as well, and the
 *     first difference to end the machine
 * @param perfMap whether to tell the host's profiler, perf, where translated code lies
 */
public record EngineOptions(
        boolean countInstructions,
        long codeCache,
        InterruptChips interruptChips,
        boolean verify,
        boolean perfMap) {
    /** Less would be dropped again and again. */
    public static final long SMALLEST_CODE_CACHE = 1L << 20;

    /** A displacement of 32 bits has to lead from one end to the other. */
    public static final long LARGEST_CODE_CACHE = 1L << 30;

    public static final EngineOptions DEFAULT =
            new EngineOptions(true, 128L << 20, InterruptChips.AUTO, false, false);

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
        return new EngineOptions(count, codeCache, interruptChips, verify, perfMap);
    }

    public EngineOptions withCodeCache(long bytes) {
        return new EngineOptions(countInstructions, bytes, interruptChips, verify, perfMap);
    }

    public EngineOptions withInterruptChips(InterruptChips chips) {
        return new EngineOptions(countInstructions, codeCache, chips, verify, perfMap);
    }

    public EngineOptions withVerify(boolean on) {
        return new EngineOptions(countInstructions, codeCache, interruptChips, on, perfMap);
    }

    public EngineOptions withPerfMap(boolean on) {
        return new EngineOptions(countInstructions, codeCache, interruptChips, verify, on);
    }
}
