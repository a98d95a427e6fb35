package org.javisor.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.SmallGuest.Ending;
import org.javisor.testkit.SmallGuest.Kind;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** What the contracts about small guests share: each test has a fresh one. */
public abstract class GuestContract {
    protected SmallGuest guest;

    protected abstract Hypervisor hypervisor();

    @BeforeEach
    public final void createGuest() {
        guest = new SmallGuest(hypervisor());
    }

    @AfterEach
    public final void closeGuest() {
        guest.close();
    }

    /** Replaces the guest by one with several processors. */
    protected final void withProcessors(int count) {
        guest.close();
        guest = new SmallGuest(hypervisor(), count);
    }

    protected static void assertEnd(Ending ending) {
        assertThat(ending.kind()).as("%s", ending).isEqualTo(Kind.END);
    }

    protected static void assertException(Ending ending, int vector, long errorCode) {
        assertThat(ending.kind()).as("%s", ending).isEqualTo(Kind.EXCEPTION);
        assertThat(ending.vector()).as("vector").isEqualTo(vector);
        assertThat(ending.errorCode()).as("error code").isEqualTo(errorCode);
    }

    protected static void assertPageFault(Ending ending, long errorCode, long address) {
        assertException(ending, 14, errorCode);
        assertThat(ending.state().cr2).as("cr2").isEqualTo(address);
    }
}
