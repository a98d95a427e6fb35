package org.javisor.hypervisor;

import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.javisor.device.Doorbells;
import org.javisor.device.MessageInterrupts;
import org.javisor.memory.GuestMemory;

/** One machine's memory and processors inside an engine. */
public interface Vm extends AutoCloseable {
    GuestMemory memory();

    /** TSC ticks a second, the same on every vCPU. */
    long tscFrequency();

    /**
     * Makes the engine's own local APICs serve this machine's processors, if it has any. To be
     * called before the first processor is created, or not at all.
     *
     * <p>The processors then need no {@link Vcpu#connect connected} controller, answer APIC
     * registers, interprocessor interrupts and HLT by themselves, and take the messages of I/O
     * APICs and PCI functions from what this returns. A controller that is connected nevertheless
     * stands for external interrupts, a PIC's: the processor asks it for a vector whenever its
     * local APIC would pass one on, and uses nothing else of it.
     *
     * @param endOfInterrupt is told the vector when a processor ends a level-triggered interrupt;
     *     called on that processor's thread
     * @return empty if the machine has to bring local APICs and connect them
     */
    default Optional<MessageInterrupts> useOwnLocalApics(IntConsumer endOfInterrupt) {
        return Optional.empty();
    }

    /**
     * Makes the engine's own interrupt controllers and timer serve this machine, if it has them. To
     * be called before the first processor is created, instead of {@link #useOwnLocalApics}, or not
     * at all. The processors then need no {@link Vcpu#connect connected} controller.
     *
     * @return empty if the machine has to bring them
     */
    default Optional<InterruptFabric> useOwnInterruptFabric() {
        return Optional.empty();
    }

    /**
     * The engine's way to be told of writes without stopping the processor, the same at each call.
     *
     * @param broken hears what a bell throws: a defect of a device
     * @return empty if it has none
     */
    default Optional<Doorbells> doorbells(Consumer<Throwable> broken) {
        return Optional.empty();
    }

    /**
     * Adds a processor, in the state after power-on: vCPU 0 in real mode at the reset vector,
     * others waiting for start-up. To be called before any vCPU runs.
     *
     * @param index 0, 1, 2, …; also the APIC ID
     * @param cpuid what CPUID answers on this processor
     * @param io answers its port and memory-mapped accesses
     */
    Vcpu createVcpu(int index, CpuidTable cpuid, VcpuIo io);

    /** Figures since creation; may be read at any time from any thread, and is then approximate. */
    EngineStatistics statistics();

    /** All vCPUs must have returned from run. */
    @Override
    void close();
}
