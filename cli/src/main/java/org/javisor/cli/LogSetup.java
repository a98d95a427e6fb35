package org.javisor.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import ch.qos.logback.core.spi.ContextAwareBase;
import org.slf4j.LoggerFactory;

/**
 * Logging of the command: to the standard error stream, one line a record, a stack trace only at
 * level debug and below. Registered as logback's configurator, which spares it the search for
 * configuration files.
 */
public final class LogSetup extends ContextAwareBase implements Configurator {
    @Override
    public ExecutionStatus configure(LoggerContext context) {
        context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.OFF);
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
    }

    /** Sends what is logged at the level and above to the user. */
    static void apply(LogLevel level, Messages messages) {
        if (!(LoggerFactory.getILoggerFactory() instanceof LoggerContext context)) {
            return;
        }
        Logger root = context.getLogger(Logger.ROOT_LOGGER_NAME);
        root.detachAndStopAllAppenders();
        UserAppender appender = new UserAppender(messages);
        appender.setContext(context);
        appender.start();
        root.addAppender(appender);
        root.setLevel(Level.toLevel(level.name()));
    }

    /** A failure that the user has been told about in one line, for who asked for more. */
    static void logDefect(Exception failure) {
        LoggerFactory.getLogger(LogSetup.class).debug("The cause:", failure);
    }

    private static final class UserAppender extends AppenderBase<ILoggingEvent> {
        private final Messages messages;

        UserAppender(Messages messages) {
            this.messages = messages;
        }

        @Override
        protected void append(ILoggingEvent event) {
            String level = event.getLevel().toString().toLowerCase(java.util.Locale.ROOT);
            messages.say(level + ": " + event.getFormattedMessage());
            IThrowableProxy thrown = event.getThrowableProxy();
            Logger logger = (Logger) LoggerFactory.getLogger(event.getLoggerName());
            if (thrown != null && logger.isDebugEnabled()) {
                messages.lines(ThrowableProxyUtil.asString(thrown));
            }
        }
    }
}
