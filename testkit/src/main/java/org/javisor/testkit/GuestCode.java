package org.javisor.testkit;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.javisor.x86.CodeSize;

/**
 * An assembler for small guests: the instructions that tests need by name, everything else as
 * bytes. Registers are given by number, in the order of the encoding; memory by absolute address
 * below 2 GiB. Labels may be used before they are placed.
 */
public final class GuestCode {
    public static final int RAX = 0, RCX = 1, RDX = 2, RBX = 3, RSP = 4, RBP = 5, RSI = 6, RDI = 7;

    private record Reference(int at, int size, String label, boolean relative) {}

    private final long address;
    private final CodeBuffer out = new CodeBuffer();
    private final Map<String, Long> labels = new HashMap<>();
    private final List<Reference> references = new ArrayList<>();
    private CodeSize size;

    /**
     * @param address where the code will lie, linear
     */
    public GuestCode(long address, CodeSize size) {
        this.address = address;
        this.size = size;
    }

    public static GuestCode at(long address) {
        return new GuestCode(address, CodeSize.BITS64);
    }

    /** The address of what comes next. */
    public long here() {
        return address + out.length();
    }

    public long address() {
        return address;
    }

    /** The code, its references to labels filled in. */
    public byte[] bytes() {
        for (Reference reference : references) {
            Long target = labels.get(reference.label);
            if (target == null) {
                throw new IllegalStateException("No label " + reference.label);
            }
            long base = reference.relative ? address + reference.at + reference.size : 0;
            out.patch(reference.at, reference.size, target - base);
        }
        return out.toArray();
    }

    public long addressOf(String label) {
        return labels.get(label);
    }

    public GuestCode label(String name) {
        labels.put(name, here());
        return this;
    }

    /** What follows is executed in another code size. */
    public GuestCode bits(CodeSize newSize) {
        size = newSize;
        return this;
    }

    /** Bytes in hexadecimal, blanks ignored. */
    public GuestCode hex(String bytes) {
        for (byte b : HexFormat.of().parseHex(bytes.replace(" ", ""))) {
            out.put(b);
        }
        return this;
    }

    public GuestCode raw(int... bytes) {
        out.put(bytes);
        return this;
    }

    public GuestCode raw32(long value) {
        out.put32((int) value);
        return this;
    }

    public GuestCode nop(int count) {
        for (int n = 0; n < count; n++) {
            out.put(0x90);
        }
        return this;
    }

    /** Fills with NOP up to an address. */
    public GuestCode padTo(long end) {
        return nop((int) (end - here()));
    }

    // Data movement, of the code's natural size

    public GuestCode mov(int register, long value) {
        boolean wide = size == CodeSize.BITS64;
        if (wide) {
            out.put(0x48 | register >> 3);
        }
        out.put(0xb8 | register & 7);
        switch (size) {
            case BITS16 -> out.put16((int) value);
            case BITS32 -> out.put32((int) value);
            case BITS64 -> out.put64(value);
        }
        return this;
    }

    /** The address of a label into a register. */
    public GuestCode lea(int register, String label) {
        mov(register, 0);
        int bytes = size == CodeSize.BITS64 ? 8 : size == CodeSize.BITS32 ? 4 : 2;
        references.add(new Reference(out.length() - bytes, bytes, label, false));
        return this;
    }

    public GuestCode load(int register, long from) {
        return absolute(0x8b, register, from);
    }

    public GuestCode store(long to, int register) {
        return absolute(0x89, register, to);
    }

    /** An instruction with a ModRM byte, its memory operand at an absolute address. */
    public GuestCode absolute(int opcode, int reg, long at) {
        if (size == CodeSize.BITS64) {
            out.put(0x48 | reg >> 3 << 2);
        }
        return operand(reg, at, opcode);
    }

    /** As {@link #absolute} with several opcode bytes and without REX.W. */
    public GuestCode operand(int reg, long at, int... opcode) {
        out.put(opcode);
        switch (size) {
            case BITS64 -> {
                out.put(4 | (reg & 7) << 3, 0x25);
                out.put32((int) at);
            }
            case BITS32 -> {
                out.put(5 | (reg & 7) << 3);
                out.put32((int) at);
            }
            case BITS16 -> {
                out.put(6 | (reg & 7) << 3);
                out.put16((int) at);
            }
        }
        return this;
    }

    /** INC of a 32-bit word in memory. */
    public GuestCode inc32(long at) {
        return operand(0, at, 0xff);
    }

    public GuestCode push(int register) {
        if (register > 7) {
            out.put(0x41);
        }
        out.put(0x50 | register & 7);
        return this;
    }

    public GuestCode pop(int register) {
        if (register > 7) {
            out.put(0x41);
        }
        out.put(0x58 | register & 7);
        return this;
    }

    /** Sign-extended from 32 bits, or from 16. */
    public GuestCode pushImmediate(int value) {
        out.put(0x68);
        if (size == CodeSize.BITS16) {
            out.put16(value);
        } else {
            out.put32(value);
        }
        return this;
    }

