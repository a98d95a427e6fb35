package org.javisor.machine;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.javisor.kvm.DirtyTracking;
import org.javisor.kvm.KernelSpeed;
import org.javisor.kvm.KvmException;
import org.javisor.kvm.KvmHost;
import org.javisor.kvm.KvmHypervisor;

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

    /**
     * The engine, telling guests of as much as works here.
     *
     * @throws KvmException if KVM cannot be used here
     */
    static KvmHypervisor hypervisor() {
        boolean hardware = KernelSpeed.ofThisBoot(cacheFile(System.getenv())).hardware();
        return new KvmHypervisor(DirtyTracking.BITMAP, hardware);
    }

    static Optional<String> reservation(KernelSpeed speed) {
        return speed.hardware()
                ? Optional.empty()
                : Optional.of(
                        "emulated on this host, at %s instructions a second in the kernel"
                                .formatted(millions(speed)));
    }

    private static String millions(KernelSpeed speed) {
        return speed.millionsPerSecond() < 10
                ? "%.1f million".formatted(speed.millionsPerSecond())
                : "%.0f million".formatted(speed.millionsPerSecond());
    }

    /**
     * What this host's KVM is, in lines for people: the first says whether it can be used and how
     * fast it is, the others what it lacks. Measures anew; some ten milliseconds at most.
     */
    public static Finding examine() {
        Optional<String> obstacle = KvmHost.obstacle();
        if (obstacle.isPresent()) {
            return new Finding(false, "kvm is " + obstacle.get(), List.of());
        }
        try {
            KernelSpeed speed = KernelSpeed.measure();
            String what =
                    speed.hardware()
                            ? "hardware: %s instructions a second in a guest's kernel"
                            : "it emulates guest kernels, at %s instructions a second; auto passes it"
                                    + " over, --engine kvm takes it";
            List<String> missing =
                    KvmHost.missing().stream()
                            .map(c -> "no " + c.name() + ": " + c.without())
                            .sorted()
                            .toList();
            return new Finding(
                    speed.hardware(), "/dev/kvm, " + what.formatted(millions(speed)), missing);
        } catch (KvmException e) {
            return new Finding(false, "kvm is not usable (" + e.getMessage() + ")", List.of());
        }
    }

    /**
     * @param good nothing stands in the way of hardware speed
     * @param text what it is
     * @param missing what it lacks and what follows from that; one line each
     */
    public record Finding(boolean good, String text, List<String> missing) {}

    /** In {@code $XDG_CACHE_HOME}, else {@code ~/.cache} (XDG Base Directory Specification). */
    private static Path cacheFile(Map<String, String> environment) {
        Path cache = Path.of(environment.getOrDefault("XDG_CACHE_HOME", ""));
        Path base = cache.isAbsolute() ? cache : Path.of(System.getProperty("user.home"), ".cache");
        return base.resolve(SPEED_FILE);
    }
}
