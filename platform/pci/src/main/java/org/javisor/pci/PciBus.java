package org.javisor.pci;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.javisor.device.InterruptLine;
import org.javisor.device.MessageInterrupts;
import org.javisor.device.MmioBus;
import org.javisor.device.PioBus;

/**
 * Bus 0 of a machine: 32 devices of up to 8 functions. Functions can be plugged in and out at any
 * time. Thread-safe.
 */
public final class PciBus {
    /** Interrupt lines that all functions share. */
    public static final int INTERRUPT_LINES = IntxRouter.LINES;

    private final BarDecoder decoder;
    private final IntxRouter router;
    private final MessageInterrupts messages;

    /** By device and function. Replaced, never changed, so that accesses need no lock. */
    private volatile PciFunction[] functions =
            new PciFunction[PciAddress.DEVICES * PciAddress.FUNCTIONS];

    /**
     * @param memory where memory BARs answer
     * @param ports where I/O BARs answer
     * @param messages takes MSIs
     * @param lines four, for INTx
     */
    public PciBus(
            MmioBus memory, PioBus ports, MessageInterrupts messages, List<InterruptLine> lines) {
        decoder = new BarDecoder(memory, ports);
        router = new IntxRouter(lines);
        this.messages = messages;
    }

    /** Which of the four interrupt lines, 0 to 3, a pin of a device is wired to; INTA is pin 1. */
    public static int interruptLine(int device, int pin) {
        return IntxRouter.line(device, pin);
    }

    /**
     * Plugs a function in as function 0 of the lowest device that is free, device 0 excepted, which
     * is the host bridge's.
     *
     * @return where it is now
     * @throws IllegalStateException if the bus is full
     */
    public synchronized PciAddress plug(PciFunction function) {
        for (int device = 1; device < PciAddress.DEVICES; device++) {
            if (!occupied(device)) {
                PciAddress address = new PciAddress(device, 0);
                plug(address, function);
                return address;
            }
        }
        throw new IllegalStateException("No PCI slot is free for " + function.name());
    }

    private boolean occupied(int device) {
        for (int i = 0; i < PciAddress.FUNCTIONS; i++) {
            if (functions[device * PciAddress.FUNCTIONS + i] != null) {
                return true;
            }
        }
        return false;
    }

    /**
     * Plugs a function in at an address. Guests look for functions 1 to 7 only where there is a
     * function 0.
     *
     * @throws IllegalStateException if another is there
     */
    public synchronized void plug(PciAddress address, PciFunction function) {
        int index = address.index();
        if (functions[index] != null) {
            throw new IllegalStateException(
                    "PCI slot %s belongs to %s".formatted(address, functions[index].name()));
        }
        put(index, function);
        InterruptLine line =
                function.interruptPin() == 0
                        ? InterruptLine.UNCONNECTED
                        : router.input(address, function.interruptPin());
        function.connect(bases -> decoder.update(index, function, bases), messages, line);
        tellMultifunction(address.device());
    }

    /**
     * Takes the function out that is at an address.
     *
     * @throws IllegalStateException if none is
     */
    public synchronized void unplug(PciAddress address) {
        int index = address.index();
        PciFunction function = functions[index];
        if (function == null) {
            throw new IllegalStateException("PCI slot %s is empty".formatted(address));
        }
        put(index, null);
        function.disconnect();
        tellMultifunction(address.device());
    }

    private void put(int index, PciFunction function) {
        PciFunction[] after = functions.clone();
        after[index] = function;
        functions = after;
    }

    private void tellMultifunction(int device) {
        int first = device * PciAddress.FUNCTIONS;
        boolean several = false;
        for (int i = 1; i < PciAddress.FUNCTIONS; i++) {
            several |= functions[first + i] != null;
        }
        if (functions[first] != null) {
            functions[first].multifunction(several);
        }
    }

    /** All that are plugged in, in the order of their addresses. */
    public Map<PciAddress, PciFunction> functions() {
        PciFunction[] current = functions;
        Map<PciAddress, PciFunction> result = new TreeMap<>();
        for (int i = 0; i < current.length; i++) {
            if (current[i] != null) {
                result.put(
                        new PciAddress(i / PciAddress.FUNCTIONS, i % PciAddress.FUNCTIONS),
                        current[i]);
            }
        }
        return result;
    }

    public Optional<PciFunction> function(PciAddress address) {
        return Optional.ofNullable(functions[address.index()]);
    }

    /**
     * A configuration read. What nobody answers reads as all ones.
     *
     * @param index device and function, 8 bits
     * @param offset 0 to FFFh
     * @param size 1, 2 or 4 bytes
     */
    int read(int index, int offset, int size) {
        PciFunction function = functions[index];
        if (function == null) {
            return -1 >>> 32 - 8 * size;
        }
        if ((offset & 3) + size <= 4) {
            return function.read(offset, size);
        }
        int value = 0;
        for (int i = 0; i < size; i++) {
            value |= function.read(offset + i & 0xfff, 1) << 8 * i;
        }
        return value;
    }

    /** The counterpart of {@link #read}. */
    void write(int index, int offset, int size, int value) {
        PciFunction function = functions[index];
        if (function == null) {
            return;
        }
        if ((offset & 3) + size <= 4) {
            function.write(offset, size, value);
            return;
        }
        for (int i = 0; i < size; i++) {
            function.write(offset + i & 0xfff, 1, value >>> 8 * i & 0xff);
        }
    }
}
