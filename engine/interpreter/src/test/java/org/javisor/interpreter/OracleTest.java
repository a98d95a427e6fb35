package org.javisor.interpreter;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.OracleContract;

class OracleTest extends OracleContract {
    @Override
    protected Hypervisor hypervisor() {
        return new InterpreterHypervisor();
    }
}
