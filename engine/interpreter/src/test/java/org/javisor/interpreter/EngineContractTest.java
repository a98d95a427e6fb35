package org.javisor.interpreter;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.EngineContract;

/** What every engine promises, kept by the interpreter. */
class EngineContractTest extends EngineContract {
    @Override
    protected Hypervisor hypervisor() {
        return new InterpreterHypervisor();
    }
}
