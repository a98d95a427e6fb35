package org.javisor.interpreter;

import org.javisor.hypervisor.Hypervisor;
import org.javisor.testkit.CodeContract;
import org.javisor.testkit.ExceptionContract;
import org.javisor.testkit.MultiprocessorContract;
import org.junit.jupiter.api.Nested;

/** What every engine promises, kept while every block counts as hot. */
class HotEngineContractTest {
    private static final Hypervisor INTERPRETER = new InterpreterHypervisor(0);

    @Nested
    class Exceptions extends ExceptionContract {
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
    class Multiprocessing extends MultiprocessorContract {
        @Override
        protected Hypervisor hypervisor() {
            return INTERPRETER;
        }
    }
}
