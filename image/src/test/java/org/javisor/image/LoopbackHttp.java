package org.javisor.image;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A web server on the loopback that can misbehave. One request a connection. */
final class LoopbackHttp implements AutoCloseable {

    /** An answer: the length that its header claims may differ from what comes. */
    record Answer(int status, long claimedLength, byte[] body, boolean thenHang) {

        static Answer ok(byte[] body) {
            return new Answer(200, body.length, body, false);
        }

        static Answer status(int status) {
            return new Answer(status, 0, new byte[0], false);
        }
    }

    /** Decides on the answer to a path; attempts on the same path count from 1. */
    interface Behaviour {
        Answer answer(String path, int attempt) throws IOException;
    }

    private final ServerSocket socket;
    private final Behaviour behaviour;
    private final List<Socket> open = new CopyOnWriteArrayList<>();
    final List<String> requests = new CopyOnWriteArrayList<>();

    LoopbackHttp(Behaviour behaviour) {
        try {
            this.socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        this.behaviour = behaviour;
        Thread.ofVirtual().start(this::serve);
    }

    /** Serves the files below a directory. */
    static Answer file(Path root, String path) throws IOException {
        Path file = root.resolve(path.substring(1));
        return Files.isRegularFile(file) ? Answer.ok(Files.readAllBytes(file)) : Answer.status(404);
    }

    String address() {
        return "http://127.0.0.1:" + socket.getLocalPort() + "/";
    }

    private void serve() {
        while (true) {
            try {
                Socket client = socket.accept();
                open.add(client);
                Thread.ofVirtual().start(() -> answer(client));
            } catch (IOException e) {
                return;
            }
        }
    }

    private void answer(Socket client) {
        try {
            BufferedReader in =
                    new BufferedReader(
                            new InputStreamReader(
                                    client.getInputStream(), StandardCharsets.ISO_8859_1));
            String request = in.readLine();
            while (!in.readLine().isEmpty()) {
                continue;
            }
            String path =
                    URLDecoder.decode(
                            request.split(" ")[1].replace("+", "%2B"), StandardCharsets.UTF_8);
            requests.add(path);
            int attempt = (int) requests.stream().filter(path::equals).count();
            Answer answer = behaviour.answer(path, attempt);
            OutputStream out = client.getOutputStream();
            String header =
                    "HTTP/1.1 %d X\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                            .formatted(answer.status(), answer.claimedLength());
            out.write(header.getBytes(StandardCharsets.US_ASCII));
            out.write(answer.body());
            out.flush();
            if (!answer.thenHang()) {
                client.close();
            }
        } catch (IOException | RuntimeException e) {
            // The client went away, which is what some tests are about.
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
            for (Socket client : open) {
                client.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
