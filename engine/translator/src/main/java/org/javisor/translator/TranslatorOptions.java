package org.javisor.translator;

/**
 * How the translator is to work.
 *
 * @param codeCache bytes for translated code, at least 1 MiB, at most 1 GiB
 * @param countInstructions whether statistics are to tell how many instructions were carried out by
 *     translated code; counting costs short loops some of their speed
 * @param verify whether the interpreter is to carry out everything as well, so that the first
 *     difference ends the machine with a {@link LockstepDifference}; counts instructions, and is
 *     for machines of one processor
 * @param perfMap whether to tell the host's profiler where translated code lies: {@link PerfMap}
 */
public record TranslatorOptions(
        long codeCache, boolean countInstructions, boolean verify, boolean perfMap) {
    public static final TranslatorOptions DEFAULT =
            new TranslatorOptions(128L << 20, true, false, false);

    public TranslatorOptions {
        codeCache = codeCache + 4095 & -4096;
        countInstructions |= verify;
    }

    public TranslatorOptions withCodeCache(long bytes) {
        return new TranslatorOptions(bytes, countInstructions, verify, perfMap);
    }

    public TranslatorOptions withCountInstructions(boolean on) {
        return new TranslatorOptions(codeCache, on, verify, perfMap);
    }

    public TranslatorOptions withVerify(boolean on) {
        return new TranslatorOptions(codeCache, countInstructions, on, perfMap);
    }

    public TranslatorOptions withPerfMap(boolean on) {
        return new TranslatorOptions(codeCache, countInstructions, verify, on);
    }
}
