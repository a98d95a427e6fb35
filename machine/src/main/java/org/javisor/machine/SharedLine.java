package org.javisor.machine;

import org.javisor.device.InterruptLine;

/** A wire that several drive: high while any of them drives it. */
final class SharedLine {
    private final InterruptLine output;
    private int asserting;

    SharedLine(InterruptLine output) {
        this.output = output;
    }

    /** The wire's end for one more driver. */
    InterruptLine newInput() {
        return new Input();
    }

    private final class Input implements InterruptLine {
        private boolean level;

        @Override
        public void drive(boolean asserted) {
            synchronized (SharedLine.this) {
                if (level != asserted) {
                    level = asserted;
                    asserting += asserted ? 1 : -1;
                    output.drive(asserting > 0);
                }
            }
        }
    }
}
