package org.javisor.gdb;

import java.util.ArrayList;
import java.util.List;

/** What each processor is to do next: the actions of a {@code vCont} packet or its forerunners. */
final class ResumeRequest {
    /** What one processor does. */
    sealed interface Action {
        record Stay() implements Action {}

        record Continue() implements Action {}

        /** One instruction, and further ones while they lie in {@code [from, to)}. */
        record Step(long from, long to) implements Action {
            boolean goesOn(long address) {
                return Long.compareUnsigned(address - from, to - from) < 0;
            }
        }
    }

    private static final Action.Step ONE_STEP = new Action.Step(0, 0);

    private final List<Action> actions;

    private ResumeRequest(List<Action> actions) {
        this.actions = actions;
    }

    /** By the processor's index. */
    Action action(int vcpu) {
        return actions.get(vcpu);
    }

    boolean everybodyContinues() {
        return actions.stream().allMatch(Action.Continue.class::isInstance);
    }

    /** The old packets: {@code c} lets all go on, {@code s} steps one while the others go on. */
    static ResumeRequest continueAll(int processors) {
        return new ResumeRequest(
                new ArrayList<>(java.util.Collections.nCopies(processors, new Action.Continue())));
    }

    static ResumeRequest step(int vcpu, int processors) {
        ResumeRequest request = continueAll(processors);
        request.actions.set(vcpu, ONE_STEP);
        return request;
    }

    /**
     * Reads the actions of a {@code vCont} packet: of those that name a processor the first counts;
     * one that none names stays.
     *
     * @param any the processor to take where the packet leaves it open
     * @throws MalformedPacketException if it is something else
     */
    static ResumeRequest parse(PacketText packet, ThreadIds threads, int any) {
        int processors = threads.count();
        List<Action> actions = new ArrayList<>();
        for (int n = 0; n < processors; n++) {
            actions.add(null);
        }
        while (!packet.atEnd()) {
            packet.expect(';');
            Action action = action(packet);
            int thread = ThreadIds.ALL;
            if (packet.take(":")) {
                thread = threads.parse(packet);
                thread = thread == ThreadIds.ANY ? any : thread;
            }
            for (int n = 0; n < processors; n++) {
                if (actions.get(n) == null && (thread == ThreadIds.ALL || thread == n)) {
                    actions.set(n, action);
                }
            }
        }
        actions.replaceAll(action -> action == null ? new Action.Stay() : action);
        if (actions.stream().allMatch(Action.Stay.class::isInstance)) {
            throw new MalformedPacketException("No action");
        }
        return new ResumeRequest(actions);
    }

    private static Action action(PacketText packet) {
        int kind = packet.next();
        return switch (kind) {
            case 'c' -> new Action.Continue();
            case 's' -> ONE_STEP;
            case 'C', 'S' -> {
                // Signals mean nothing to a processor.
                packet.number();
                yield kind == 'C' ? new Action.Continue() : ONE_STEP;
            }
            case 'r' -> {
                long from = packet.number();
                packet.expect(',');
                yield new Action.Step(from, packet.number());
            }
            default -> throw new MalformedPacketException("Unknown action");
        };
    }
}
