package org.javisor.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.javisor.testkit.GuestCode.RDI;
import static org.javisor.testkit.SmallGuest.CODE;
import static org.javisor.testkit.SmallGuest.MMIO;

import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.javisor.device.Doorbell;
import org.javisor.device.Doorbells;
import org.javisor.testkit.GuestCode;
import org.javisor.testkit.SilentDevices;
import org.javisor.testkit.SmallGuest;
import org.javisor.testkit.SmallGuest.Kind;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Writes that the kernel turns into signals. */
@NeedsKvm
class KernelDoorbellsTest {
    private final SmallGuest guest = new SmallGuest(new KvmHypervisor());
    private final AtomicReference<Throwable> broken = new AtomicReference<>();
    private final Doorbells doorbells = guest.vm().doorbells(broken::set).orElseThrow();
    private final Semaphore rung = new Semaphore(0);
    private final AtomicInteger writes = new AtomicInteger();

    KernelDoorbellsTest() {
        guest.devices(
                new SilentDevices() {
                    @Override
                    public void writeMmio(long gpa, int size, long value) {
                        writes.incrementAndGet();
                    }
                });
    }

    @AfterEach
    void close() {
        guest.close();
    }

    private Doorbell bell(int size, OptionalLong value) {
        return new Doorbell(0, size, value, rung::release);
    }

    /** mov word [MMIO + 10h], 7 */
    private void write() {
        GuestCode code = GuestCode.at(CODE).mov(RDI, MMIO).hex("66c747100700").end();
        assertThat(guest.run(code).kind()).isEqualTo(Kind.END);
    }

    private boolean hasRung() throws InterruptedException {
        return rung.tryAcquire(20, TimeUnit.SECONDS);
    }

    @Test
    void write_rings_andReachesNoDevice_untilTheBellIsRemoved() throws InterruptedException {
        Doorbell bell = bell(0, OptionalLong.empty());
        assertThat(doorbells.install(MMIO + 0x10, bell)).isTrue();
        write();
        assertThat(hasRung()).isTrue();
        write();
        assertThat(hasRung()).isTrue();
        assertThat(writes.get()).isZero();
        assertThat(guest.vm().statistics().counters().get("doorbells")).isEqualTo(2);
        doorbells.remove(MMIO + 0x10, bell);
        write();
        assertThat(writes.get()).isEqualTo(1);
    }

    @Test
    void writesOfOtherSizesAndValues_reachTheDevice() throws InterruptedException {
        doorbells.install(MMIO + 0x10, bell(4, OptionalLong.empty()));
        doorbells.install(MMIO + 0x10, bell(2, OptionalLong.of(8)));
        write();
        assertThat(writes.get()).isEqualTo(1);
        assertThat(rung.availablePermits()).isZero();
        doorbells.install(MMIO + 0x10, bell(2, OptionalLong.of(7)));
        write();
        assertThat(hasRung()).isTrue();
        assertThat(writes.get()).isEqualTo(1);
    }

    @Test
    void placeThatIsTaken_isRefused_andAnotherWorks() throws InterruptedException {
        assertThat(doorbells.install(MMIO + 0x10, bell(2, OptionalLong.empty()))).isTrue();
        assertThat(doorbells.install(MMIO + 0x10, bell(2, OptionalLong.empty()))).isFalse();
        doorbells.remove(MMIO + 0x20, bell(2, OptionalLong.empty()));
        write();
        assertThat(hasRung()).isTrue();
    }

    @Test
    void failureOfADevice_isTold_andTheOthersGoOnRinging() throws Exception {
        CompletableFuture<Void> failed = new CompletableFuture<>();
        Doorbell faulty =
                new Doorbell(
                        0,
                        2,
                        OptionalLong.empty(),
                        () -> {
                            failed.complete(null);
                            throw new IllegalStateException("a defect");
                        });
        doorbells.install(MMIO + 0x10, faulty);
        write();
        failed.get(20, TimeUnit.SECONDS);
        assertThat(doorbells.install(MMIO + 0x20, bell(4, OptionalLong.empty()))).isTrue();
        guest.run(GuestCode.at(CODE).mov(RDI, MMIO).hex("c7472005000000").end());
        assertThat(hasRung()).isTrue();
        assertThat(broken.get()).hasMessage("a defect");
    }

    @Test
    void nothingRings_afterStop() {
        doorbells.install(MMIO + 0x10, bell(0, OptionalLong.empty()));
        doorbells.stop();
        write();
        assertThat(rung.availablePermits()).isZero();
        doorbells.stop();
    }
}
