package org.javisor.translator;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.javisor.x86.Instruction;

/**
 * What the host's processor can execute, by the names that Linux has for it. An instruction that it
 * cannot would end the process with SIGILL.
 */
final class HostFeatures {
    /** What emitted code itself uses, and what any guest's processor here has: x86-64-v3. */
    private static final List<String> REQUIRED =
            List.of(
                    "ssse3", "sse4_1", "sse4_2", "popcnt", "cx16", "lahf_lm", "xsave", "avx",
                    "avx2", "fma", "f16c", "bmi1", "bmi2", "abm", "movbe");

    private static final int AT_HWCAP2 = 26;
    private static final int HWCAP2_FSGSBASE = 2;

    private final Set<String> flags;

    private HostFeatures(Set<String> flags) {
        this.flags = flags;
    }

    static HostFeatures ofThisHost() {
        try {
            for (String line : Files.readAllLines(Path.of("/proc/cpuinfo"))) {
                if (line.startsWith("flags")) {
                    return new HostFeatures(
                            new HashSet<>(
                                    List.of(line.substring(line.indexOf(':') + 1).split(" "))));
                }
            }
        } catch (IOException e) {
            return new HostFeatures(Set.of());
        }
        return new HostFeatures(Set.of());
    }

    /** Why translated code cannot run here, or empty. */
    Optional<String> obstacle() {
        List<String> missing = new ArrayList<>(REQUIRED);
        missing.removeAll(flags);
        return missing.isEmpty()
                ? Optional.empty()
                : Optional.of("for processors of x86-64-v3; this one lacks " + missing.getFirst());
    }

    /**
     * Whether processes may set their own GS base: the kernel says so in the second word of
     * hardware capabilities that it hands to every program.
     */
    static boolean gsBaseWritable() {
        try {
            ByteBuffer vector =
                    ByteBuffer.wrap(Files.readAllBytes(Path.of("/proc/self/auxv")))
                            .order(ByteOrder.LITTLE_ENDIAN);
            while (vector.remaining() >= 16) {
                long type = vector.getLong();
                long value = vector.getLong();
                if (type == AT_HWCAP2) {
                    return (value & HWCAP2_FSGSBASE) != 0;
                }
            }
        } catch (IOException e) {
            return false;
        }
        return false;
    }

    boolean executes(Instruction i) {
        return switch (i.op) {
            case AESENC, AESENCLAST, AESDEC, AESDECLAST -> flags.contains(wide(i) ? "vaes" : "aes");
            case AESIMC, AESKEYGENASSIST -> flags.contains("aes");
            case PCLMULQDQ -> flags.contains(wide(i) ? "vpclmulqdq" : "pclmulqdq");
            case SHA1RNDS4, SHA1NEXTE, SHA1MSG1, SHA1MSG2 -> flags.contains("sha_ni");
            case SHA256RNDS2, SHA256MSG1, SHA256MSG2 -> flags.contains("sha_ni");
            case ADCX, ADOX -> flags.contains("adx");
            default -> true;
        };
    }

    private static boolean wide(Instruction i) {
        return (i.flags & Instruction.VEX_256) != 0;
    }
}
