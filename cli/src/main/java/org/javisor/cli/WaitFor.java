package org.javisor.cli;

import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** What {@code --wait} waits for. */
sealed interface WaitFor {

    /** The guest's services have started; with {@code tiny}, its shell. */
    record Boot() implements WaitFor {
        @Override
        public String toString() {
            return "the end of the guest's boot";
        }
    }

    /** The guest's SSH server greets. */
    record Ssh() implements WaitFor {
        static final int PORT = 22;

        @Override
        public String toString() {
            return "the guest's SSH server";
        }
    }

    /** The console shows what matches. */
    record Log(Pattern pattern) implements WaitFor {
        @Override
        public String toString() {
            return "'" + pattern + "' on the guest's console";
        }
    }

    /** Something in the guest accepts connections at that port. */
    record Port(int number) implements WaitFor {
        @Override
        public String toString() {
            return "the guest's port " + number;
        }
    }

    /** {@code boot}, {@code ssh}, {@code log:REGEX}, {@code port:N}. */
    final class Converter implements ITypeConverter<WaitFor> {
        @Override
        public WaitFor convert(String text) {
            if (text.equals("boot")) {
                return new Boot();
            }
            if (text.equals("ssh")) {
                return new Ssh();
            }
            if (text.startsWith("log:") && text.length() > "log:".length()) {
                return log(text.substring("log:".length()));
            }
            if (text.matches("port:[0-9]{1,5}")) {
                int number = Integer.parseInt(text.substring("port:".length()));
                if (number >= 1 && number <= 65535) {
                    return new Port(number);
                }
            }
            throw new TypeConversionException(
                    "'" + text + "' cannot be waited for: boot, ssh, log:REGEX, port:N");
        }

        private static WaitFor log(String expression) {
            try {
                return new Log(Pattern.compile(expression));
            } catch (PatternSyntaxException e) {
                throw new TypeConversionException(
                        "'" + expression + "' is not a regular expression: " + e.getDescription());
            }
        }
    }
}
