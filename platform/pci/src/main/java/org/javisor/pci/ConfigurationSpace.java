package org.javisor.pci;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The 256 bytes of a function's configuration space as contents, masks and blocks with behaviour;
 * knows the meaning of none. Not thread-safe.
 */
final class ConfigurationSpace {
    static final int SIZE = 0x100;

    private final byte[] initial = new byte[SIZE];
    private final byte[] writable = new byte[SIZE];
    private final byte[] bytes = new byte[SIZE];
    private final boolean[] taken = new boolean[SIZE];
    private final List<Block> blocks = new ArrayList<>();

    private final class Block implements ConfigurationRegisters.View {
        final int base;
        final ConfigurationRegisters registers;

        Block(int base, ConfigurationRegisters registers) {
            this.base = base;
            this.registers = registers;
        }

        ConfigurationRegisters.Behaviour behaviour() {
            return registers.behaviour();
        }

        int end() {
            return base + registers.length();
        }

        @Override
        public int get(int offset, int size) {
            return ConfigurationSpace.this.get(checked(offset, size), size);
        }

        @Override
        public void set(int offset, int size, int value) {
            ConfigurationSpace.this.set(checked(offset, size), size, value);
        }

        private int checked(int offset, int size) {
            if (offset < 0 || size < 1 || size > 4 || offset > registers.length() - size) {
                throw new IllegalArgumentException(
                        "No such configuration register: %d, %d bytes".formatted(offset, size));
            }
            return base + offset;
        }
    }

    /** Declares a register of the header. */
    void define(int offset, int size, int value, int mask) {
        for (int i = 0; i < size; i++) {
            initial[offset + i] = (byte) (value >>> 8 * i);
            writable[offset + i] = (byte) (mask >>> 8 * i);
        }
    }

    /**
     * Puts a block somewhere.
     *
     * @throws IllegalArgumentException if there is no room, or another block
     */
    void place(int base, ConfigurationRegisters registers) {
        int length = registers.length();
        if (base < 0x40 || base % 4 != 0 || base + length > SIZE) {
            throw new IllegalArgumentException(
                    "No room for %d bytes of configuration registers at %#x"
                            .formatted(length, base));
        }
        for (int i = base; i < base + length; i++) {
            if (taken[i]) {
                throw new IllegalArgumentException(
                        "Configuration register %#x has two meanings".formatted(i));
            }
            taken[i] = true;
        }
        System.arraycopy(registers.initial(), 0, initial, base, length);
        System.arraycopy(registers.writable(), 0, writable, base, length);
        blocks.add(new Block(base, registers));
    }

    /** Where that many bytes are free. */
    int room(int length) {
        for (int base = 0x40; base + length <= SIZE; base += 4) {
            int free = 0;
            while (free < length && !taken[base + free]) {
                free++;
            }
            if (free == length) {
                return base;
            }
        }
        throw new IllegalArgumentException("Too many capabilities for 256 bytes");
    }

    int get(int offset, int size) {
        int value = 0;
        for (int i = 0; i < size; i++) {
            value |= (bytes[offset + i] & 0xff) << 8 * i;
        }
        return value;
    }

    void set(int offset, int size, int value) {
        for (int i = 0; i < size; i++) {
            bytes[offset + i] = (byte) (value >>> 8 * i);
        }
    }

    /** The guest reads, within an aligned doubleword. */
    int read(int offset, int size) {
        for (Block block : blocks) {
            int from = Math.max(offset, block.base);
            int to = Math.min(offset + size, block.end());
            if (from < to) {
                block.behaviour().beforeRead(block, from - block.base, to - from);
            }
        }
        return get(offset, size);
    }

    /** The guest writes, within an aligned doubleword. */
    void write(int offset, int size, int value) {
        store(offset, size, value, blockAt(offset, size));
    }

    /** Blocks consist of doublewords, so that an access meets one at most; null if none. */
    private Block blockAt(int offset, int size) {
        for (Block block : blocks) {
            if (offset < block.end() && offset + size > block.base) {
                return block;
            }
        }
        return null;
    }

    private void store(int offset, int size, int value, Block block) {
        int stored = value;
        if (block != null) {
            stored = block.behaviour().filter(block, offset - block.base, size, value);
        }
        for (int i = 0; i < size; i++) {
            int mask = writable[offset + i];
            bytes[offset + i] = (byte) (bytes[offset + i] & ~mask | stored >>> 8 * i & mask);
        }
        if (block != null) {
            block.behaviour().afterWrite(block, offset - block.base, size);
        }
    }

    void reset() {
        System.arraycopy(initial, 0, bytes, 0, SIZE);
        loaded();
    }

    byte[] save() {
        return bytes.clone();
    }

    /**
     * Takes what a guest can write; whatever else a snapshot holds does not change what this is.
     */
    void restore(byte[] saved) {
        byte[] from = Arrays.copyOf(saved, SIZE);
        for (int i = 0; i < SIZE; i++) {
            int mask = writable[i];
            bytes[i] = (byte) (initial[i] & ~mask | from[i] & mask);
        }
        loaded();
    }

    private void loaded() {
        for (Block block : blocks) {
            block.behaviour().loaded(block);
        }
    }
}
