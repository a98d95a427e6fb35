package org.javisor.testkit;

import java.util.Random;

/** A form of an instruction that leaves something open; its text names it. */
interface EncodableForm {
    /** Bytes of the form with registers, addressing and immediates chosen at random. */
    byte[] encode(Random random);
}
