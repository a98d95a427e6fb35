package org.javisor.interpreter;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.EngineContract;

/** What every engine promises, kept while every block counts as hot. */
class HotEngineContractTest extends EngineContract {
    @Override
    protected Hypervisor hypervisor() {
        return new InterpreterHypervisor(0);
    }
}
