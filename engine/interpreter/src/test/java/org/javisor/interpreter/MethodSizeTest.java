package org.javisor.interpreter;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.attribute.CodeAttribute;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * HotSpot compiles no method of 8000 bytes of bytecode or more (HugeMethodLimit): it would run ten
 * times slower.
 */
class MethodSizeTest {
    private static final int LIMIT = 8000;

    @Test
    void everyMethod_isSmallEnoughToBeCompiled() throws IOException, URISyntaxException {
        Path classes =
                Path.of(Cpu.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        List<String> tooLarge = new ArrayList<>();
        int methods = 0;
        try (Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".class")).toList()) {
                ClassModel model = parse(file);
                for (MethodModel method : model.methods()) {
                    // Table initialisers run once.
                    if (method.methodName().equalsString("<clinit>")) {
                        continue;
                    }
                    methods++;
                    int size =
                            method.code()
                                    .map(code -> ((CodeAttribute) code).codeLength())
                                    .orElse(0);
                    if (size >= LIMIT) {
                        tooLarge.add(
                                model.thisClass().asInternalName()
                                        + "."
                                        + method.methodName()
                                        + " "
                                        + size);
                    }
                }
            }
        }
        assertThat(methods).isGreaterThan(500);
        assertThat(tooLarge).isEmpty();
    }

    private static ClassModel parse(Path file) {
        try {
            return ClassFile.of().parse(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
