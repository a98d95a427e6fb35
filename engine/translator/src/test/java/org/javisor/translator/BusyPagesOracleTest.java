package org.javisor.translator;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.OracleContract;

/** Every form of instruction, translated as on busy pages, compared with the host. */
class BusyPagesOracleTest extends OracleContract {
    @Override
    protected Hypervisor hypervisor() {
        return TranslatorHypervisor.busy();
    }
}
