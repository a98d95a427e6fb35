package org.javisor.interpreter;

import java.util.ArrayList;
import java.util.List;
import org.javisor.memory.GuestMemory;
import org.javisor.memory.RawMemory;
import org.javisor.x86.Decoder;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/** Decodes blocks and chooses the handlers of their instructions. One for each processor. */
final class BlockDecoder {
    private static final int LONGEST_BLOCK = 64;
    private static final int PAGE_SIZE = GuestMemory.PAGE_SIZE;

    private final GuestMemory memory;
    private final Decoder decoder = new Decoder();
    private final byte[] bytes = new byte[PAGE_SIZE + Decoder.MAX_LENGTH];
    private final List<Operation> operations = new ArrayList<>();
    private final List<Instruction> instructions = new ArrayList<>();

    private final Operations known;
    private final Extensions extensions;
    private final int hotInstructions;

    /** For tests: every extension. */
    BlockDecoder(GuestMemory memory) {
        this(memory, new Operations(), Extensions.ALL, Block.HOT_INSTRUCTIONS);
    }

    /**
     * @param known the operations that the machine's processors share
     * @param extensions what the processor has
     * @param hotInstructions see {@link Block}
     */
    BlockDecoder(GuestMemory memory, Operations known, Extensions extensions, int hotInstructions) {
        this.memory = memory;
        this.known = known;
        this.extensions = extensions;
        this.hotInstructions = hotInstructions;
    }

    /**
     * Decodes the block at an offset of a page; null if its first instruction continues on the next
     * page.
     */
    Block decode(CodePage page, int offset) {
        readPage(page.gpa, offset);
        operations.clear();
        instructions.clear();
        int at = offset;
        while (at < PAGE_SIZE && instructions.size() < LONGEST_BLOCK) {
            Instruction i = decoder.decode(bytes, at, PAGE_SIZE - at, page.size);
            if (i == null) {
                break;
            }
            add(i);
            at += i.length;
            if (endsBlock(i.op)) {
                break;
            }
        }
        return instructions.isEmpty() ? null : build(null);
    }

    /**
     * Decodes the one instruction that begins at an offset of a page and ends on the page {@code
     * second}.
     */
    Block decodeStraddling(CodePage page, int offset, CodePage second) {
        readPage(page.gpa, offset);
        for (int n = 0; n < Decoder.MAX_LENGTH; n++) {
            bytes[PAGE_SIZE + n] = (byte) memory.read8(second.gpa + n);
        }
        operations.clear();
        instructions.clear();
        add(decoder.decode(bytes, offset, Decoder.MAX_LENGTH, page.size));
        return build(second);
    }

    private void readPage(long gpa, int offset) {
        long host = memory.hostAddress(gpa);
        if (host == 0) {
            java.util.Arrays.fill(bytes, (byte) 0xff);
        } else {
            RawMemory.copyToArray(host + offset, bytes, offset, PAGE_SIZE - offset);
        }
    }

    private void add(Instruction i) {
        instructions.add(i);
        operations.add(operation(i));
    }

    private Block build(CodePage second) {
        return new Block(
                operations.toArray(Operation[]::new),
                instructions.toArray(Instruction[]::new),
                second,
                hotInstructions);
    }

    /** How an instruction is carried out. */
    Operation operation(Instruction i) {
        return known.of(select(i));
    }

    private Handler select(Instruction i) {
        if (!extensions.include(i)) {
            Handler older = BitHandlers.selectWithoutCounts(i);
            return older == null ? SystemHandlers::undefined : older;
        }
        Handler handler = IntegerHandlers.select(i);
        if (handler == null) {
            handler = SystemHandlers.select(i);
        }
        if (handler == null) {
            handler = X87Handlers.select(i);
        }
        if (handler == null) {
            handler = FpuAreaHandlers.select(i);
        }
        if (handler == null) {
            handler = SimdHandlers.select(i);
        }
        return handler == null ? SystemHandlers::undefined : handler;
    }

    /**
     * Instructions after which execution may go on elsewhere. Others that change modes end the
     * block themselves.
     */
    private static boolean endsBlock(Op op) {
        return switch (op) {
            case JCC, JMP, CALL, RET, JMP_FAR, CALL_FAR, RET_FAR, LOOP, LOOPE, LOOPNE, JCXZ -> true;
            case INT, INT1, INT3, INTO, IRET, SYSCALL, SYSRET, SYSENTER, SYSEXIT, HLT -> true;
            case INVALID, TOO_LONG, UD0, UD1, UD2 -> true;
            default -> false;
        };
    }
}
