package org.javisor.translator;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.EngineContract;

/** What every engine promises, with all code translated as busy blocks are. */
class BusyBlocksContractTest extends EngineContract {
    @Override
    protected Hypervisor hypervisor() {
        return TranslatorHypervisor.busy();
    }

    @Override
    protected boolean countsInstructions() {
        return false;
    }
}
