package org.javisor.share;

/** A folder cannot be shared: one line on what is wrong. */
public final class ShareException extends RuntimeException {
    private static final long serialVersionUID = 1;

    ShareException(String message) {
        super(message);
    }
}
