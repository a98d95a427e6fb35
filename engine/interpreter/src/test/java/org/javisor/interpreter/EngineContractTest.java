package org.javisor.interpreter;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.CodeContract;
import org.javisor.testkit.DebugContract;
import org.javisor.testkit.DescriptorContract;
import org.javisor.testkit.ExceptionContract;
import org.javisor.testkit.HostilityContract;
import org.javisor.testkit.InputOutputContract;
import org.javisor.testkit.ModeContract;
import org.javisor.testkit.MultiprocessorContract;
import org.javisor.testkit.PagingContract;
import org.javisor.testkit.PrivilegeContract;
import org.javisor.testkit.StateContract;
import org.junit.jupiter.api.Nested;

/** What every engine promises, kept by the interpreter. */
class EngineContractTest {
    private static final Hypervisor INTERPRETER = new InterpreterHypervisor();

    @Nested
    class Paging extends PagingContract {
        @Override
        protected Hypervisor hypervisor() {
            return INTERPRETER;
        }
    }

    @Nested
    class Exceptions extends ExceptionContract {
        @Override
        protected Hypervisor hypervisor() {
            return INTERPRETER;
        }
    }

    @Nested
    class Privileges extends PrivilegeContract {
        @Override
        protected Hypervisor hypervisor() {
            return INTERPRETER;
        }
    }

    @Nested
    class Descriptors extends DescriptorContract {
        @Override
        protected Hypervisor hypervisor() {
            return INTERPRETER;
        }
    }

    @Nested
    class Modes extends ModeContract {
        @Override
        protected Hypervisor hypervisor() {
            return INTERPRETER;
        }
    }

    @Nested
    class Debugging extends DebugContract {
        @Override
        protected Hypervisor hypervisor() {
            return INTERPRETER;
        }
    }

    @Nested
    class ChangingCode extends CodeContract {
        @Override
        protected Hypervisor hypervisor() {
            return INTERPRETER;
        }
    }

    @Nested
    class InputOutput extends InputOutputContract {
        @Override
        protected Hypervisor hypervisor() {
            return INTERPRETER;
        }
    }

    @Nested
    class States extends StateContract {
        @Override
        protected Hypervisor hypervisor() {
            return INTERPRETER;
        }
    }

    @Nested
    class Multiprocessing extends MultiprocessorContract {
        @Override
        protected Hypervisor hypervisor() {
            return INTERPRETER;
        }
    }

    @Nested
    class Hostility extends HostilityContract {
        @Override
        protected Hypervisor hypervisor() {
            return INTERPRETER;
        }
    }
}
