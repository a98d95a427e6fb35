package org.javisor.x86;

/**
 * The mode that decides how bytes become instructions: CS.D outside long mode and in compatibility
 * mode, CS.L.
 */
public enum CodeSize {
    BITS16,
    BITS32,
    BITS64
}
