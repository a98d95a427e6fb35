package org.javisor.interpreter;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.ProgramContract;

/** With every block executed in one piece. */
class HotProgramTest extends ProgramContract {
    @Override
    protected Hypervisor hypervisor() {
        return new InterpreterHypervisor(0);
    }

    @Override
    protected int usualPrograms() {
        return 150;
    }
}
