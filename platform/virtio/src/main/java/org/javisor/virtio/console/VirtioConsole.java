package org.javisor.virtio.console;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import org.javisor.device.DeviceState;
import org.javisor.virtio.ConfigImage;
import org.javisor.virtio.DescriptorChain;
import org.javisor.virtio.DriverSetup;
import org.javisor.virtio.QueueWorker;
import org.javisor.virtio.VirtioDevice;
import org.javisor.virtio.VirtioSignals;
import org.javisor.virtio.Virtqueue;

/** A console with any number of further ports. */
public final class VirtioConsole implements VirtioDevice {
    private static final int DEVICE_ID = 3;

    private static final int SIZE = 0;
    private static final int MULTIPORT = 1;

    private static final int CONFIG_SIZE = 12;
    private static final int QUEUE_SIZE = 64;

    /** What controls go back and forth, when there may be several ports. */
    private static final int CONTROL_TO_GUEST = 2;

    private static final int CONTROL_TO_DEVICE = 3;

    /** Control messages (5.3.6.2): port, event, value. */
    private static final int DEVICE_READY = 0;

    private static final int PORT_ADD = 1;
    private static final int PORT_READY = 3;
    private static final int CONSOLE_PORT = 4;
    private static final int RESIZE = 5;
    private static final int PORT_OPEN = 6;
    private static final int PORT_NAME = 7;
    private static final int CONTROL_BYTES = 8;

    private static final int MOST_PORTS = 31;

    /** A guest that does not read answers is not listened to beyond this. */
    private static final int MOST_CONTROLS = 256;

    private final List<ConsolePort> ports;
    private final QueueWorker worker;

    /** Numbers of the worker's tasks behind the queues': something waits at a port; a new size. */
    private final int firstWaiting;

    private final int resized;
    private volatile VirtioSignals signals = VirtioSignals.UNCONNECTED;
    private volatile DriverSetup setup;
    private volatile int columns;
    private volatile int rows;

    // The worker's.
    private final DescriptorChain chain = new DescriptorChain();
    private final byte[] buffer = new byte[4096];
    private final Deque<byte[]> controls = new ArrayDeque<>();

    /**
     * @param name of its thread
     * @param ports the console, then others: 31 at most
     */
    public VirtioConsole(String name, List<ConsolePort> ports) {
        if (ports.isEmpty() || ports.size() > MOST_PORTS) {
            throw new IllegalArgumentException("A console has 1 to 31 ports, not " + ports.size());
        }
        this.ports = List.copyOf(ports);
        firstWaiting = queueCount();
        resized = firstWaiting + ports.size();
        worker = new QueueWorker(name, this::work);
        for (int i = 0; i < ports.size(); i++) {
            int number = firstWaiting + i;
            ports.get(i).connect(() -> worker.signal(number));
        }
    }

    private int queueCount() {
        return 2 + 2 * ports.size();
    }

    /** Tells the guest how large the console's window is, in characters. */
    public void resize(int newColumns, int newRows) {
        columns = Math.clamp(newColumns, 0, 0xffff);
        rows = Math.clamp(newRows, 0, 0xffff);
        signals.configurationChanged();
        worker.signal(resized);
    }

    /** The first port's queues come before those for controls, the others' behind (5.3.2). */
    private static int toGuest(int port) {
        return port == 0 ? 0 : 2 + 2 * port;
    }

    private void work(int number) {
        DriverSetup current = setup;
        if (number == resized) {
            if (current.has(MULTIPORT) && ports.getFirst().guestReady()) {
                control(0, RESIZE, 0, size());
            }
        } else if (number >= firstWaiting) {
            int port = number - firstWaiting;
            ports.get(port).giveTo(current.queue(toGuest(port)), chain);
        } else if (number == CONTROL_TO_DEVICE) {
            takeControls(current.queue(number));
        } else if (number != CONTROL_TO_GUEST) {
            int port = number < 2 ? 0 : number / 2 - 1;
            if (number % 2 == 0) {
                ports.get(port).giveTo(current.queue(number), chain);
            } else {
                ports.get(port).takeFrom(current.queue(number), chain, buffer);
            }
        }
        giveControls(current.queue(CONTROL_TO_GUEST));
    }

