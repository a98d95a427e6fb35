/**
 * Guest-physical memory.
 *
 * <p>{@link org.javisor.memory.GuestMemory} is what devices and loaders use: every access is
 * checked, may cross region borders, and is recorded for dirty and code tracking. {@link
 * org.javisor.memory.RawMemory} is for engines only: it reaches absolute host addresses that a
 * {@code GuestMemory} has handed out, without a check.
 */
package org.javisor.memory;
