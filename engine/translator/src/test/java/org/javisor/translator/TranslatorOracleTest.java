package org.javisor.translator;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.OracleContract;

/** Every form of instruction, translated, compared with the host. */
class TranslatorOracleTest extends OracleContract {
    @Override
    protected Hypervisor hypervisor() {
        return new TranslatorHypervisor();
    }
}
