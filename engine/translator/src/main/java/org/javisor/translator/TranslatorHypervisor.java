package org.javisor.translator;

import java.util.Optional;
import org.javisor.device.Clock;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.hypervisor.Vm;
import org.javisor.interpreter.InterpreterHypervisor;
import org.javisor.memory.ExecutableMemory;
import org.javisor.memory.GuestMemory;

/** The engine that turns guest code into host code; for x86-64 Linux hosts. */
public final class TranslatorHypervisor implements Hypervisor {
    private static final long CODE_CACHE = 64L << 20;

    private final InterpreterHypervisor interpreter = new InterpreterHypervisor();
    private final long codeCache;
    private final boolean countInstructions;

    /** With 64 MiB of code, counting instructions. */
    public TranslatorHypervisor() {
        this(CODE_CACHE, true);
    }

    /**
     * @param codeCache bytes for translated code, a multiple of 4096, at least 1 MiB, at most 1 GiB
     * @param countInstructions whether statistics are to tell how many instructions were carried
     *     out by translated code; counting costs short loops some of their speed
     */
    public TranslatorHypervisor(long codeCache, boolean countInstructions) {
        this.codeCache = codeCache + 4095 & -4096;
        this.countInstructions = countInstructions;
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
                ExecutableMemory.allocate(codeCache)
                        .orElseThrow(
                                () ->
                                        new UnsupportedOperationException(
                                                "This host refuses executable memory"));
        TranslationCache cache = new TranslationCache(memory, code, countInstructions);
        memory.observeWrites(cache);
        return interpreter.createVm(
                memory,
                clock,
                processor -> new TranslatedRunner(processor, cache),
                () -> {
                    memory.removeObserver(cache);
                    code.close();
                });
    }
}
