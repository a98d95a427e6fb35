package org.javisor.testkit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.javisor.testkit.OracleCase.Kind;
import org.javisor.testkit.OracleCase.Start;

/**
 * An {@link OracleCase} as text. Lines of a name and values, numbers in hexadecimal unless they are
 * counts:
 *
 * <pre>
 * # what differed
 * kind 64              or 32, or program
 * base 100000          address of the host's mapping, which code and registers refer to
 * offset 0             of the code in the code memory
 * code 480fae03
 * state 64             so many times in a row what follows; at least one
 * rax 1f … r15 0       registers that are not 0
 * flags 246
 * fsbase 0             gsbase likewise
 * fpu 20 00ff…         bytes of the FXSAVE area at an offset; else 0
 * data 1ff0 00ff…      bytes of the operand memory at an offset; else Oracle.pristine()
 * operand 1ff0         offset of the memory operand, or -1
 * </pre>
 *
 * <p>What an engine once did otherwise than the processor lies in the resource folder {@code
 * regressions} and is compared again by every {@link OracleContract}.
 */
final class OracleCaseFile {
    private static final String FOLDER = "regressions", README = FOLDER + "/README.md";
    private static final String SUFFIX = ".case";
    private static final int ROW = 32;
    private static final String[] REGISTERS = {
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
        "r13", "r14", "r15"
    };

    private OracleCaseFile() {}

    /** All that are kept, by file name. */
    static Map<String, OracleCase> kept() {
        URL readme = OracleCaseFile.class.getResource(README);
        try {
            URI uri = readme.toURI();
            if (uri.getScheme().equals("jar")) {
                try (FileSystem jar = FileSystems.newFileSystem(uri, Map.of())) {
                    return read(Path.of(uri).getParent());
                }
            }
            return read(Path.of(uri).getParent());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    private static Map<String, OracleCase> read(Path folder) throws IOException {
        Map<String, OracleCase> cases = new TreeMap<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(f -> f.toString().endsWith(SUFFIX)).toList()) {
                cases.put(file.getFileName().toString(), parse(Files.readAllLines(file)));
            }
        }
        return cases;
    }

    /** Writes a case into a folder, which is made if need be. */
    static Path write(Path folder, String name, String comment, OracleCase c) {
        try {
            Files.createDirectories(folder);
            Path file = folder.resolve(name.replaceAll("[^A-Za-z0-9]+", "-") + SUFFIX);
            return Files.writeString(file, text(comment, c));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String text(String comment, OracleCase c) {
        StringBuilder text = new StringBuilder();
        comment.lines().forEach(line -> text.append("# ").append(line.trim()).append('\n'));
        line(text, "kind", c.kind().label());
        line(text, "base", Long.toHexString(c.base()));
        line(text, "offset", Integer.toHexString(c.offset()));
        line(text, "code", HexFormat.of().formatHex(c.code()));
        for (int n = 0; n < c.states().size(); ) {
            Start start = c.states().get(n);
            int from = n;
            // One state repeated is the same object again and again.
            while (n < c.states().size() && c.states().get(n) == start) {
                n++;
            }
            line(text, "state", String.valueOf(n - from));
            appendState(text, start);
        }
        return text.toString();
    }

    private static void line(StringBuilder text, String name, String value) {
        text.append(name).append(' ').append(value).append('\n');
    }

    private static void appendState(StringBuilder text, Start start) {
        UserState s = start.registers();
        for (int n = 0; n < 16; n++) {
            if (s.gpr[n] != 0) {
                line(text, REGISTERS[n], Long.toHexString(s.gpr[n]));
            }
        }
        line(text, "flags", Long.toHexString(s.flags));
        line(text, "fsbase", Long.toHexString(s.fsBase));
        line(text, "gsbase", Long.toHexString(s.gsBase));
        appendBytes(text, "fpu", s.fpu, new byte[UserState.FPU_SIZE]);
        appendBytes(text, "data", start.data(), Oracle.pristine());
        line(text, "operand", Long.toString(start.operand(), 16));
    }

    private static void appendBytes(StringBuilder text, String name, byte[] bytes, byte[] usual) {
        for (int at = 0; at < bytes.length; at += ROW) {
            if (!Arrays.equals(bytes, at, at + ROW, usual, at, at + ROW)) {
                String hex = HexFormat.of().formatHex(bytes, at, at + ROW);
                line(text, name, Integer.toHexString(at) + " " + hex);
            }
        }
    }

    /** Reads what {@link #text} wrote. */
    static OracleCase parse(List<String> lines) {
        Kind kind = Kind.BITS64;
        long base = 0;
        int offset = 0;
        byte[] code = {};
        List<Start> states = new ArrayList<>();
        StateText state = null;
        for (String line : lines) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            String[] words = line.trim().split(" +");
            switch (words[0]) {
                case "kind" -> kind = kind(words[1]);
                case "base" -> base = Long.parseLong(words[1], 16);
                case "offset" -> offset = Integer.parseInt(words[1], 16);
                case "code" -> code = HexFormat.of().parseHex(words[1]);
                case "state" -> {
                    if (state != null) {
                        state.addTo(states);
                    }
                    state = new StateText(Integer.parseInt(words[1]));
                }
                default -> {
                    if (state == null) {
                        throw new IllegalArgumentException("Before the first state: " + line);
                    }
                    state.read(words);
                }
            }
        }
        if (state != null) {
            state.addTo(states);
        }
        return new OracleCase(kind, base, offset, code, states);
    }

    private static Kind kind(String label) {
        for (Kind kind : Kind.values()) {
            if (kind.label().equals(label)) {
                return kind;
            }
        }
        throw new IllegalArgumentException("No kind " + label);
    }

    /** A state as far as it has been read. */
    private static final class StateText {
        private final int times;
        private final UserState registers = new UserState();
        private final byte[] data = Oracle.pristine();
        private long operand = -1;

        StateText(int times) {
            this.times = times;
        }

        void read(String[] words) {
            int register = List.of(REGISTERS).indexOf(words[0]);
            if (register >= 0) {
                registers.gpr[register] = Long.parseUnsignedLong(words[1], 16);
                return;
            }
            switch (words[0]) {
                case "flags" -> registers.flags = Long.parseUnsignedLong(words[1], 16);
                case "fsbase" -> registers.fsBase = Long.parseUnsignedLong(words[1], 16);
                case "gsbase" -> registers.gsBase = Long.parseUnsignedLong(words[1], 16);
                case "fpu" -> fill(registers.fpu, words);
                case "data" -> fill(data, words);
                case "operand" -> operand = Long.parseLong(words[1], 16);
                default -> throw new IllegalArgumentException("Unknown: " + words[0]);
            }
        }

        private static void fill(byte[] target, String[] words) {
            byte[] bytes = HexFormat.of().parseHex(words[2]);
            System.arraycopy(bytes, 0, target, Integer.parseInt(words[1], 16), bytes.length);
        }

        void addTo(List<Start> states) {
            Start start = new Start(registers, data, operand);
            for (int n = 0; n < times; n++) {
                states.add(start);
            }
        }
    }
}
