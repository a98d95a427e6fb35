package org.javisor.kvm;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.CodeContract;
import org.javisor.testkit.DebugContract;
import org.javisor.testkit.ExceptionContract;
import org.javisor.testkit.HostilityContract;
import org.javisor.testkit.InputOutputContract;
import org.javisor.testkit.ModeContract;
import org.javisor.testkit.MultiprocessorContract;
import org.javisor.testkit.PagingContract;
import org.javisor.testkit.PrivilegeContract;
import org.javisor.testkit.StateContract;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.extension.ExtendWith;

/** What every engine promises, kept by KVM. */
@NeedsKvm
@ExtendWith(HostLimits.class)
class KvmContractTest {
    private static final Hypervisor KVM = new KvmHypervisor();

    @Nested
    class Paging extends PagingContract {
        @Override
        protected Hypervisor hypervisor() {
            return KVM;
        }
    }

    @Nested
    class Exceptions extends ExceptionContract {
        @Override
        protected Hypervisor hypervisor() {
            return KVM;
        }
    }

    @Nested
    class Privileges extends PrivilegeContract {
        @Override
        protected Hypervisor hypervisor() {
            return KVM;
        }
    }

    @Nested
    class Modes extends ModeContract {
        @Override
        protected Hypervisor hypervisor() {
            return KVM;
        }
    }

    @Nested
    class Debugging extends DebugContract {
        @Override
        protected Hypervisor hypervisor() {
            return KVM;
        }
    }

    @Nested
    class ChangingCode extends CodeContract {
        @Override
        protected Hypervisor hypervisor() {
            return KVM;
        }
    }

    @Nested
    class InputOutput extends InputOutputContract {
        @Override
        protected Hypervisor hypervisor() {
            return KVM;
        }
    }

    @Nested
    class States extends StateContract {
        @Override
        protected Hypervisor hypervisor() {
            return KVM;
        }
    }

    @Nested
    class Multiprocessing extends MultiprocessorContract {
        @Override
        protected Hypervisor hypervisor() {
            return KVM;
        }
    }

    @Nested
    class Hostility extends HostilityContract {
        @Override
        protected Hypervisor hypervisor() {
            return KVM;
        }
    }
}
