package org.javisor.interpreter;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.OracleContract;

/** With every block executed in one piece. */
class HotOracleTest extends OracleContract {
    @Override
    protected Hypervisor hypervisor() {
        return new InterpreterHypervisor(0);
    }

    @Override
    protected int formsForEachInARow() {
        return 25;
    }
}
