package org.javisor.translator;

import java.util.HexFormat;
import java.util.List;
import org.javisor.interpreter.GuestProcessor;
import org.javisor.interpreter.Replay;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Decoder;
import org.javisor.x86.Instruction;
import org.javisor.x86.InstructionFormatter;

/** Tells of a difference: registers before and on both sides, memory, guest and host code. */
final class LockstepReport {
    private static final int MOST_DIFFERENCES = 16;
    private static final int MOST_INSTRUCTIONS = 200;

    private final GuestProcessor processor;
    private final Replay replay;
    private final TranslationCache cache;
    private final LockstepState runner;
    private final LockstepState interpreter;
    private final StringBuilder text = new StringBuilder();

    LockstepReport(
            GuestProcessor processor,
            Replay replay,
            TranslationCache cache,
            LockstepState runner,
            LockstepState interpreter) {
        this.processor = processor;
        this.replay = replay;
        this.cache = cache;
        this.runner = runner;
        this.interpreter = interpreter;
    }

    /**
     * @param count instructions carried out
     * @param block the first that was run
     */
    String write(String difference, long count, TranslatedBlock block) {
        line(
                "Difference: %s, after %d instructions from %016x",
                difference, count, replay.startRip());
        line("");
        line("%-8s %-16s  %-16s  %-16s", "", "before", "translator", "interpreter");
        register("rip", replay.startRip(), runner.rip, interpreter.rip);
        for (int n = 0; n < 16; n++) {
            register(
                    LockstepState.NAMES[n],
                    replay.startRegister(n),
                    runner.registers[n],
                    interpreter.registers[n]);
        }
        register("rflags", replay.startFlags(), runner.flags, interpreter.flags);
        units();
        memory();
        guestCode(count);
        hostCode(block);
        return text.toString();
    }

    private void register(String name, long before, long left, long right) {
        line("%-8s %016x  %016x  %016x%s", name, before, left, right, left == right ? "" : "  <--");
    }

    private void units() {
        for (int n = 0; n < 64; n++) {
            if (runner.vectors[n] != interpreter.vectors[n]) {
                pair(
                        "ymm%d[%d]".formatted(n / 4, n % 4),
                        runner.vectors[n],
                        interpreter.vectors[n]);
            }
        }
        if (runner.mxcsr() != interpreter.mxcsr()) {
            pair("mxcsr", runner.mxcsr(), interpreter.mxcsr());
        }
        if (runner.x87Different(interpreter)) {
            pair("fcw", runner.x87().control, interpreter.x87().control);
            pair("fsw", runner.x87().status, interpreter.x87().status);
            pair("top", runner.x87().top, interpreter.x87().top);
            pair("valid", runner.x87().valid, interpreter.x87().valid);
            for (int n = 0; n < 8; n++) {
                pair(
                        "fpr%d.e".formatted(n),
                        runner.x87().signExponent[n],
                        interpreter.x87().signExponent[n]);
                pair(
                        "fpr%d.s".formatted(n),
                        runner.x87().significand[n],
                        interpreter.x87().significand[n]);
            }
        }
    }

    private void pair(String name, long left, long right) {
        line("%-8s %-16s  %016x  %016x%s", name, "", left, right, left == right ? "" : "  <--");
    }

    private void memory() {
        boolean[] begun = new boolean[1];
        replay.differences(
                MOST_DIFFERENCES,
                d -> {
                    if (!begun[0]) {
                        line("");
                        line("Memory, by guest-physical address:");
                        begun[0] = true;
                    }
                    line(
                            "%08x %016x  %016x  %016x",
                            d.gpa(), d.before(), d.runner(), d.interpreter());
                });
    }

    private void guestCode(long count) {
        line("");
        line("What the guest executes:");
        int[] shown = new int[1];
        replay.carryOut(
                Math.min(count + 1, MOST_INSTRUCTIONS),
                i -> {
                    shown[0]++;
                    line(
                            "%s%016x  %s",
                            shown[0] > count ? "  next: " : "  ",
                            processor.rip(),
                            InstructionFormatter.format(i, processor.rip()));
                });
    }

    private void hostCode(TranslatedBlock block) {
        line("");
        line(
                "Translated code of the first block, %d bytes of guest code at %08x:",
                block.length, block.page.gpa + block.offset);
        byte[] code = cache.code(block);
        line("  %s", HexFormat.of().formatHex(code));
        Decoder decoder = new Decoder();
        for (int at = 0; at < code.length; ) {
            Instruction i = decoder.decode(code, at, code.length - at, CodeSize.BITS64);
            if (i == null) {
                break;
            }
            long address = block.indirectEntry + at;
            line(
                    "  %x  %-30s  %s",
                    address,
                    HexFormat.of().formatHex(code, at, at + i.length),
                    InstructionFormatter.format(i, address));
            at += i.length;
        }
    }

    private void line(String format, Object... values) {
        text.append(List.of(values).isEmpty() ? format : format.formatted(values)).append('\n');
    }
}
