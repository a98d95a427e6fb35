package org.javisor.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import org.javisor.testkit.GuestCode;
import org.javisor.testkit.SmallGuest;
import org.junit.jupiter.api.Test;

@NeedsKvm
class KvmBasicsTest {
    @Test
    void guestCode_reachesAPort() {
        try (SmallGuest guest = new SmallGuest(new KvmHypervisor())) {
            SmallGuest.Ending e =
                    guest.run(GuestCode.at(SmallGuest.CODE).mov(0, 77).trace(5).end());
            assertThat(e.kind()).isEqualTo(SmallGuest.Kind.END);
            assertThat(guest.trace()).containsExactly(5);
        }
    }
}
