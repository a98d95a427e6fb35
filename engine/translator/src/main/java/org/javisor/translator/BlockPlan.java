package org.javisor.translator;

import java.util.ArrayList;
import java.util.List;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Decoder;
import org.javisor.x86.Instruction;
import org.javisor.x86.Op;

/** The instructions that a block is made of, and what lies ahead of each. */
final class BlockPlan {
    private static final int LONGEST = 48;

    /** Bytes of guest code that a block can have. */
    static final int MOST_BYTES = LONGEST * Decoder.MAX_LENGTH;

    private static final int PAGE_SIZE = 4096;

    /** Branches ahead by which a block can be left, and one that begins a busy loop. */
    private static final int MOST_EXITS = 3, MOST_EXITS_OF_LOOP = 8;

    private final TranslationCache cache;
    private final Translatability translatability;
    private final Decoder decoder = new Decoder();
    private final List<Instruction> instructions = new ArrayList<>();
    private TranslatedBlock block;

    BlockPlan(TranslationCache cache) {
        this.cache = cache;
        this.translatability = new Translatability(cache);
    }

    /**
     * Decodes the instructions of a block.
     *
     * @param begun the block, of which only its place is known
     * @param bytes those of its page, and the first of the one that follows if it ends there
     * @return whether there are any: not if the first ends on the next page but that is not given
     */
    boolean decode(TranslatedBlock begun, byte[] bytes) {
        block = begun;
        int offset = block.offset;
        instructions.clear();
        if (block.secondPage != null) {
            instructions.add(decoder.decode(bytes, offset, Decoder.MAX_LENGTH, CodeSize.BITS64));
            return true;
        }
        int position = offset;
        int exits = 0;
        // A busy loop is not chopped up where blocks of before begin.
        boolean loop = cache.beginsLoop(block);
        int most = loop ? MOST_EXITS_OF_LOOP : MOST_EXITS;
        while (position < PAGE_SIZE && instructions.size() < LONGEST) {
            Instruction i = decoder.decode(bytes, position, PAGE_SIZE - position, CodeSize.BITS64);
            if (i == null) {
                break;
            }
            instructions.add(i);
            position += i.length;
            boolean known = !loop && block.page.block(block.context, position) != null;
            if (endsBlock(i) && (known || exits == most || !leadsAhead(i, position))) {
                break;
            }
            exits += i.op == Op.JCC ? 1 : 0;
        }
        return !instructions.isEmpty();
    }

    /**
     * Whether it is a branch that seldom closes a loop, so that what follows may be of the block.
     */
    private static boolean leadsAhead(Instruction i, int next) {
        return i.op == Op.JCC && Translatability.near(i) && i.imm > 0 && next + i.imm < PAGE_SIZE;
    }

    /** All of them, in order. */
    List<Instruction> instructions() {
        return instructions;
    }

    boolean translated(Instruction i) {
        return translatability.translated(i, block.context);
    }

    /** See {@link Translatability#endsBlock}. */
    boolean endsBlock(Instruction i) {
        return translatability.endsBlock(i, block.context);
    }

    /** See {@link Translatability#calm}. */
    boolean calm(Instruction i) {
        return translatability.calm(i, block.context);
    }

    /** Whether memory is accessed before the first instruction that replaces the flags. */
    boolean flagsSpoiltAtTop() {
        for (Instruction i : instructions) {
            if (accesses(i)) {
                return true;
            }
            if (FlagEffects.replaces(i) || FlagEffects.reads(i)) {
                return false;
            }
        }
        return false;
    }

    /** How many memory accesses come before the flags are next replaced, from an instruction on. */
    int accessesUntilReplaced(int from) {
        int accesses = 0;
        for (int n = from; n < instructions.size(); n++) {
            Instruction i = instructions.get(n);
            if (accesses(i)) {
                accesses++;
            }
            if (FlagEffects.replaces(i)) {
                break;
            }
        }
        return accesses;
    }

    /** How many come before the flags are looked at. */
    int accessesUntilRead(int from) {
        int accesses = 0;
        for (int n = from; n < instructions.size(); n++) {
            Instruction i = instructions.get(n);
            if (!calm(i) || FlagEffects.reads(i)) {
                break;
            }
            accesses += accesses(i) ? 1 : 0;
        }
        return accesses;
    }

    /** Whether new flags are made behind an instruction before the block may be left. */
    boolean flagsReplacedNext(int current) {
        for (int n = current + 1; n < instructions.size(); n++) {
            Instruction i = instructions.get(n);
            if (!calm(i) || accesses(i) || FlagEffects.reads(i)) {
                return false;
            }
            if (FlagEffects.replaces(i)) {
                return true;
            }
        }
        return false;
    }

    private static boolean accesses(Instruction i) {
        return i.hasMemory() && i.op != Op.LEA || i.op == Op.PUSH || i.op == Op.POP;
    }
}
