package org.javisor.machine;

import java.util.List;

/**
 * How a machine ended.
 *
 * @param detail one line, or empty where the reason says it all
 * @param consoleTail the last lines of the guest's console, oldest first, free of control
 *     characters
 */
public record MachineEnd(EndReason reason, String detail, List<String> consoleTail) {
    public MachineEnd {
        consoleTail = List.copyOf(consoleTail);
    }
}
