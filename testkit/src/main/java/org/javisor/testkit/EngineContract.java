package org.javisor.testkit;

import org.javisor.hypervisor.Hypervisor;
import org.junit.jupiter.api.Nested;

/**
 * Everything that each engine promises to a guest, apart from what single instructions compute
 * ({@link OracleContract}, {@link ProgramContract}). An engine's tests extend it and say which
 * engine:
 *
 * <pre>{@code
 * class TranslatorContractTest extends EngineContract {
 *     @Override
 *     protected Hypervisor hypervisor() {
 *         return new TranslatorHypervisor();
 *     }
 * }
 * }</pre>
 *
 * <p>The guests of these contracts execute most of their code once. An engine that begins with a
 * slower way of execution and changes over for code that is hot is to be tested twice: as users get
 * it, and such that it takes everything for hot from the first.
 *
 * <p>Each contract can also be extended on its own.
 */
public abstract class EngineContract {
    /** The engine to be tested; may be a new one at each call. */
    protected abstract Hypervisor hypervisor();

    /** Whether that engine has been told to count instructions. */
    protected boolean countsInstructions() {
        return true;
    }

    @Nested
    public class Paging extends PagingContract {
        @Override
        protected Hypervisor hypervisor() {
            return EngineContract.this.hypervisor();
        }
    }

    @Nested
    public class Exceptions extends ExceptionContract {
        @Override
        protected Hypervisor hypervisor() {
            return EngineContract.this.hypervisor();
        }
    }

    @Nested
    public class Privileges extends PrivilegeContract {
        @Override
        protected Hypervisor hypervisor() {
            return EngineContract.this.hypervisor();
        }
    }

    @Nested
    public class Descriptors extends DescriptorContract {
        @Override
        protected Hypervisor hypervisor() {
            return EngineContract.this.hypervisor();
        }
    }

    @Nested
    public class Modes extends ModeContract {
        @Override
        protected Hypervisor hypervisor() {
            return EngineContract.this.hypervisor();
        }
    }

    @Nested
    public class Debugging extends DebugContract {
        @Override
        protected Hypervisor hypervisor() {
            return EngineContract.this.hypervisor();
        }
    }

    @Nested
    public class ChangingCode extends CodeContract {
        @Override
        protected Hypervisor hypervisor() {
            return EngineContract.this.hypervisor();
        }
    }

    @Nested
    public class InputOutput extends InputOutputContract {
        @Override
        protected Hypervisor hypervisor() {
            return EngineContract.this.hypervisor();
        }
    }

    @Nested
    public class States extends StateContract {
        @Override
        protected Hypervisor hypervisor() {
            return EngineContract.this.hypervisor();
        }

        @Override
        protected boolean countsInstructions() {
            return EngineContract.this.countsInstructions();
        }
    }

    @Nested
    public class Multiprocessing extends MultiprocessorContract {
        @Override
        protected Hypervisor hypervisor() {
            return EngineContract.this.hypervisor();
        }
    }

    @Nested
    public class Hostility extends HostilityContract {
        @Override
        protected Hypervisor hypervisor() {
            return EngineContract.this.hypervisor();
        }
    }

    @Nested
    public class HostSafety extends HostSafetyContract {
        @Override
        protected Hypervisor hypervisor() {
            return EngineContract.this.hypervisor();
        }
    }
}
