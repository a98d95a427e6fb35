package org.javisor.testkit;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.javisor.testkit.InstructionForm.Shape;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/**
 * Random 64-bit code of many instructions that leaves nothing undefined: memory operands relative
 * to a base register that nothing writes, strings with addresses and count set up before them,
 * branches forward, loops with a counter, pushes and pops. Whatever leaves flags undefined is
 * followed by something that sets them. Now and then an operand or a string leads where it faults.
 */
final class RandomProgram {
    /** Points at the operand memory; never written. */
    static final int BASE = 15;

    /** Offset in the operand memory around which the stack begins. */
    static final int STACK = 0x2000;

    private static final int RCX = 1, RSP = 4;
    private static final int LONGEST = HostProcessor.CODE_SIZE / 2 - 200;

    /** What kind of program. */
    enum Style {
        /** Some ten statements. */
        SHORT(10, 50, 80),
        /** As many as there is room for. */
        LONG(200, 600, 800),
        /** With loops that change instructions of their own, after having set them back. */
        SELF_MODIFYING(10, 30, 400);

        private final int fewest;
        private final int most;

        /** One in so many memory operands faults. */
        private final int faults;

        Style(int fewest, int most, int faults) {
            this.fewest = fewest;
            this.most = most;
            this.faults = faults;
        }
    }

    /** The forms that can stand anywhere in a program. */
    private static final class Pool {
        private final List<List<InstructionForm>> integer = new ArrayList<>();
        private final List<List<InstructionForm>> x87 = new ArrayList<>();
        private final List<List<InstructionForm>> vector = new ArrayList<>();

        Pool() {
            Map<Op, List<InstructionForm>> byOp = new EnumMap<>(Op.class);
            for (InstructionForm form : ComparableForms.all(CodeSize.BITS64)) {
                if (ComparableForms.sequential(form)) {
                    byOp.computeIfAbsent(form.op(), op -> new ArrayList<>()).add(form);
                }
            }
            byOp.forEach(
                    (op, forms) -> {
                        boolean later = op.compareTo(Op.EMMS) >= 0;
                        (ComparableForms.isX87(op) ? x87 : later ? vector : integer).add(forms);
                    });
        }

        InstructionForm pick(Random random) {
            int kind = random.nextInt(20);
            List<List<InstructionForm>> group = kind < 10 ? integer : kind < 13 ? x87 : vector;
            List<InstructionForm> forms = group.get(random.nextInt(group.size()));
            return forms.get(random.nextInt(forms.size()));
        }
    }

    private final Pool pool = new Pool();
    private final long dataAddress;
    private final Style style;
    private Random random = new Random(0);
    private long begin;
    private final CodeBuffer out = new CodeBuffer();
    private boolean keepCounter;

    RandomProgram(long dataAddress, Style style) {
        this.dataAddress = dataAddress;
        this.style = style;
    }

    /**
     * Makes a program.
     *
     * @param address where it will lie
     * @param cuts takes the lengths at which it could also end
     */
    byte[] make(Random newRandom, long address, List<Integer> cuts) {
        random = newRandom;
        begin = address;
        out.cut(0);
        keepCounter = false;
        int statements = random.nextInt(style.fewest, style.most + 1);
        for (int n = 0; n < statements && out.length() < LONGEST; n++) {
            statement();
            cuts.add(out.length());
        }
        return out.toArray();
    }

    private void statement() {
        switch (random.nextInt(16)) {
            case 0, 1 -> forwardBranch();
            case 2 -> loop();
            case 3 -> string();
            case 4 -> stack();
            case 5, 6, 7 -> {
                if (style == Style.SELF_MODIFYING) {
                    selfModifyingLoop();
                } else {
                    instruction();
                }
            }
            default -> instruction();
        }
    }

    // Control flow

    private void body(int most) {
        for (int n = random.nextInt(1, most + 1); n > 0; n--) {
            instruction();
        }
    }

    private void forwardBranch() {
        int from;
        switch (random.nextInt(8)) {
            case 0 -> put(0xe9); // jmp
            case 1 -> put(0xe8); // call
            case 2 -> {
                put(0xe3, 0); // jrcxz
                from = out.length();
                body(1);
                out.patch(from - 1, 1, out.length() - from);
                return;
            }
            default -> put(0x0f, 0x80 | random.nextInt(16)); // jcc
        }
        out.put32(0);
        from = out.length();
        body(3);
        out.patch(from - 4, 4, out.length() - from);
    }

