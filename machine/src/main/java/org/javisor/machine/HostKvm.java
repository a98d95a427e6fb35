package org.javisor.machine;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.javisor.kvm.KernelSpeed;
import org.javisor.kvm.KvmException;

/** Whether this host's KVM is what people expect of one. */
public final class HostKvm {
    private static final String SPEED_FILE = "javisor/kvm-speed";

    private HostKvm() {}

    /**
     * Why a machine that is left to choose its engine does not take KVM although it works: it
     * emulates guest kernels instead of executing them, which is slow and incomplete. Measured once
     * for each start of the host, and kept in the user's cache directory.
     */
    static Optional<String> reservation() {
        try {
            return reservation(KernelSpeed.ofThisBoot(cacheFile(System.getenv())));
        } catch (KvmException e) {
            return Optional.of("not usable (" + e.getMessage() + ")");
        }
    }

    static Optional<String> reservation(KernelSpeed speed) {
        return speed.hardware()
                ? Optional.empty()
                : Optional.of(
                        "emulated on this host, %s of a kernel's instructions"
                                .formatted(rate(speed)));
    }

    /** As people say it, for lines of text. */
    public static String rate(KernelSpeed speed) {
        return speed.millionsPerSecond() < 10
                ? "%.1f million a second".formatted(speed.millionsPerSecond())
                : "%.0f million a second".formatted(speed.millionsPerSecond());
    }

    /** In {@code $XDG_CACHE_HOME}, else {@code ~/.cache} (XDG Base Directory Specification). */
    private static Path cacheFile(Map<String, String> environment) {
        Path cache = Path.of(environment.getOrDefault("XDG_CACHE_HOME", ""));
        Path base = cache.isAbsolute() ? cache : Path.of(System.getProperty("user.home"), ".cache");
        return base.resolve(SPEED_FILE);
    }
}
