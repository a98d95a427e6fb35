package org.javisor.interpreter;

import static java.lang.constant.ConstantDescs.CD_Object;
import static java.lang.constant.ConstantDescs.CD_int;
import static java.lang.constant.ConstantDescs.CD_long;
import static java.lang.constant.ConstantDescs.CD_void;

import java.lang.classfile.ClassFile;
import java.lang.classfile.CodeBuilder;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.DirectMethodHandleDesc;
import java.lang.constant.DynamicConstantDesc;
import java.lang.constant.MethodTypeDesc;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.List;
import org.javisor.x86.Instruction;

/**
 * Writes the {@link Run}s of a hot block: classes whose one method calls the block's handlers one
 * after the other, both handlers and instructions being constants. HotSpot compiles the handlers
 * into it, and so saves what dispatch costs: more than half of the time otherwise. Handlers stay
 * the only place that knows what an instruction means.
 */
final class RunWriter {
    /** Longer ones are not compiled as well, and take longer to. */
    private static final int LONGEST_RUN = 16;

    private static final ClassDesc RUN = Run.class.describeConstable().orElseThrow();
    private static final ClassDesc CPU = Cpu.class.describeConstable().orElseThrow();
    private static final ClassDesc HANDLER = Handler.class.describeConstable().orElseThrow();
    private static final ClassDesc INSTRUCTION =
            Instruction.class.describeConstable().orElseThrow();
    private static final ClassDesc NAME =
            ClassDesc.of(RunWriter.class.getPackageName() + ".WrittenRun");
    private static final DirectMethodHandleDesc CLASS_DATA =
            ConstantDescs.ofConstantBootstrap(
                    MethodHandles.class.describeConstable().orElseThrow(),
                    "classDataAt",
                    CD_Object,
                    CD_int);

    private RunWriter() {}

    static Run[] write(Block block) {
        int length = block.instructions.length;
        Run[] runs = new Run[(length + LONGEST_RUN - 1) / LONGEST_RUN];
        for (int n = 0; n < runs.length; n++) {
            runs[n] = write(block, n * LONGEST_RUN, Math.min((n + 1) * LONGEST_RUN, length));
        }
        return runs;
    }

    private static Run write(Block block, int from, int to) {
        List<Object> constants = new ArrayList<>();
        for (int n = from; n < to; n++) {
            constants.add(block.operations[n].handler());
            constants.add(block.instructions[n]);
        }
        byte[] bytes =
                ClassFile.of()
                        .build(
                                NAME,
                                c -> {
                                    c.withSuperclass(RUN);
                                    c.withMethodBody(
                                            ConstantDescs.INIT_NAME,
                                            MethodTypeDesc.of(CD_void),
                                            0,
                                            RunWriter::constructor);
                                    c.withMethodBody(
                                            "execute",
                                            MethodTypeDesc.of(CD_int, CPU),
                                            0,
                                            code -> calls(code, block, from, to));
                                });
        try {
            return (Run)
                    MethodHandles.lookup()
                            .defineHiddenClassWithClassData(bytes, constants, true)
                            .lookupClass()
                            .getDeclaredConstructor()
                            .newInstance();
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    private static void constructor(CodeBuilder code) {
        code.aload(0)
                .invokespecial(RUN, ConstantDescs.INIT_NAME, MethodTypeDesc.of(CD_void))
                .return_();
    }

    private static void calls(CodeBuilder code, Block block, int from, int to) {
        for (int n = from; n < to; n++) {
            int constant = 2 * (n - from);
            code.aload(1)
                    .dup()
                    .getfield(CPU, "rip", CD_long)
                    .loadConstant((long) block.instructions[n].length)
                    .ladd()
                    .putfield(CPU, "rip", CD_long)
                    .loadConstant(constant(HANDLER, constant))
                    .aload(1)
                    .loadConstant(constant(INSTRUCTION, constant + 1))
                    .invokeinterface(
                            HANDLER, "execute", MethodTypeDesc.of(CD_void, CPU, INSTRUCTION));
            int done = n - from + 1;
            if (n < to - 1) {
                code.aload(1)
                        .getfield(CPU, "blockEnd", CD_int)
                        .ifThen(
                                java.lang.classfile.Opcode.IFEQ,
                                b -> b.loadConstant(done).ireturn());
            }
        }
        code.loadConstant(to - from).ireturn();
    }

    private static DynamicConstantDesc<?> constant(ClassDesc type, int index) {
        return DynamicConstantDesc.ofNamed(CLASS_DATA, ConstantDescs.DEFAULT_NAME, type, index);
    }
}