    private void loop() {
        put(0xb9); // mov ecx
        out.put32(random.nextInt(1, 20));
        keepCounter = true;
        int top = out.length();
        body(2);
        keepCounter = false;
        if (out.length() - top < 100 && random.nextBoolean()) {
            put(0xe2, top - (out.length() + 2)); // loop
        } else {
            put(0xff, 0xc9, 0x0f, 0x85); // dec ecx; jnz
            out.put32(top - (out.length() + 4));
        }
    }

    /** A loop around an operation of a register with an immediate, of which it changes bytes. */
    private void selfModifyingLoop() {
        boolean operation = random.nextBoolean();
        int original = operation ? 0xc0 | random.nextInt(8) << 3 | random.nextInt(7) : 0;
        // mov byte [rip + to the changed byte], original
        put(0xc6, 0x05);
        int reset = out.length();
        out.put32(0);
        put(original);
        // A jump between the change and its execution: Intel SDM vol. 3A, 8.1.3.
        put(0xeb, 0, 0xb9);
        out.put32(random.nextInt(2, 60)); // mov ecx
        keepCounter = true;
        int top = out.length();
        if (random.nextBoolean()) {
            body(1);
        }
        put(0x41, 0x81); // operation of r8d to r14d with imm32
        int changed = out.length() + (operation ? 0 : 1 + random.nextInt(4));
        put(operation ? original : 0xc0 | random.nextInt(8) << 3 | random.nextInt(7));
        out.put32(random.nextInt());
        if (!operation) {
            out.patch(changed, 1, original);
        }
        setFlags();
        body(2);
        // xor byte [rip + to the changed byte], another operation or another immediate
        put(0x80, 0x35);
        out.put32(changed - (out.length() + 5));
        put(operation ? random.nextInt(1, 8) << 3 : random.nextInt(1, 256));
        setFlags();
        keepCounter = false;
        put(0xff, 0xc9, 0x0f, 0x85); // dec ecx; jnz
        out.put32(top - (out.length() + 4));
        out.patch(reset, 4, changed - (reset + 5));
    }

    private void string() {
        int count = random.nextInt(random.nextInt(4) == 0 ? 150 : 20);
        boolean down = random.nextInt(4) == 0;
        boolean faults = random.nextInt(style.faults / 10) == 0;
        int to = faults ? 0x4000 - random.nextInt(80) : 0x400 + random.nextInt(0x3000 - 0x400);
        int from =
                random.nextBoolean()
                        ? 0x400 + random.nextInt(0x2c00)
                        : to + random.nextInt(-20, 20);
        put(0x49, 0x8d, 0xb0 | BASE & 7); // lea rsi, [base + from]
        out.put32(down ? from + 0x300 : from);
        put(0x49, 0x8d, 0xb8 | BASE & 7); // lea rdi, [base + to]
        out.put32(down ? to + 0x300 : to);
        put(0xb9); // mov ecx
        out.put32(Math.min(count, down ? 90 : 150));
        if (down) {
            put(0xfd);
        }
        int[] operations = {0xa4, 0xa6, 0xaa, 0xac, 0xae};
        if (random.nextInt(4) != 0) {
            put(random.nextBoolean() ? 0xf3 : 0xf2);
        }
        int size = random.nextInt(4);
        if (size == 1) {
            // After a repeat prefix 66h means the same as before it.
            put(0x66);
        } else if (size == 3) {
            put(0x48);
        }
        put(operations[random.nextInt(operations.length)] | (size == 0 ? 0 : 1));
        if (down) {
            put(0xfc);
        }
    }

    private void stack() {
        switch (random.nextInt(4)) {
            case 0 -> {
                put(0x9c); // pushfq
                pop();
            }
            case 1 -> {
                put(0x68); // push imm32
                out.put32(random.nextInt() & 0x8d5);
                put(0x9d); // popfq
            }
            case 2 -> pop();
            default -> put(0x41, 0x50 | random.nextInt(8)); // push r8-r15
        }
    }

    private void pop() {
        int register = random.nextInt(8);
        put(0x58 | (register == RSP || register == RCX && keepCounter ? 0 : register));
    }

    // Straight instructions

