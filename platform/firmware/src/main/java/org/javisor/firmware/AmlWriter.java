package org.javisor.firmware;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * Encodes ACPI Machine Language (ACPI 6.5, chapter 20): as much of it as describing devices takes.
 * Names are ASL paths: {@code \_SB.COM1}, {@code _CRS}; segments shorter than four characters are
 * filled up.
 */
public final class AmlWriter {
    private static final int ZERO_OP = 0x00;
    private static final int ONE_OP = 0x01;
    private static final int NAME_OP = 0x08;
    private static final int BYTE_PREFIX = 0x0a;
    private static final int WORD_PREFIX = 0x0b;
    private static final int DWORD_PREFIX = 0x0c;
    private static final int STRING_PREFIX = 0x0d;
    private static final int QWORD_PREFIX = 0x0e;
    private static final int SCOPE_OP = 0x10;
    private static final int BUFFER_OP = 0x11;
    private static final int PACKAGE_OP = 0x12;
    private static final int METHOD_OP = 0x14;
    private static final int DUAL_NAME_PREFIX = 0x2e;
    private static final int MULTI_NAME_PREFIX = 0x2f;
    private static final int EXT_OP_PREFIX = 0x5b;
    private static final int DEVICE_OP = 0x82;
    private static final int RETURN_OP = 0xa4;
    private static final int LOCAL_OP = 0x60;
    private static final int ARGUMENT_OP = 0x68;
    private static final int STORE_OP = 0x70;
    private static final int AND_OP = 0x7b;
    private static final int OR_OP = 0x7d;
    private static final int CREATE_DWORD_FIELD_OP = 0x8a;
    private static final int NOT_OP = 0x92;
    private static final int EQUAL_OP = 0x93;
    private static final int IF_OP = 0xa0;

    private static final int SERIALIZED = 1 << 3;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** What has been written so far. */
    public byte[] bytes() {
        return out.toByteArray();
    }

    /** {@code Scope (path) { body }}. */
    public AmlWriter scope(String path, Consumer<AmlWriter> body) {
        out.write(SCOPE_OP);
        return block(inner -> body.accept(inner.path(path)));
    }

    /** {@code Device (name) { body }}. */
    public AmlWriter device(String name, Consumer<AmlWriter> body) {
        out.write(EXT_OP_PREFIX);
        out.write(DEVICE_OP);
        return block(inner -> body.accept(inner.path(name)));
    }

    /** {@code Method (name, arguments, NotSerialized) { body }}; up to 7 arguments. */
    public AmlWriter method(String name, int arguments, Consumer<AmlWriter> body) {
        return method(name, body, arguments & 7);
    }

    /** As {@link #method}, {@code Serialized}: what methods must be that create names. */
    public AmlWriter serializedMethod(String name, int arguments, Consumer<AmlWriter> body) {
        return method(name, body, arguments & 7 | SERIALIZED);
    }

    private AmlWriter method(String name, Consumer<AmlWriter> body, int flags) {
        out.write(METHOD_OP);
        return block(
                inner -> {
                    inner.path(name).out.write(flags);
                    body.accept(inner);
                });
    }

    /** {@code Return (value)} inside a method. */
    public AmlWriter returnInteger(long value) {
        out.write(RETURN_OP);
        return integer(value);
    }

    /** {@code Return (value)} inside a method. */
    public AmlWriter returnValue(Consumer<AmlWriter> value) {
        out.write(RETURN_OP);
        return with(value);
    }

    /** {@code Arg0} to {@code Arg6}. */
    public AmlWriter argument(int number) {
        out.write(ARGUMENT_OP + number);
        return this;
    }

    /** {@code Local0} to {@code Local7}. */
    public AmlWriter local(int number) {
        out.write(LOCAL_OP + number);
        return this;
    }

    /** {@code Store (value, name)}. */
    public AmlWriter store(Consumer<AmlWriter> value, String name) {
        out.write(STORE_OP);
        return with(value).path(name);
    }

    /** {@code And (a, b, Localn)}. */
    public AmlWriter and(Consumer<AmlWriter> a, Consumer<AmlWriter> b, int local) {
        out.write(AND_OP);
        return with(a).with(b).local(local);
    }

    /** {@code Or (name, bits, name)}. */
    public AmlWriter setBits(String name, long bits) {
        out.write(OR_OP);
        return path(name).integer(bits).path(name);
    }

    /** {@code LEqual (a, b)}. */
    public AmlWriter equal(Consumer<AmlWriter> a, Consumer<AmlWriter> b) {
        out.write(EQUAL_OP);
        return with(a).with(b);
    }

    /** {@code LNot (value)}. */
    public AmlWriter not(Consumer<AmlWriter> value) {
        out.write(NOT_OP);
        return with(value);
    }

    /** {@code If (predicate) { body }}. */
    public AmlWriter ifTrue(Consumer<AmlWriter> predicate, Consumer<AmlWriter> body) {
        out.write(IF_OP);
        return block(inner -> inner.with(predicate).with(body));
    }

    /** {@code CreateDWordField (buffer, offset, name)}. */
    public AmlWriter createDWordField(Consumer<AmlWriter> buffer, int offset, String name) {
        out.write(CREATE_DWORD_FIELD_OP);
        return with(buffer).integer(offset).path(name);
    }

