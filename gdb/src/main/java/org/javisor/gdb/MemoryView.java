package org.javisor.gdb;

import java.util.Arrays;
import org.javisor.hypervisor.Vcpu;
import org.javisor.memory.GuestMemory;

/**
 * Guest memory as a debugger addresses it: through a processor's paging, or physically. Only RAM; a
 * debugger's look at a device would have effects.
 */
final class MemoryView {
    private static final int PAGE = GuestMemory.PAGE_SIZE;
    private static final long UNMAPPED = -1;

    private final GuestMemory memory;
    private boolean physical;

    MemoryView(GuestMemory memory) {
        this.memory = memory;
    }

    boolean physical() {
        return physical;
    }

    /** Whether addresses are guest-physical instead of linear. */
    void setPhysical(boolean on) {
        physical = on;
    }

    /** Reads up to the first byte that is not there: perhaps nothing, perhaps less than asked. */
    byte[] read(Vcpu vcpu, long address, int length) {
        byte[] bytes = new byte[length];
        int done = 0;
        while (done < length) {
            long at = address + done;
            int part = (int) Math.min(length - done, PAGE - (at & PAGE - 1));
            long gpa = locate(vcpu, at);
            if (gpa == UNMAPPED) {
                break;
            }
            memory.read(gpa, bytes, done, part);
            done += part;
        }
        return Arrays.copyOf(bytes, done);
    }

    /**
     * Writes all or nothing.
     *
     * @return false if a part of it is not there
     */
    boolean write(Vcpu vcpu, long address, byte[] bytes) {
        for (long at = address; at - address < bytes.length; at = (at & -PAGE) + PAGE) {
            if (locate(vcpu, at) == UNMAPPED) {
                return false;
            }
        }
        int done = 0;
        while (done < bytes.length) {
            long at = address + done;
            int part = (int) Math.min(bytes.length - done, PAGE - (at & PAGE - 1));
            memory.write(locate(vcpu, at), bytes, done, part);
            done += part;
        }
        return true;
    }

    private long locate(Vcpu vcpu, long address) {
        long gpa = physical ? address : vcpu.translate(address);
        return gpa != UNMAPPED && memory.isRam(gpa, 1) ? gpa : UNMAPPED;
    }
}
