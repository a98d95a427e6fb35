package org.javisor.network;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.channels.SelectionKey;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Answers the guest's DNS queries: from the hosts file, or by the host's name servers, one after
 * the other. Where none answers the guest hears of a failure at once instead of waiting. Used under
 * its network's lock.
 */
final class DnsRelay {
    static final int PORT = 53;

    private static final int MAXIMUM_QUERIES = 128;
    private static final int MAXIMUM_SERVERS = 3;
    private static final int MAXIMUM_CONFIGURATION = 1 << 20;
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(3);

    private final EventLoop loop;
    private final HostNames names;
    private final Path resolver;

    /** Oldest first. */
    private final Set<Query> queries = new LinkedHashSet<>();

    private final ByteBuffer scratch = ByteBuffer.allocateDirect(65535);

    /** One query under way; a socket of its own, so that its port is hard to guess. */
    private final class Query implements EventLoop.Handler {
        final ByteBuffer message;
        final UdpRelay.Answer answer;
        final List<InetAddress> servers;
        DatagramChannel channel;
        long deadline;

        Query(ByteBuffer message, UdpRelay.Answer answer, List<InetAddress> servers) {
            this.message = message;
            this.answer = answer;
            this.servers = new ArrayList<>(servers);
        }

        void askNext(long now) {
            while (!servers.isEmpty()) {
                InetAddress server = servers.removeFirst();
                closeChannel();
                try {
                    channel = DatagramChannel.open();
                    channel.configureBlocking(false);
                    channel.connect(new InetSocketAddress(server, PORT));
                    channel.write(message.duplicate());
                    loop.register(channel, SelectionKey.OP_READ, this);
                    deadline = now + PATIENCE;
                    return;
                } catch (IOException | RuntimeException e) {
                    // No way to that one; the next may be nearer.
                    continue;
                }
            }
            end();
            answer.send(DnsMessage.failure(message));
        }

        @Override
        public void ready(SelectionKey key) {
            try {
                scratch.clear();
                int length = channel.read(scratch);
                scratch.flip();
                if (length >= DnsMessage.HEADER && scratch.getShort(0) == message.getShort(0)) {
                    end();
                    answer.send(scratch);
                }
            } catch (IOException e) {
                // Nobody listens there.
                askNext(System.nanoTime());
            }
        }

        void end() {
            queries.remove(this);
            closeChannel();
        }

        private void closeChannel() {
            if (channel != null) {
                UserNetwork.closeQuietly(channel);
                loop.wake();
            }
        }
    }

    DnsRelay(EventLoop loop, HostNames names, Path resolver) {
        this.loop = loop;
        this.names = names;
        this.resolver = resolver;
    }

    /**
     * Takes a query.
     *
     * @param message not kept
     */
    void ask(ByteBuffer message, UdpRelay.Answer answer) {
        if (message.limit() < DnsMessage.HEADER || message.getShort(2) < 0) {
            return;
        }
        Optional<DnsMessage.Question> question = DnsMessage.question(message);
        if (question.isPresent()) {
            List<IpAddress> known = names.addresses(question.get().name());
            int type = question.get().type();
            if (!known.isEmpty() && (type == DnsMessage.A || type == DnsMessage.AAAA)) {
                answer.send(DnsMessage.answer(message, question.get(), known));
                return;
            }
        }
        if (queries.size() >= MAXIMUM_QUERIES) {
            queries.iterator().next().end();
        }
        ByteBuffer copy = ByteBuffer.allocate(message.remaining());
        copy.put(message.duplicate()).flip();
        Query query = new Query(copy, answer, servers(resolver));
        queries.add(query);
        query.askNext(System.nanoTime());
        loop.wake();
    }

    /** The name servers that a resolv.conf(5) lists, at most three. */
    static List<InetAddress> servers(Path file) {
        try {
            if (Files.size(file) > MAXIMUM_CONFIGURATION) {
                return List.of();
            }
            return Files.readString(file, StandardCharsets.ISO_8859_1)
                    .lines()
                    .map(line -> line.trim().split("\\s+"))
                    .filter(words -> words.length > 1 && words[0].equals("nameserver"))
                    .flatMap(words -> literal(words[1]).stream())
                    .limit(MAXIMUM_SERVERS)
                    .toList();
        } catch (IOException e) {
            return List.of();
        }
    }

    private static Optional<InetAddress> literal(String text) {
        try {
            return Optional.of(InetAddress.ofLiteral(text));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    long deadline() {
        return queries.stream().mapToLong(query -> query.deadline).min().orElse(Long.MAX_VALUE);
    }

    void expire(long now) {
        for (Query query : List.copyOf(queries)) {
            if (query.deadline <= now) {
                query.askNext(now);
            }
        }
    }

    void close() {
        List.copyOf(queries).forEach(Query::end);
    }
}
