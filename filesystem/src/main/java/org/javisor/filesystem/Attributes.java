package org.javisor.filesystem;

import java.time.Instant;

/**
 * What every file has, whatever its kind.
 *
 * @param permissions the lower twelve bits of the mode, such as 0755 or 04755
 * @param uid the owner, 0 to 2^32 - 1
 * @param gid the group, 0 to 2^32 - 1
 * @param modified stored to the second; also the change, access and creation time
 */
public record Attributes(int permissions, long uid, long gid, Instant modified) {

    private static final long MAX_ID = 0xffff_ffffL;

    /** Refuses what the format cannot hold. */
    public Attributes {
        if ((permissions & ~07777) != 0) {
            throw new IllegalArgumentException("Permissions " + Integer.toOctalString(permissions));
        }
        if (uid < 0 || uid > MAX_ID || gid < 0 || gid > MAX_ID) {
            throw new IllegalArgumentException("Owner " + uid + ":" + gid);
        }
    }

    /** Root's, of that time. */
    public static Attributes ofRoot(int permissions, Instant modified) {
        return new Attributes(permissions, 0, 0, modified);
    }
}
