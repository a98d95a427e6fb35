/**
 * The engine that lets the host's processor run the guest, through Linux's {@code /dev/kvm} (Linux
 * Documentation/virt/kvm/api.rst) and Java's Foreign Function &amp; Memory API alone.
 *
 * <p>{@link org.javisor.kvm.KvmHypervisor} is the engine; {@link org.javisor.kvm.KvmHost} tells
 * what the host's KVM offers and how fast it is. {@code LinuxCalls} is where native code is called,
 * {@code Layouts} where the kernel's structures are described, {@code Ioctl} and {@code Capability}
 * where its numbers are.
 */
package org.javisor.kvm;
