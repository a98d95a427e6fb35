package org.javisor.translator;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.OracleContract;

/** Every form of instruction, translated as busy blocks are, compared with the host. */
class BusyBlocksOracleTest extends OracleContract {
    @Override
    protected Hypervisor hypervisor() {
        return TranslatorHypervisor.busy();
    }
}
