package org.javisor.interpreter;

/** An instruction that is carried out again does what its runner did not do. */
final class ReplayFailure extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /**
     * @param what it does, to stand behind "the interpreter"
     */
    ReplayFailure(String what) {
        super(what, null, false, false);
    }
}
