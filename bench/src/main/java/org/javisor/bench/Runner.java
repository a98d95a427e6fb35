package org.javisor.bench;

/** Runs programs under one engine, one at a time. */
interface Runner extends AutoCloseable {
    /**
     * Runs a program for at least that long.
     *
     * @throws SampleException if it did not work; the next program may
     */
    Sample run(GuestProgram program, int milliseconds) throws SampleException, InterruptedException;

    @Override
    void close();
}
