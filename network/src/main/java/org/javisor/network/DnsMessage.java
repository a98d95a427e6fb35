package org.javisor.network;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * As much of DNS messages (RFC 1035) as a relay needs: the question of a query, and answers to it.
 */
final class DnsMessage {
    static final int A = 1;
    static final int AAAA = 28;
    static final int HEADER = 12;

    private static final int MAXIMUM_NAME = 255;
    private static final int MAXIMUM_LABEL = 63;
    private static final int MAXIMUM_ANSWERS = 16;
    private static final int TIME_TO_LIVE = 60;
    private static final int RESPONSE = 0x8000;
    private static final int RECURSION = 0x0180;
    private static final int SERVER_FAILURE = 2;

    private DnsMessage() {}

    /**
     * The only question of a standard query.
     *
     * @param name in lower case, without a final dot
     * @param end where the question ends in the message
     */
    record Question(String name, int type, int end) {}

    /** Empty for what is not a query with one question of the Internet's class. */
    static Optional<Question> question(ByteBuffer message) {
        if (message.limit() < HEADER
                || (message.getShort(2) & 0xf800) != 0
                || message.getShort(4) != 1) {
            return Optional.empty();
        }
        StringBuilder name = new StringBuilder();
        int at = HEADER;
        while (at < message.limit() && message.get(at) != 0) {
            int length = message.get(at) & 0xff;
            if (length > MAXIMUM_LABEL
                    || at + 1 + length >= message.limit()
                    || name.length() + length > MAXIMUM_NAME) {
                return Optional.empty();
            }
            byte[] label = new byte[length];
            message.get(at + 1, label);
            name.append(name.isEmpty() ? "" : ".")
                    .append(new String(label, StandardCharsets.ISO_8859_1));
            at += 1 + length;
        }
        if (at + 5 > message.limit() || message.getShort(at + 3) != 1) {
            return Optional.empty();
        }
        return Optional.of(
                new Question(
                        name.toString().toLowerCase(Locale.ROOT),
                        message.getShort(at + 1) & 0xffff,
                        at + 5));
    }

    /** An answer with those of the addresses that were asked for. */
    static ByteBuffer answer(ByteBuffer query, Question question, List<IpAddress> addresses) {
        ByteBuffer answer = begin(query, question.end, MAXIMUM_ANSWERS * 28);
        answer.putShort(2, (short) (flags(query)));
        int count = 0;
        for (IpAddress address : addresses) {
            boolean fits = question.type == (address.isV4() ? A : AAAA);
            if (fits && count < MAXIMUM_ANSWERS) {
                int length = address.isV4() ? 4 : 16;
                // A pointer to the question's name
                answer.putShort((short) (0xc000 | HEADER)).putShort((short) question.type);
                answer.putShort((short) 1).putInt(TIME_TO_LIVE).putShort((short) length);
                address.write(answer, answer.position());
                answer.position(answer.position() + length);
                count++;
            }
        }
        answer.putShort(6, (short) count);
        return answer.flip();
    }

    /** An answer that there is no answer to be had now. */
    static ByteBuffer failure(ByteBuffer query) {
        int end = question(query).map(Question::end).orElse(HEADER);
        ByteBuffer answer = begin(query, end, 0);
        answer.putShort(2, (short) (flags(query) | SERVER_FAILURE));
        if (end == HEADER) {
            answer.putShort(4, (short) 0);
        }
        return answer.flip();
    }

    private static ByteBuffer begin(ByteBuffer query, int end, int room) {
        ByteBuffer answer = ByteBuffer.allocate(end + room);
        answer.put(0, query, 0, end).position(end);
        answer.putShort(6, (short) 0).putInt(8, 0);
        return answer;
    }

    private static int flags(ByteBuffer query) {
        // Opcode and "recursion desired" are the query's.
        return RESPONSE | RECURSION & 0x80 | query.getShort(2) & 0x7900;
    }
}
