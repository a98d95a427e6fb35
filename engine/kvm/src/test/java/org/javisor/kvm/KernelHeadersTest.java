package org.javisor.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.PaddingLayout;
import java.lang.foreign.StructLayout;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Every number and structure of the interface against the kernel's own headers. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class KernelHeadersTest {
    private static final Path HEADER = Path.of("/usr/include/linux/kvm.h");

    @TempDir static Path directory;

    /** C expression to its value as compiled; what this host's headers lack is left out. */
    private Map<String, Long> compiled;

    private final Map<String, Long> ours = new TreeMap<>();

    @BeforeAll
    void compile() throws Exception {
        assumeTrue(Files.exists(HEADER), "needs the kernel's headers: " + HEADER);
        assumeTrue(found("gcc"), "needs gcc");
        collectStructures();
        for (Ioctl request : Ioctl.values()) {
            ours.put("KVM_" + request.name(), request.request());
        }
        for (Capability capability : Capability.values()) {
            ours.put("KVM_CAP_" + capability.name(), (long) capability.number());
        }
        compiled = evaluate();
    }

    private static boolean found(String program) {
        return List.of(System.getenv().getOrDefault("PATH", "").split(":")).stream()
                .anyMatch(place -> Files.isExecutable(Path.of(place, program)));
    }

    private void collectStructures() throws IllegalAccessException {
        for (Field field : Layouts.class.getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers()) && field.getType() == StructLayout.class) {
                collect(field.getName(), (StructLayout) field.get(null));
            }
        }
    }

    private void collect(String field, StructLayout layout) {
        String name = layout.name().orElseThrow();
        boolean inUnion = field.startsWith("RUN_");
        String structure = "struct " + (inUnion ? "kvm_run" : name);
        long base = inUnion ? Layouts.size(Layouts.RUN) : 0;
        if (!inUnion && layout != Layouts.RUN) {
            ours.put("sizeof(" + structure + ")", layout.byteSize());
        }
        for (MemoryLayout member : layout.memberLayouts()) {
            if (member.name().isEmpty() || member instanceof PaddingLayout) {
                continue;
            }
            String path = (inUnion ? name + "." : "") + member.name().get();
            PathElement element = PathElement.groupElement(member.name().get());
            ours.put(
                    "offsetof(" + structure + ", " + path + ")", base + layout.byteOffset(element));
            ours.put("sizeof(((" + structure + " *) 0)->" + path + ")", member.byteSize());
        }
    }

    private Map<String, Long> evaluate() throws IOException, InterruptedException {
        StringBuilder program =
                new StringBuilder(
                        """
                        #include <linux/kvm.h>
                        #include <stddef.h>
                        #include <stdio.h>
                        int main(void) {
                        """);
        for (String expression : ours.keySet()) {
            boolean macro = expression.startsWith("KVM_");
            program.append(macro ? "#ifdef " + expression + "\n" : "")
                    .append("printf(\"%s=%lu\\n\", \"" + expression + "\", ")
                    .append("(unsigned long) " + expression + ");\n")
                    .append(macro ? "#endif\n" : "");
        }
        Path source = directory.resolve("numbers.c");
        Path binary = directory.resolve("numbers");
        Files.writeString(source, program.append("}\n"));
        run("gcc", "-o", binary.toString(), source.toString());
        Map<String, Long> values = new TreeMap<>();
        for (String line : run(binary.toString())) {
            int equals = line.lastIndexOf('=');
            values.put(line.substring(0, equals), Long.parseLong(line.substring(equals + 1)));
        }
        return values;
    }

    private List<String> run(String... command) throws IOException, InterruptedException {
        Path output = directory.resolve("output");
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        List<String> lines = Files.readAllLines(output);
        assertThat(process.exitValue()).as(String.join("\n", lines)).isZero();
        return lines;
    }

    @Test
    void numbersAndStructures_areThoseOfTheKernelsHeaders() {
        Map<String, Long> same = new TreeMap<>(ours);
        same.keySet().retainAll(compiled.keySet());
        assertThat(same).isEqualTo(compiled);
        List<String> unknown = new ArrayList<>(ours.keySet());
        unknown.removeAll(compiled.keySet());
        // Debian's headers may be older than the kernel that runs.
        assertThat(unknown).allMatch(name -> name.startsWith("KVM_"));
        assertThat(same.size()).isGreaterThan(250);
    }
}
