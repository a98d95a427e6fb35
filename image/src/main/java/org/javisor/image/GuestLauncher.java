package org.javisor.image;

import java.nio.file.Path;

/** Runs the guest in which a build's packages are configured; given by who can make machines. */
@FunctionalInterface
public interface GuestLauncher {

    /** Takes what the guest sends on a serial port. */
    @FunctionalInterface
    interface Output {
        /** Valid during the call. */
        void received(byte[] bytes, int offset, int length);
    }

    /**
     * Runs a guest until it switches itself off.
     *
     * @param files what it boots with
     * @param disk a raw disk, which it may write; its only one
     * @param console takes what it sends on COM1
     * @param control takes what it sends on COM2
     * @throws InterruptedException when the build is given up; the guest has ended then
     */
    void run(BootFiles files, Path disk, Output console, Output control)
            throws InterruptedException;
}
