/**
 * Shows how fast Javisor is: guest programs under each engine, beside the same binary on the host
 * and in QEMU; and JMH benchmarks of the engines' hot parts. See docs/benchmarks.md.
 */
package org.javisor.bench;