    private void takeControls(Virtqueue queue) {
        while (controls.size() < MOST_CONTROLS && queue.next(chain)) {
            long port = chain.readNumber(0, 4);
            int event = (int) chain.readNumber(4, 2);
            int value = (int) chain.readNumber(6, 2);
            queue.addUsed(chain, 0);
            if (event == DEVICE_READY && value == 1) {
                for (int i = 0; i < ports.size(); i++) {
                    control(i, PORT_ADD, 1, new byte[0]);
                }
            } else if (port < ports.size()) {
                takeControl((int) port, event, value);
            }
        }
        queue.flushUsed();
    }

    private void takeControl(int number, int event, int value) {
        ConsolePort port = ports.get(number);
        if (event == PORT_OPEN) {
            port.guestOpen(value == 1);
        } else if (event == PORT_READY && value == 1) {
            port.guestReady(true);
            if (number == 0) {
                control(0, CONSOLE_PORT, 1, new byte[0]);
                if (columns != 0) {
                    control(0, RESIZE, 0, size());
                }
            }
            if (!port.name().isEmpty()) {
                byte[] name = port.name().getBytes(StandardCharsets.UTF_8);
                control(number, PORT_NAME, 1, name);
            }
            control(number, PORT_OPEN, 1, new byte[0]);
            worker.signal(firstWaiting + number);
        }
    }

    private byte[] size() {
        return new byte[] {(byte) columns, (byte) (columns >> 8), (byte) rows, (byte) (rows >> 8)};
    }

    private void control(int port, int event, int value, byte[] rest) {
        controls.add(
                ByteBuffer.allocate(CONTROL_BYTES + rest.length)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(port)
                        .putShort((short) event)
                        .putShort((short) value)
                        .put(rest)
                        .array());
    }

    private void giveControls(Virtqueue queue) {
        boolean full = controls.size() >= MOST_CONTROLS;
        while (!controls.isEmpty() && queue.next(chain)) {
            byte[] message = controls.poll();
            queue.addUsed(chain, chain.write(0, message, 0, message.length));
        }
        queue.flushUsed();
        if (full && controls.size() < MOST_CONTROLS) {
            worker.signal(CONTROL_TO_DEVICE);
        }
    }

    @Override
    public int deviceId() {
        return DEVICE_ID;
    }

    @Override
    public long features() {
        return 1L << SIZE | 1L << MULTIPORT;
    }

    @Override
    public int[] queueSizes() {
        int[] sizes = new int[queueCount()];
        Arrays.fill(sizes, QUEUE_SIZE);
        return sizes;
    }

    @Override
    public int configSize() {
        return CONFIG_SIZE;
    }

    @Override
    public long readConfig(int offset, int size) {
        return new ConfigImage(CONFIG_SIZE)
                .put(0, 2, columns)
                .put(2, 2, rows)
                .put(4, 4, ports.size())
                .get(offset, size);
    }

    @Override
    public void connect(VirtioSignals to) {
        signals = to;
    }

    @Override
    public void activate(DriverSetup newSetup) {
        setup = newSetup;
        worker.start();
        if (!newSetup.has(MULTIPORT)) {
            ports.getFirst().guestReady(true);
            ports.getFirst().guestOpen(true);
        }
        worker.signal(firstWaiting);
    }

    @Override
    public void notified(int queue) {
        worker.signal(queue);
    }

    @Override
    public void reset() {
        worker.stop();
        controls.clear();
        ports.forEach(port -> port.guestReady(false));
    }

    /**
     * @param ready by port: whether the guest's driver has set it up
     * @param open by port: whether a program in the guest has it open
     * @param waiting by port: what the guest has not read yet
     * @param controls messages that the guest has not read yet
     */
    public record State(
            int columns,
            int rows,
            List<Boolean> ready,
            List<Boolean> open,
            List<byte[]> waiting,
            List<byte[]> controls)
            implements DeviceState {
        @Override
        public int version() {
            return 1;
        }
    }

    @Override
    public DeviceState save() {
        worker.finish();
        return new State(
                columns,
                rows,
                ports.stream().map(ConsolePort::guestReady).toList(),
                ports.stream().map(ConsolePort::guestOpen).toList(),
                ports.stream().map(ConsolePort::save).toList(),
                List.copyOf(controls));
    }

    @Override
    public void restore(DeviceState state) {
        State saved = (State) state;
        columns = saved.columns();
        rows = saved.rows();
        controls.addAll(saved.controls());
        for (int i = 0; i < ports.size(); i++) {
            ports.get(i).guestReady(saved.ready().get(i));
            ports.get(i).guestOpen(saved.open().get(i));
            ports.get(i).restore(saved.waiting().get(i));
        }
    }

    @Override
    public void close() {
        worker.close();
        ports.forEach(ConsolePort::close);
    }
}
