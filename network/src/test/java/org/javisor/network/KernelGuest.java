package org.javisor.network;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * This host's own TCP/IP stack in the place of a guest: a network namespace with one end of a TAP
 * interface, whose other end is plugged into the network under test. Needs root.
 */
final class KernelGuest implements AutoCloseable {
    final String namespace = "jnet" + ProcessHandle.current().pid();
    private final String tapName = "jt" + ProcessHandle.current().pid();
    private final LinuxTap tap;
    private final Network network;

    /** Loses and swaps frames on their way to a link's end. */
    private static final class Faulty implements LinkEnd {
        private final LinkEnd target;
        private final Random random;
        private final double loss;
        private byte[] held = {};
        private Frame heldFrame = new Frame();

        Faulty(LinkEnd target, long seed, double loss) {
            this.target = target;
            this.random = new Random(seed);
            this.loss = loss;
        }

        @Override
        public synchronized boolean deliver(Frame frame) {
            if (random.nextDouble() < loss) {
                return true;
            }
            if (held.length == 0 && random.nextDouble() < loss) {
                java.nio.ByteBuffer copy = java.nio.ByteBuffer.allocate(frame.length());
                frame.copyTo(copy);
                held = copy.array();
                heldFrame = new Frame().reset(copy.flip());
                if (frame.needsChecksum()) {
                    heldFrame.leaveChecksum(frame.checksumStart(), frame.checksumOffset());
                }
                heldFrame.leaveSegmentation(frame.gsoType(), frame.gsoSize());
                return true;
            }
            boolean taken = target.deliver(frame);
            if (taken && held.length > 0) {
                held = new byte[0];
                target.deliver(heldFrame);
            }
            return taken;
        }

        @Override
        public void flush() {
            target.flush();
        }

        @Override
        public void roomAgain() {
            target.roomAgain();
        }

        @Override
        public int offloads() {
            return target.offloads();
        }
    }

    KernelGuest(Network network, long seed, double loss) throws IOException {
        this.network = network;
        run("ip", "netns", "add", namespace);
        tap = LinuxTap.open(tapName);
        LinkEnd link = network.connect(new Faulty(tap, seed, loss));
        tap.connect(new Faulty(link, seed + 1, loss));
        run("ip", "link", "set", tapName, "netns", namespace);
        inside("ip", "link", "set", "lo", "up");
        inside("ip", "addr", "add", "10.0.2.15/24", "dev", tapName);
        inside("ip", "link", "set", tapName, "up");
        inside("ip", "route", "add", "default", "via", "10.0.2.2");
    }

    /** Why this cannot be done here; empty if it can. */
    static String obstacle() {
        if (!Files.isWritable(Path.of("/dev/net/tun"))
                || !Files.isWritable(Path.of("/proc/1/ns"))
                        && !System.getProperty("user.name").equals("root")) {
            return "needs root and /dev/net/tun";
        }
        try {
            run("ping", "-c", "1", "127.0.0.1");
            run("ip", "netns", "add", "jprobe" + ProcessHandle.current().pid());
            run("ip", "netns", "del", "jprobe" + ProcessHandle.current().pid());
            return "";
        } catch (IOException e) {
            return "needs ping, ip and the right to make network namespaces: " + e.getMessage();
        }
    }

    /** Runs a command as the guest; returns its standard output. */
    String inside(String... command) throws IOException {
        List<String> all = new ArrayList<>(List.of("ip", "netns", "exec", namespace));
        all.addAll(List.of(command));
        return run(all.toArray(String[]::new));
    }

    static String run(String... command) throws IOException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes());
        try {
            if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
                process.destroyForcibly();
                throw new IOException(String.join(" ", command) + ": " + output);
            }
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
        return output;
    }

    @Override
    public void close() throws IOException {
        network.close();
        tap.close();
        run("ip", "netns", "del", namespace);
    }

    /** By hand, for measuring: keeps a namespace with this host behind the gateway until enter. */
    public static void main(String[] arguments) throws IOException {
        double loss = arguments.length > 0 ? Double.parseDouble(arguments[0]) : 0;
        UserNetwork user = new UserNetwork("kernel", UserNetworkConfig.DEFAULT);
        try (KernelGuest guest = new KernelGuest(user, 1, loss)) {
            System.out.println(user.addForward(PortForward.parse("15201:5201")));
            System.out.println("ip netns exec " + guest.namespace + " iperf3 -c 10.0.2.2");
            int ignored = System.in.read();
        }
    }
}
