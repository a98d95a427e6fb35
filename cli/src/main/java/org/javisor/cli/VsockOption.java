package org.javisor.cli;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.javisor.virtio.vsock.VirtioVsock;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * {@code 7} or {@code 7,/run/guest.sock}.
 *
 * @param cid the guest's context ID
 * @param socket where programs on the host reach its ports; empty for the usual place
 */
record VsockOption(long cid, Optional<Path> socket) {
    /** Where the socket is. */
    Path path(Map<String, String> environment) {
        String directory = environment.getOrDefault("XDG_RUNTIME_DIR", "");
        return socket.orElseGet(
                () ->
                        Path.of(directory.isBlank() ? "/tmp" : directory)
                                .resolve("javisor-vsock-" + cid));
    }

    static final class Converter implements ITypeConverter<VsockOption> {
        @Override
        public VsockOption convert(String text) {
            int comma = text.indexOf(',');
            String number = comma < 0 ? text : text.substring(0, comma);
            if (!number.matches("[0-9]{1,10}")) {
                throw new TypeConversionException(
                        "'" + number + "' is not a context ID, a number from 3 to 4294967294");
            }
            long cid = Long.parseLong(number);
            if (cid < VirtioVsock.FIRST_GUEST || cid > VirtioVsock.LAST_GUEST) {
                throw new TypeConversionException(
                        "A guest's context ID is 3 to 4294967294, not " + number);
            }
            return new VsockOption(
                    cid, comma < 0 ? Optional.empty() : Optional.of(path(text, comma + 1)));
        }

        private static Path path(String text, int from) {
            String path = text.substring(from);
            try {
                if (!path.isEmpty()) {
                    return Path.of(path);
                }
            } catch (InvalidPathException e) {
                // Said below.
            }
            throw new TypeConversionException("'" + path + "' is not the name of a socket");
        }
    }
}
