package org.javisor.device;

import java.util.OptionalLong;

/**
 * A register to which a guest only writes in order to tell a device something, which then happens
 * later, on another thread: an engine may {@linkplain Doorbells signal} it without stopping the
 * processor that wrote. Writes of another size or value reach the device as any other.
 *
 * @param offset in the device's range, bytes
 * @param size of the write: 1, 2, 4 or 8 bytes, or 0 for any
 * @param value only writes of this value; empty for all
 * @param ring what the write does; from any thread, takes no lock for long, never waits; may come
 *     late and may come once for several writes
 */
public record Doorbell(long offset, int size, OptionalLong value, Runnable ring) {}