    public GuestCode pushLabel(String label) {
        pushImmediate(0);
        int bytes = size == CodeSize.BITS16 ? 2 : 4;
        references.add(new Reference(out.length() - bytes, bytes, label, false));
        return this;
    }

    // Control transfer

    public GuestCode jmp(String label) {
        return relative(label, 0xe9);
    }

    public GuestCode call(String label) {
        return relative(label, 0xe8);
    }

    /**
     * @param condition as encoded: 2 below, 3 not below, 4 equal, 5 not equal
     */
    public GuestCode jcc(int condition, String label) {
        return relative(label, 0x0f, 0x80 | condition);
    }

    /** LOOP. */
    public GuestCode loop(String label) {
        out.put(0xe2, 0);
        references.add(new Reference(out.length() - 1, 1, label, true));
        return this;
    }

    private GuestCode relative(String label, int... opcode) {
        out.put(opcode);
        int bytes = size == CodeSize.BITS16 ? 2 : 4;
        references.add(new Reference(out.length(), bytes, label, true));
        if (bytes == 2) {
            out.put16(0);
        } else {
            out.put32(0);
        }
        return this;
    }

    /** JMP to an immediate far pointer; 16- and 32-bit code. The offset has so many bytes. */
    public GuestCode jumpFar(int selector, String label, int offsetBytes) {
        boolean other = (size == CodeSize.BITS16) == (offsetBytes == 4);
        if (other) {
            out.put(0x66);
        }
        out.put(0xea);
        references.add(new Reference(out.length(), offsetBytes, label, false));
        for (int n = 0; n < offsetBytes; n++) {
            out.put(0);
        }
        out.put16(selector);
        return this;
    }

    /** Far return to another code segment; pushes what it pops. */
    public GuestCode returnFar(int selector, String label) {
        pushImmediate(selector);
        pushLabel(label);
        if (size == CodeSize.BITS64) {
            out.put(0x48);
        }
        out.put(0xcb);
        return this;
    }

    public GuestCode interrupt(int vector) {
        out.put(0xcd, vector);
        return this;
    }

    /** IRET of the code's natural size. */
    public GuestCode iret() {
        if (size == CodeSize.BITS64) {
            out.put(0x48);
        }
        out.put(0xcf);
        return this;
    }

    // System

    public GuestCode hlt() {
        out.put(0xf4);
        return this;
    }

    public GuestCode cli() {
        out.put(0xfa);
        return this;
    }

    public GuestCode sti() {
        out.put(0xfb);
        return this;
    }

    /** OUT of AL to a port. */
    public GuestCode out8(int port) {
        out.put(0xe6, port);
        return this;
    }

    /** OUT of eAX (of AX in 16-bit code). */
    public GuestCode out32(int port) {
        out.put(0xe7, port);
        return this;
    }

    public GuestCode toControl(int control, int register) {
        if (control > 7) {
            out.put(0x44);
        }
        out.put(0x0f, 0x22, 0xc0 | (control & 7) << 3 | register);
        return this;
    }

    public GuestCode fromControl(int register, int control) {
        if (control > 7) {
            out.put(0x44);
        }
        out.put(0x0f, 0x20, 0xc0 | (control & 7) << 3 | register);
        return this;
    }

    /** MOV to a control register by way of RAX. */
    public GuestCode control(int control, long value) {
        return mov(RAX, value).toControl(control, RAX);
    }

    /** MOV to a debug register by way of RAX. */
    public GuestCode debug(int register, long value) {
        mov(RAX, value);
        out.put(0x0f, 0x23, 0xc0 | register << 3);
        return this;
    }

    /** WRMSR; changes RAX, RCX and RDX. */
    public GuestCode wrmsr(int index, long value) {
        mov32(RCX, index);
        mov32(RAX, (int) value);
        mov32(RDX, (int) (value >>> 32));
        out.put(0x0f, 0x30);
        return this;
    }

    /** MOV of 32 bits in any code size. */
    public GuestCode mov32(int register, int value) {
        if (size == CodeSize.BITS16) {
            out.put(0x66);
        }
        out.put(0xb8 | register);
        out.put32(value);
        return this;
    }

    /** MOV of a selector into a segment register, by way of AX. */
    public GuestCode segment(int register, int selector) {
        mov32(RAX, selector);
        out.put(0x8e, 0xc0 | register << 3);
        return this;
    }

    public GuestCode lgdt(long at) {
        return operand(2, at, 0x0f, 0x01);
    }

    public GuestCode lidt(long at) {
        return operand(3, at, 0x0f, 0x01);
    }

    /** LTR by way of AX. */
    public GuestCode ltr(int selector) {
        mov32(RAX, selector);
        out.put(0x0f, 0x00, 0xd8);
        return this;
    }

    public GuestCode invlpg(long at) {
        return operand(7, at, 0x0f, 0x01);
    }

    /** Tells the harness that the code has come to its end. */
    public GuestCode end() {
        String self = "end-" + here();
        return label(self).out8(SmallGuest.END_PORT).jmp(self);
    }

    /** Adds AL to the trace that the harness keeps. */
    public GuestCode trace(int value) {
        out.put(0xb0, value);
        return out8(SmallGuest.TRACE_PORT);
    }
}