    private AmlWriter with(Consumer<AmlWriter> part) {
        part.accept(this);
        return this;
    }

    /** {@code Name (name, value)}; the value is the one term that is written next. */
    public AmlWriter name(String name) {
        out.write(NAME_OP);
        return path(name);
    }

    public AmlWriter name(String name, long value) {
        return name(name).integer(value);
    }

    public AmlWriter name(String name, String value) {
        return name(name).string(value);
    }

    public AmlWriter name(String name, byte[] buffer) {
        return name(name).buffer(buffer);
    }

    /**
     * {@code Name (name, EisaId (id))}, such as {@code PNP0501}: three letters, four hexadecimal
     * digits.
     */
    public AmlWriter nameEisaId(String name, String id) {
        return name(name).integer(eisaId(id) & 0xffff_ffffL);
    }

    /** {@code Name (name, Package () { values })}. */
    public AmlWriter namePackage(String name, long... values) {
        return name(name)
                .pack(
                        values.length,
                        inner -> {
                            for (long value : values) {
                                inner.integer(value);
                            }
                        });
    }

    /** {@code Name (name, ResourceTemplate () { resources })}. */
    public AmlWriter name(String name, ResourceTemplate resources) {
        return name(name).buffer(resources.finish());
    }

    /** {@code Package (elements) { body }}: the body writes that many terms, at most 255. */
    public AmlWriter pack(int elements, Consumer<AmlWriter> body) {
        out.write(PACKAGE_OP);
        return block(
                inner -> {
                    inner.out.write(elements);
                    body.accept(inner);
                });
    }

    /** An integer, 64 bits unsigned, in its shortest form. */
    public AmlWriter integer(long value) {
        if (value == 0) {
            out.write(ZERO_OP);
        } else if (value == 1) {
            out.write(ONE_OP);
        } else if (value >>> 8 == 0) {
            little(BYTE_PREFIX, value, 1);
        } else if (value >>> 16 == 0) {
            little(WORD_PREFIX, value, 2);
        } else if (value >>> 32 == 0) {
            little(DWORD_PREFIX, value, 4);
        } else {
            little(QWORD_PREFIX, value, 8);
        }
        return this;
    }

    /** A string of ASCII characters. */
    public AmlWriter string(String value) {
        out.write(STRING_PREFIX);
        out.writeBytes(value.getBytes(StandardCharsets.US_ASCII));
        out.write(0);
        return this;
    }

    public AmlWriter buffer(byte[] value) {
        out.write(BUFFER_OP);
        return block(inner -> inner.integer(value.length).raw(value));
    }

    /** A reference to a name. */
    public AmlWriter path(String path) {
        int start = 0;
        while (start < path.length() && (path.charAt(start) == '\\' || path.charAt(start) == '^')) {
            out.write(path.charAt(start++));
        }
        String[] segments = path.substring(start).split("\\.");
        if (segments.length == 2) {
            out.write(DUAL_NAME_PREFIX);
        } else if (segments.length > 2) {
            out.write(MULTI_NAME_PREFIX);
            out.write(segments.length);
        }
        for (String segment : segments) {
            if (!segment.matches("[A-Z_][A-Z0-9_]{0,3}")) {
                throw new IllegalArgumentException("Not an ACPI name: " + path);
            }
            out.writeBytes(
                    segment.concat("___").substring(0, 4).getBytes(StandardCharsets.US_ASCII));
        }
        return this;
    }

    /** Finished AML. */
    public AmlWriter raw(byte[] aml) {
        out.writeBytes(aml);
        return this;
    }

    /**
     * What is inside, preceded by its length, in which the length field itself counts (PkgLength,
     * 20.2.4).
     */
    private AmlWriter block(Consumer<AmlWriter> content) {
        AmlWriter inner = new AmlWriter();
        content.accept(inner);
        int size = inner.out.size();
        int following = size + 1 < 1 << 6 ? 0 : size + 2 < 1 << 12 ? 1 : size + 3 < 1 << 20 ? 2 : 3;
        int length = size + 1 + following;
        if (following == 0) {
            out.write(length);
        } else {
            out.write(following << 6 | length & 0xf);
            for (int i = 0; i < following; i++) {
                out.write(length >>> (4 + 8 * i) & 0xff);
            }
        }
        return raw(inner.bytes());
    }

    private void little(int prefix, long value, int bytes) {
        out.write(prefix);
        for (int i = 0; i < bytes; i++) {
            out.write((int) (value >>> (8 * i)) & 0xff);
        }
    }

    /**
     * Three letters of five bits and four hexadecimal digits, most significant byte first in
     * memory.
     */
    private static int eisaId(String id) {
        if (!id.matches("[A-Z]{3}[0-9A-F]{4}")) {
            throw new IllegalArgumentException("Not an EISA ID: " + id);
        }
        int vendor = (id.charAt(0) & 0x1f) << 10 | (id.charAt(1) & 0x1f) << 5 | id.charAt(2) & 0x1f;
        return Integer.reverseBytes(vendor << 16 | Integer.parseInt(id.substring(3), 16));
    }
}
