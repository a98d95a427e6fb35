package org.javisor.memory;

/** The host refused a reservation of guest memory. */
public final class OutOfHostMemoryException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public OutOfHostMemoryException(long bytes, Throwable cause) {
        super("The host cannot reserve " + (bytes >> 20) + " MiB of guest memory", cause);
    }
}
