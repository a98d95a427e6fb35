/**
 * The x86-64 instruction set as data: decoding, architectural constants, floating-point arithmetic.
 */
module org.javisor.x86 {
    exports org.javisor.x86;
}
