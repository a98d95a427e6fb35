package org.javisor.translator;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.CodeContract;
import org.javisor.testkit.DebugContract;
import org.javisor.testkit.DescriptorContract;
import org.javisor.testkit.ExceptionContract;
import org.javisor.testkit.HostSafetyContract;
import org.javisor.testkit.HostilityContract;
import org.javisor.testkit.InputOutputContract;
import org.javisor.testkit.PagingContract;
import org.javisor.testkit.PrivilegeContract;
import org.javisor.testkit.StateContract;
import org.junit.jupiter.api.Nested;

/** The contracts' small guests, with the interpreter beside the translator: no difference. */
class LockstepContractTest {
    private static final Hypervisor VERIFYING =
            new TranslatorHypervisor(TranslatorOptions.DEFAULT.withVerify(true));

    @Nested
    class Exceptions extends ExceptionContract {
        @Override
        protected Hypervisor hypervisor() {
            return VERIFYING;
        }
    }

    @Nested
    class Privileges extends PrivilegeContract {
        @Override
        protected Hypervisor hypervisor() {
            return VERIFYING;
        }
    }

    @Nested
    class Descriptors extends DescriptorContract {
        @Override
        protected Hypervisor hypervisor() {
            return VERIFYING;
        }
    }

    @Nested
    class States extends StateContract {
        @Override
        protected Hypervisor hypervisor() {
            return VERIFYING;
        }
    }

    @Nested
    class ChangingCode extends CodeContract {
        @Override
        protected Hypervisor hypervisor() {
            return VERIFYING;
        }
    }

    @Nested
    class Pages extends PagingContract {
        @Override
        protected Hypervisor hypervisor() {
            return VERIFYING;
        }
    }

    @Nested
    class Hostile extends HostilityContract {
        @Override
        protected Hypervisor hypervisor() {
            return VERIFYING;
        }
    }

    @Nested
    class Devices extends InputOutputContract {
        @Override
        protected Hypervisor hypervisor() {
            return VERIFYING;
        }
    }

    @Nested
    class Debugs extends DebugContract {
        @Override
        protected Hypervisor hypervisor() {
            return VERIFYING;
        }
    }

    @Nested
    class HostSafety extends HostSafetyContract {
        @Override
        protected Hypervisor hypervisor() {
            return VERIFYING;
        }
    }
}
