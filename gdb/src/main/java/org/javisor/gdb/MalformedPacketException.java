package org.javisor.gdb;

/** A packet that the protocol does not know in this form, or whose values make no sense. */
final class MalformedPacketException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MalformedPacketException(String message) {
        super(message);
    }
}
