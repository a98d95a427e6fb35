/**
 * The engine contract. A {@link org.javisor.hypervisor.Hypervisor} creates a {@link
 * org.javisor.hypervisor.Vm}; a {@code Vm} has guest memory and {@link
 * org.javisor.hypervisor.Vcpu}s; a {@code Vcpu} runs until it exits and says why. Everything above
 * the engine sees these nouns only.
 */
package org.javisor.hypervisor;
