/**
 * The contracts between devices and everything else.
 *
 * <p>A device is built from its registers, an {@link org.javisor.device.InterruptLine}, a {@link
 * org.javisor.device.Clock} if it keeps time and guest memory if it does DMA. It does not know its
 * address, its bus, its machine or the engine.
 *
 * <p>Threads: register accesses come from any vCPU's thread, alarms from the clock's. Each device
 * guards its own state with one lock. Calls go downwards only, from device to interrupt controller
 * to processor, and an interrupt line may be driven while the device's lock is held; therefore
 * nothing that is called through an interrupt line may call back into a device while holding a lock
 * of its own.
 */
package org.javisor.device;
