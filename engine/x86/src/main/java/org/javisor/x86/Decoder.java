package org.javisor.x86;

/** Turns bytes into {@link Instruction}s. Table-driven, shared by interpreter and translator. Not thread-safe. */
public final class Decoder {
    /** The longest legal instruction, in bytes. */
    public static final int MAX_LENGTH = 15;

    /**
     * Decodes one instruction.
     *
     * @param code bytes from the instruction's first on, from {@code offset}
     * @param available how many of them are valid, at least 1
     * @return the instruction, with {@link Op#INVALID} or {@link Op#TOO_LONG} for what the architecture refuses; or
     *     null if {@code available} bytes (fewer than 15) do not yet decide
     */
    public Instruction decode(byte[] code, int offset, int available, CodeSize size) {
        throw new AssertionError();
    }
}
