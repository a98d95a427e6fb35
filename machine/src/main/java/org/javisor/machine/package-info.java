/**
 * A PC as one object. {@link org.javisor.machine.MachineConfig} says what it is made of, {@link
 * org.javisor.machine.Machine} makes and runs it; {@code PcBoard} is the wiring, {@code
 * VcpuThreads} the processors' threads. The only module that knows both engines and devices.
 */
package org.javisor.machine;
