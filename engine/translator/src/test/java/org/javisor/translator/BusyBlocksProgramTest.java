package org.javisor.translator;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.ProgramContract;

/** Random programs, translated as busy blocks are, compared with the host. */
class BusyBlocksProgramTest extends ProgramContract {
    @Override
    protected Hypervisor hypervisor() {
        return TranslatorHypervisor.busy();
    }
}
