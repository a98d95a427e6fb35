package org.javisor.interpreter;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Finds the {@link Operation} of a {@link Handler}. Machines of one hypervisor share these, and so
 * the code that HotSpot has compiled for them.
 */
final class Operations {
    private static final byte[] PATTERN = pattern();

    /**
     * Whether a handler's class has fields: lambdas that capture are made anew at each selection.
     */
    private static final ClassValue<Boolean> CAPTURES =
            new ClassValue<>() {
                @Override
                protected Boolean computeValue(Class<?> type) {
                    return type.getDeclaredFields().length != 0;
                }
            };

    /**
     * As many as there are method references in the handlers' select methods, so bounded: what
     * captures is left out.
     */
    private final Map<Handler, Operation> known = new ConcurrentHashMap<>();

    Operation of(Handler handler) {
        return CAPTURES.get(handler.getClass())
                ? new CapturingOperation(handler)
                : known.computeIfAbsent(handler, Operations::define);
    }

    private static Operation define(Handler handler) {
        try {
            return (Operation)
                    MethodHandles.lookup()
                            .defineHiddenClassWithClassData(PATTERN, handler, true)
                            .lookupClass()
                            .getDeclaredConstructor()
                            .newInstance();
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] pattern() {
        try (InputStream in = Operations.class.getResourceAsStream("HandlerOperation.class")) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
