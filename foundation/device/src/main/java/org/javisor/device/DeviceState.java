package org.javisor.device;

/**
 * A device's snapshot: an immutable record of primitives, strings, enums, arrays, lists and further
 * such records.
 */
public interface DeviceState {
    /** The version of this record's meaning; starts at 1. */
    int version();
}
