package org.javisor.translator;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.ProgramContract;

/** Random programs, translated as on busy pages, compared with the host. */
class BusyPagesProgramTest extends ProgramContract {
    @Override
    protected Hypervisor hypervisor() {
        return TranslatorHypervisor.busy();
    }
}
