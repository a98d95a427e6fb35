package org.javisor.interpreter;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.ProgramContract;

class ProgramTest extends ProgramContract {
    @Override
    protected Hypervisor hypervisor() {
        return new InterpreterHypervisor();
    }
}
