package org.javisor.bench;

/** One measurement failed; others may go on. The message is one line. */
final class SampleException extends Exception {
    private static final long serialVersionUID = 1L;

    SampleException(String message) {
        super(message);
    }
}
