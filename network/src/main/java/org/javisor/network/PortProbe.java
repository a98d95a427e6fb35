package org.javisor.network;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The question whether a port of the guest's is listened on: the first segment of a handshake. An
 * agreeing answer is reset, so the handshake is never complete and no program of the guest's hears
 * of it (RFC 9293, 3.10.7.4: a listener returns to LISTEN).
 */
final class PortProbe {
    final Flow flow;
    final int sequence;
    private final CompletableFuture<Boolean> answer = new CompletableFuture<>();

    PortProbe(Flow flow, int sequence) {
        this.flow = flow;
        this.sequence = sequence;
    }

    /** A segment of this flow has come from the guest. */
    void answered(TcpHeader segment) {
        if (segment.has(TcpHeader.ACK) && segment.acknowledgment == sequence + 1) {
            if (segment.has(TcpHeader.RST)) {
                answer.complete(false);
            } else if (segment.has(TcpHeader.SYN)) {
                answer.complete(true);
            }
        }
    }

    /** Whether it is listened on; not if there is no answer in that time. */
    boolean await(Duration patience) throws InterruptedException {
        try {
            return answer.get(patience.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            throw new AssertionError(e);
        }
    }
}
