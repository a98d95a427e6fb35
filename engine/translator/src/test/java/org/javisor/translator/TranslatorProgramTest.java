package org.javisor.translator;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.ProgramContract;

/** Random programs, translated, compared with the host. */
class TranslatorProgramTest extends ProgramContract {
    @Override
    protected Hypervisor hypervisor() {
        return new TranslatorHypervisor();
    }
}
