package org.javisor.image;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * The host's end of the control messages on COM2 of {@code tiny}. Fed with the bytes that the guest
 * sends there, it tells messages from the kernel's log, which may share the port.
 *
 * <p>The guest's messages begin with the byte 0x1E (record separator) and end with a line feed:
 *
 * <ul>
 *   <li>{@code ready}: the guest now listens for {@code size}. Before, nothing must be sent.
 *   <li>{@code booted}: every service of the guest has started; only guests with services say it.
 *   <li>{@code in}: the command wants input. The host answers with exactly one {@link #input}
 *       message, whenever it has some.
 *   <li>{@code exit N}: the command ended with status N, 0 to 255, and all its output has been sent
 *       on COM1. The guest powers off next.
 * </ul>
 *
 * <p>The host's messages: {@code size ROWS COLUMNS} and a line feed; and for input a decimal
 * length, a line feed and that many bytes, where length 0 is the end of the input.
 *
 * <p>The guest may send anything: what is not a message counts as log, and lines are cut at {@value
 * #MAX_LINE} bytes. Not thread-safe.
 */
public final class GuestControl {

    /** The most bytes that one {@link #input} message may carry. */
    public static final int MAX_INPUT = 32 << 10;

    private static final byte MARK = 0x1e;
    private static final int MAX_LINE = 1024;

    private final Listener listener;
    private final ByteArrayOutputStream line = new ByteArrayOutputStream();
    private boolean message;

    /** What the guest said. */
    public interface Listener {

        /** The guest listens for {@link GuestControl#size} from now on. */
        void ready();

        /** The guest's system is up. */
        default void booted() {}

        /** The command wants one {@link GuestControl#input} message. */
        void inputWanted();

        /** The command ended. */
        void exited(int status);

        /** A line of the kernel's log, without its end; bytes as ISO-8859-1. */
        void log(String text);
    }

    /** A control end that reports to the listener. */
    public GuestControl(Listener listener) {
        this.listener = listener;
    }

    /** Takes bytes that the guest sent on COM2. */
    public void received(byte[] bytes, int offset, int length) {
        for (int i = offset; i < offset + length; i++) {
            received(bytes[i]);
        }
    }

    /** Takes a byte that the guest sent on COM2. */
    public void received(byte value) {
        if (value == MARK) {
            flushLog();
            message = true;
        } else if (value == '\n') {
            endLine();
        } else if (line.size() < MAX_LINE) {
            line.write(value);
        }
    }

    /** The message that tells the guest a new size of the terminal. */
    public static byte[] size(TerminalSize size) {
        return ("size " + size.rows() + " " + size.columns() + "\n")
                .getBytes(StandardCharsets.US_ASCII);
    }

    /**
     * The message that answers {@link Listener#inputWanted}.
     *
     * @param length up to {@link #MAX_INPUT}; 0 says that the input is at its end
     */
    public static byte[] input(byte[] bytes, int offset, int length) {
        if (length < 0 || length > MAX_INPUT) {
            throw new IllegalArgumentException("Input of " + length + " bytes");
        }
        byte[] header = (length + "\n").getBytes(StandardCharsets.US_ASCII);
        byte[] all = new byte[header.length + length];
        System.arraycopy(header, 0, all, 0, header.length);
        System.arraycopy(bytes, offset, all, header.length, length);
        return all;
    }

    private void endLine() {
        String text = take();
        boolean known = message && dispatch(text);
        message = false;
        if (!known) {
            listener.log(text);
        }
    }

    private void flushLog() {
        message = false;
        if (line.size() > 0) {
            listener.log(take());
        }
    }

    private String take() {
        String text = line.toString(StandardCharsets.ISO_8859_1);
        line.reset();
        return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
    }

    private boolean dispatch(String text) {
        if (text.equals("ready")) {
            listener.ready();
            return true;
        }
        if (text.equals("booted")) {
            listener.booted();
            return true;
        }
        if (text.equals("in")) {
            listener.inputWanted();
            return true;
        }
        if (text.matches("exit [0-9]{1,3}")) {
            int status = Integer.parseInt(text.substring("exit ".length()));
            if (status <= 255) {
                listener.exited(status);
                return true;
            }
        }
        return false;
    }
}
