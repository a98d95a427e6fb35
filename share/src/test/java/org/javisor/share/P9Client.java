package org.javisor.share;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A client as a test needs it: one request at a time, numbers and names put together by hand. */
final class P9Client {
    static final int NO_FID = -1;

    private final P9Session session;
    private final P9Session.Worker worker = new P9Session.Worker();

    P9Client(P9Session session) {
        this.session = session;
    }

    /** A client that has attached fid 0. */
    static P9Client attached(P9Session session) {
        P9Client client = new P9Client(session);
        client.ok(P9Type.VERSION, 1 << 18, "9P2000.L");
        client.ok(P9Type.ATTACH, 0, NO_FID, "user", "", 0);
        return client;
    }

    /**
     * Fields by their Java type: Byte 1, Short 2, Integer 4, Long 8, String with its length, byte[]
     * as it is.
     */
    static byte[] message(int type, Object... fields) {
        ByteBuffer message = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
        message.putInt(0).put((byte) type).putShort((short) 1);
        for (Object field : fields) {
            switch (field) {
                case Byte value -> message.put(value);
                case Short value -> message.putShort(value);
                case Integer value -> message.putInt(value);
                case Long value -> message.putLong(value);
                case byte[] value -> message.put(value);
                case String value -> {
                    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
                    message.putShort((short) bytes.length).put(bytes);
                }
                default -> throw new IllegalArgumentException(field.toString());
            }
        }
        message.putInt(0, message.position());
        return Arrays.copyOf(message.array(), message.position());
    }

    /** The answer's body, after its header. */
    record Answer(int type, ByteBuffer body) {
        /** 0, or why it failed. */
        int errno() {
            return type == 7 ? body.getInt(0) : 0;
        }
    }

    Answer send(byte[] message) {
        int length = session.answer(worker, message, message.length);
        byte[] reply = Arrays.copyOf(worker.reply(), length);
        ByteBuffer buffer = ByteBuffer.wrap(reply).order(ByteOrder.LITTLE_ENDIAN);
        if (buffer.getInt(0) != length) {
            throw new AssertionError("A reply of the wrong length");
        }
        return new Answer(
                reply[4] & 0xff, buffer.slice(7, length - 7).order(ByteOrder.LITTLE_ENDIAN));
    }

    Answer send(int type, Object... fields) {
        return send(message(type, fields));
    }

    int errno(int type, Object... fields) {
        return send(type, fields).errno();
    }

    ByteBuffer ok(int type, Object... fields) {
        Answer answer = send(type, fields);
        if (answer.type() != type + 1) {
            throw new AssertionError(
                    "Request %d failed with errno %d".formatted(type, answer.errno()));
        }
        return answer.body();
    }

    /** Walks from the root; returns how far it came. */
    int walk(int fid, String path) {
        List<Object> fields = new ArrayList<>(List.of(0, fid));
        String[] names = path.isEmpty() ? new String[0] : path.split("/");
        fields.add((short) names.length);
        fields.addAll(Arrays.asList(names));
        Answer answer = send(P9Type.WALK, fields.toArray());
        return answer.errno() != 0 ? -answer.errno() : answer.body().getShort(0);
    }

    /** The contents of a file, or its error number as a negative number in words. */
    String read(int fid, String path) {
        int names = path.split("/").length;
        int walked = walk(fid, path);
        if (walked != names) {
            return "walk " + walked;
        }
        try {
            int opened = errno(P9Type.LOPEN, fid, 0);
            if (opened != 0) {
                return "open " + opened;
            }
            ByteBuffer body = ok(P9Type.READ, fid, 0L, 4096);
            byte[] bytes = new byte[body.getInt(0)];
            body.get(4, bytes);
            return new String(bytes, StandardCharsets.UTF_8);
        } finally {
            ok(P9Type.CLUNK, fid);
        }
    }

    void write(int fid, long offset, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        ByteBuffer body = ok(P9Type.WRITE, fid, offset, bytes.length, bytes);
        if (body.getInt(0) != bytes.length) {
            throw new AssertionError("A short write");
        }
    }

    /** Names of a directory whose fid is open. */
    List<String> list(int fid, int count) {
        List<String> names = new ArrayList<>();
        long offset = 0;
        while (true) {
            ByteBuffer body = ok(P9Type.READDIR, fid, offset, count);
            int length = body.getInt(0);
            if (length == 0) {
                return names;
            }
            for (int at = 4; at < 4 + length; ) {
                offset = body.getLong(at + 13);
                byte[] name = new byte[body.getShort(at + 22)];
                body.get(at + 24, name);
                names.add(new String(name, StandardCharsets.UTF_8));
                at += 24 + name.length;
            }
        }
    }
}
