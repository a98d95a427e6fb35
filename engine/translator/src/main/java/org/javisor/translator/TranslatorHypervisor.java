package org.javisor.translator;

import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.javisor.device.Clock;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.hypervisor.Vm;
import org.javisor.interpreter.InterpreterHypervisor;
import org.javisor.memory.ExecutableMemory;
import org.javisor.memory.GuestMemory;

/** The engine that turns guest code into host code; for x86-64 Linux hosts. */
public final class TranslatorHypervisor implements Hypervisor {
    private final InterpreterHypervisor interpreter = new InterpreterHypervisor();
    private final TranslatorOptions options;
    private final UnaryOperator<byte[]> fault;
    private final Supplier<BusyBlocks> busyBlocks;

    /** With {@link TranslatorOptions#DEFAULT}. */
    public TranslatorHypervisor() {
        this(TranslatorOptions.DEFAULT);
    }

    public TranslatorHypervisor(TranslatorOptions options) {
        this(options, code -> code, BusyBlocks::new);
    }

    /**
     * For tests.
     *
     * @param fault spoils the code of a block before it is put in place
     * @param busyBlocks judge of the blocks of a machine
     */
    TranslatorHypervisor(
            TranslatorOptions options,
            UnaryOperator<byte[]> fault,
            Supplier<BusyBlocks> busyBlocks) {
        this.options = options;
        this.fault = fault;
        this.busyBlocks = busyBlocks;
    }

    /** For tests of code as it is in busy blocks, all are, and without counting as users run it. */
    static TranslatorHypervisor busy() {
        TranslatorOptions options = TranslatorOptions.DEFAULT.withCountInstructions(false);
        return new TranslatorHypervisor(options, code -> code, () -> new BusyBlocks(0));
    }

    @Override
    public String name() {
        return "translator";
    }

    /** Why this host cannot run it, or empty. */
    public static Optional<String> obstacle() {
        if (!System.getProperty("os.arch").equals("amd64")) {
            return Optional.of("for x86-64 hosts only");
        }
        Optional<String> lacking = HostFeatures.ofThisHost().obstacle();
        if (lacking.isPresent()) {
            return lacking;
        }
        Optional<ExecutableMemory> memory = ExecutableMemory.allocate(4096);
        memory.ifPresent(ExecutableMemory::close);
        return memory.isPresent()
                ? Optional.empty()
                : Optional.of("refused executable memory by this host");
    }

    @Override
    public CpuidTable cpuid() {
        return interpreter.cpuid();
    }

    @Override
    public Vm createVm(GuestMemory memory, Clock clock) {
        ExecutableMemory code =
                (options.perfMap()
                                ? ExecutableMemory.allocateAnonymous(options.codeCache())
                                : ExecutableMemory.allocate(options.codeCache()))
                        .orElseThrow(
                                () ->
                                        new UnsupportedOperationException(
                                                "This host refuses executable memory"));
        TranslationCache cache;
        try {
            cache = new TranslationCache(memory, code, options, fault, busyBlocks.get());
        } catch (RuntimeException e) {
            code.close();
            throw e;
        }
        memory.observeWrites(cache);
        return interpreter.createVm(
                memory,
                clock,
                processor -> new TranslatedRunner(processor, cache, options.verify()),
                () -> {
                    memory.removeObserver(cache);
                    code.close();
                    cache.close();
                });
    }
}