    private void instruction() {
        while (true) {
            InstructionForm form = pool.pick(random);
            boolean divides = form.op() == Op.DIV || form.op() == Op.IDIV;
            if (divides && random.nextInt(6) != 0) {
                continue;
            }
            int mark = out.length();
            encode(form);
            if (acceptable(mark)) {
                if (ComparableForms.leavesFlagsUndefined(form.op())) {
                    setFlags();
                }
                return;
            }
            out.cut(mark);
        }
    }

    /** Looks at the last instruction from {@code mark} on. */
    private boolean acceptable(int mark) {
        int at = mark;
        Instruction i = out.decode(at, CodeSize.BITS64);
        while (at + i.length < out.length()) {
            at += i.length;
            i = out.decode(at, CodeSize.BITS64);
        }
        boolean counts = i.op == Op.PCMPESTRI || i.op == Op.PCMPISTRI;
        if (keepCounter && counts) {
            return false;
        }
        return !writes(i.kind0, i.reg0) && !writes(i.kind1, i.reg1);
    }

    private boolean writes(int kind, int register) {
        boolean counter = keepCounter && register == RCX;
        if (kind == Instruction.GPR_HIGH) {
            return counter;
        }
        return kind == Instruction.GPR && (register == BASE || register == RSP || counter);
    }

    private void encode(InstructionForm form) {
        boolean memory = form.shape() == Shape.MEMORY;
        int addressing = random.nextInt(8);
        int index = random.nextInt(16);
        boolean indexed = memory && addressing < 2 && index != RSP && index != BASE;
        indexed &= !(keepCounter && index == RCX);
        boolean relative = memory && addressing == 2;
        if (indexed) {
            // movzx index, its low byte
            int rex = 0x40 | index >> 3 << 2 | index >> 3;
            put(rex, 0x0f, 0xb6, 0xc0 | (index & 7) << 3 | index & 7);
        }
        int begins = out.length();
        form.prefixes().forEach(out::put);
        int rex = form.wide() ? 0x48 : 0;
        if (memory) {
            rex |= 0x41 | random.nextInt(2) << 2 | (indexed ? index >> 3 << 1 : 0);
        } else if (random.nextBoolean()) {
            rex |= 0x40 | random.nextInt(8);
        }
        if (rex != 0) {
            put(rex);
        }
        form.opcode().forEach(out::put);
        if (form.shape() == Shape.PLAIN) {
            immediates(begins);
            return;
        }
        int reg = form.reg() >= 0 ? form.reg() : random.nextInt(8);
        if (!memory) {
            put(0xc0 | reg << 3 | (form.rm() >= 0 ? form.rm() : random.nextInt(8)));
        } else if (relative) {
            put(reg << 3 | 5);
        } else if (indexed) {
            put(0x84 | reg << 3, random.nextInt(4) << 6 | (index & 7) << 3 | BASE & 7);
        } else {
            put(0x80 | reg << 3 | BASE & 7);
        }
        int displacement = out.length();
        if (memory) {
            out.put32(0);
        }
        immediates(begins);
        if (memory) {
            long offset = offset(indexed ? 2048 : 0);
            long value = relative ? dataAddress + offset - (begin + out.length()) : offset;
            out.patch(displacement, 4, value);
        }
    }

    private int offset(int reach) {
        int room = RandomState.WRITABLE_PAGES * RandomState.PAGE - reach - 80;
        int at = random.nextInt(room);
        if (random.nextInt(style.faults) == 0) {
            // Into the page that cannot be written, or the one behind it.
            return room + reach + 80 + random.nextInt(2 * RandomState.PAGE - 100);
        }
        if (random.nextInt(6) == 0) {
            return RandomState.PAGE * random.nextInt(1, 1 + room / RandomState.PAGE)
                    - random.nextInt(16);
        }
        return random.nextInt(4) == 0 ? at : at & -16;
    }

    /** Whatever the decoder says still belongs to the instruction. */
    private void immediates(int at) {
        Instruction i = out.decode(at, CodeSize.BITS64);
        for (int n = at + i.length - out.length(); n > 0; n--) {
            put(random.nextInt(256));
        }
    }

    private void setFlags() {
        int register = 8 + random.nextInt(7);
        switch (random.nextInt(3)) {
            case 0 -> put(0x49, 0x83, 0xf8 | register & 7, random.nextInt(256)); // cmp
            case 1 -> put(0x41, 0x83, 0xc0 | register & 7, random.nextInt(256)); // add
            default -> put(0x4d, 0x39, 0xc0 | register & 7); // cmp with r8
        }
    }

    private void put(int... bytes) {
        out.put(bytes);
    }
}
