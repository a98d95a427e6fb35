package org.javisor.translator;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.EngineContract;

/** What every engine promises, with all code translated as that of busy pages is. */
class BusyPagesContractTest extends EngineContract {
    @Override
    protected Hypervisor hypervisor() {
        return TranslatorHypervisor.busy();
    }
}
