package org.javisor.network;

import java.time.Instant;

/**
 * A network whose frames are written to a file. One that a network has no room for appears again.
 */
final class CapturedNetwork extends FilteredNetwork {
    private final PcapFile file;

    CapturedNetwork(Network inner, PcapFile file) {
        super(inner);
        this.file = file;
    }

    @Override
    Filter towardsCard() {
        return new Capture() {
            @Override
            public boolean deliver(Frame frame) {
                Instant now = Instant.now();
                boolean taken = target().deliver(frame);
                if (taken) {
                    file.write(frame, now);
                }
                return taken;
            }
        };
    }

    @Override
    Filter towardsNetwork() {
        return new Capture() {
            @Override
            public boolean deliver(Frame frame) {
                // First, because a network may answer before it returns.
                file.write(frame, Instant.now());
                return target().deliver(frame);
            }
        };
    }

    private abstract class Capture extends Filter {

        @Override
        public void flush() {
            target().flush();
            file.flush();
        }
    }

    @Override
    public String description() {
        return super.description() + ", captured";
    }

    @Override
    public void close() {
        super.close();
        file.close();
    }
}
