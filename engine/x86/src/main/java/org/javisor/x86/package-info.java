/**
 * The x86-64 instruction set as data: the decoder and what it yields, architectural constants, and
 * the arithmetic of the floating-point and SIMD units. No devices, no code generation, no processor
 * state.
 */
package org.javisor.x86;
