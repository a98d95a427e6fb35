package org.javisor.cli;

import java.io.IOException;
import java.io.InputStream;
import org.javisor.machine.Machine;
import org.javisor.machine.MachineState;

/**
 * Passes what the user types to the guest's console, and what follows the escape key to Javisor.
 */
final class Keyboard {
    private static final byte BELL = 7;

    private final InputStream in;
    private final Machine machine;
    private final Messages messages;
    private final EscapeKey key;
    private final EscapeFilter filter;
    private volatile boolean quit;

    Keyboard(InputStream in, Machine machine, Messages messages, EscapeKey key) {
        this.in = in;
        this.machine = machine;
        this.messages = messages;
        this.key = key;
        this.filter = new EscapeFilter(key);
    }

    void start() {
        Thread.ofPlatform().name("keyboard").daemon().start(this::read);
    }

    /** Whether the user asked for the end. */
    boolean quit() {
        return quit;
    }

    private void read() {
        byte[] buffer = new byte[4096];
        try {
            int length;
            while ((length = in.read(buffer)) >= 0) {
                for (int i = 0; i < length; i++) {
                    carryOut(filter.accept(buffer[i]));
                }
                pass(filter.takeForGuest());
            }
        } catch (IOException e) {
            // The terminal has gone; SIGHUP tells the rest.
        }
    }

    /**
     * What a guest that does not listen has no room for is lost: the escape key must go on working.
     */
    private void pass(byte[] typed) {
        if (machine.console().offer(typed, 0, typed.length) < typed.length) {
            messages.line("" + (char) BELL);
        }
    }

    private void carryOut(EscapeFilter.Request request) {
        switch (request) {
            case NONE -> {}
            case CONTINUE -> {
                if (machine.state() == MachineState.PAUSED) {
                    machine.resume();
                }
            }
            case MENU ->
                    messages.say(
                            "q quit, c continue, p power button, r reset, s statistics, h help");
            case QUIT -> {
                quit = true;
                machine.stop();
            }
            case POWER_BUTTON -> machine.pressPowerButton();
            case RESET -> machine.reset();
            case STATISTICS -> StatisticsReport.lines(machine.statistics()).forEach(messages::line);
            case HELP -> help();
        }
    }

    private void help() {
        messages.say("The keys after " + key.label() + ":");
        messages.line("  q  quit: end the guest at once");
        messages.line("  c  continue; also when a device has paused the guest");
        messages.line("  p  press the guest's power button");
        messages.line("  r  press its reset button");
        messages.line("  s  show statistics");
        messages.line("  " + key.label() + "  send " + key.label() + " to the guest");
    }
}
