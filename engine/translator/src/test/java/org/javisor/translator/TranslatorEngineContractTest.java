package org.javisor.translator;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.EngineContract;

/** What every engine promises, kept by the translator. */
class TranslatorEngineContractTest extends EngineContract {
    @Override
    protected Hypervisor hypervisor() {
        return new TranslatorHypervisor();
    }
}
