package org.javisor.gdb;

import java.util.ArrayList;
import java.util.List;
import org.javisor.hypervisor.VcpuState;

/**
 * The registers that a debugger sees, in their order in the {@code g} packet, and the XML that
 * tells it so (GDB manual, appendix G; the features of G.5.9 and one of our own).
 */
final class TargetDescription {
    /** What a debugger takes the guest's code for. */
    enum Architecture {
        X86_64("x86-64", "i386:x86-64", true),
        I386("i386", "i386", false),
        I8086("i8086", "i8086", false);

        private final String label;
        private final String gdbName;
        private final boolean wide;

        Architecture(String label, String gdbName, boolean wide) {
            this.label = label;
            this.gdbName = gdbName;
            this.wide = wide;
        }

        /** The name in commands. */
        String label() {
            return label;
        }

        TargetDescription description() {
            return new TargetDescription(this);
        }
    }

    private record Feature(String name, String types, List<Register> registers) {}

    private static final String[] WIDE_NAMES = {
        "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp", "r8", "r9", "r10", "r11", "r12",
        "r13", "r14", "r15"
    };
    private static final int[] WIDE_ORDER = {
        VcpuState.RAX,
        VcpuState.RBX,
        VcpuState.RCX,
        VcpuState.RDX,
        VcpuState.RSI,
        VcpuState.RDI,
        VcpuState.RBP,
        VcpuState.RSP,
        8,
        9,
        10,
        11,
        12,
        13,
        14,
        15
    };
    private static final String[] NARROW_NAMES = {
        "eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi"
    };
    private static final String[] SEGMENT_NAMES = {"cs", "ss", "ds", "es", "fs", "gs"};
    private static final int[] SEGMENT_ORDER = {
        VcpuState.CS, VcpuState.SS, VcpuState.DS, VcpuState.ES, VcpuState.FS, VcpuState.GS
    };

    private final Architecture architecture;
    private final List<Register> registers = new ArrayList<>();
    private final String xml;
    private final int size;

    private TargetDescription(Architecture architecture) {
        this.architecture = architecture;
        List<Feature> features =
                List.of(core(), sse(), linux(), segments(), system(), avx()).stream()
                        .filter(feature -> !feature.registers().isEmpty())
                        .toList();
        features.forEach(feature -> registers.addAll(feature.registers()));
        size = registers.stream().mapToInt(Register::size).sum();
        xml = write(features);
    }

    Architecture architecture() {
        return architecture;
    }

    /** By their numbers in the {@code p} and {@code P} packets. */
    List<Register> registers() {
        return registers;
    }

    /** Of all registers together, in bytes. */
    int size() {
        return size;
    }

    /** {@code target.xml}. */
    String xml() {
        return xml;
    }

    private Feature core() {
        List<Register> list = new ArrayList<>();
        String[] names = architecture.wide ? WIDE_NAMES : NARROW_NAMES;
        for (int n = 0; n < names.length; n++) {
            boolean pointer = names[n].endsWith("sp") || names[n].endsWith("bp");
            String type = pointer ? "data_ptr" : architecture.wide ? "int64" : "int32";
            int number = architecture.wide ? WIDE_ORDER[n] : n;
            list.add(word(names[n], type, "", RegisterPlaces.gpr(number)));
        }
        list.add(word(architecture.wide ? "rip" : "eip", "code_ptr", "", RegisterPlaces.rip()));
        list.add(new Register("eflags", 4, "i386_eflags", "", RegisterPlaces.rflags()));
        for (int n = 0; n < SEGMENT_NAMES.length; n++) {
            list.add(int32(SEGMENT_NAMES[n], "", RegisterPlaces.selector(SEGMENT_ORDER[n])));
        }
        for (int n = 0; n < 8; n++) {
            Register.Place place = new Register.Area(RegisterPlaces.ST0 + 16 * n);
            list.add(new Register("st" + n, 10, "i387_ext", "", place));
        }
        list.add(int32("fctrl", "float", RegisterPlaces.fctrl()));
        list.add(int32("fstat", "float", RegisterPlaces.fstat()));
        list.add(int32("ftag", "float", RegisterPlaces.ftag()));
        list.add(int32("fiseg", "float", RegisterPlaces.fiseg()));
        list.add(int32("fioff", "float", RegisterPlaces.fioff()));
        list.add(int32("foseg", "float", RegisterPlaces.foseg()));
        list.add(int32("fooff", "float", RegisterPlaces.fooff()));
        list.add(int32("fop", "float", RegisterPlaces.fop()));
        return new Feature("org.gnu.gdb.i386.core", EFLAGS_TYPE, list);
    }

    private Feature sse() {
        List<Register> list = new ArrayList<>();
        for (int n = 0; n < (architecture.wide ? 16 : 8); n++) {
            Register.Place place = new Register.Area(RegisterPlaces.XMM0 + 16 * n);
            list.add(new Register("xmm" + n, 16, "vec128", "vector", place));
        }
        list.add(new Register("mxcsr", 4, "i386_mxcsr", "vector", RegisterPlaces.mxcsr()));
        return new Feature("org.gnu.gdb.i386.sse", SSE_TYPES, list);
    }

    /** The upper halves of the YMM registers; gdb puts them together with the lower ones itself. */
    private Feature avx() {
        List<Register> list = new ArrayList<>();
        for (int n = 0; n < (architecture.wide ? 16 : 8); n++) {
            Register.Place place = new Register.Area(RegisterPlaces.YMM0_HIGH + 16 * n);
            list.add(new Register("ymm" + n + "h", 16, "uint128", "", place));
        }
        return new Feature("org.gnu.gdb.i386.avx", "", list);
    }

    /** Without it, gdb does not come to terms with a Linux kernel's file. */
    private Feature linux() {
        String name = architecture.wide ? "orig_rax" : "orig_eax";
        String type = architecture.wide ? "int64" : "int32";
        return new Feature(
                "org.gnu.gdb.i386.linux",
                "",
                List.of(word(name, type, "system", RegisterPlaces.originalRax())));
    }

    private Feature segments() {
        return new Feature(
                "org.gnu.gdb.i386.segments",
                "",
                architecture.wide
                        ? List.of(
                                int64("fs_base", RegisterPlaces.base(VcpuState.FS)),
                                int64("gs_base", RegisterPlaces.base(VcpuState.GS)))
                        : List.of());
    }

    private Feature system() {
        List<Register> list = new ArrayList<>();
        if (architecture.wide) {
            list.add(int64("k_gs_base", RegisterPlaces.kernelGsBase()));
        }
        list.add(new Register("cr0", 8, "x86_cr0", "system", RegisterPlaces.cr0()));
        list.add(int64("cr2", RegisterPlaces.cr2()));
        list.add(int64("cr3", RegisterPlaces.cr3()));
        list.add(new Register("cr4", 8, "x86_cr4", "system", RegisterPlaces.cr4()));
        list.add(int64("cr8", RegisterPlaces.cr8()));
        list.add(new Register("efer", 8, "x86_efer", "system", RegisterPlaces.efer()));
        return new Feature("org.javisor.x86.system", SYSTEM_TYPES, list);
    }

    private Register word(String name, String type, String group, Register.Place place) {
        return new Register(name, architecture.wide ? 8 : 4, type, group, place);
    }

    private static Register int64(String name, Register.Place place) {
        return new Register(name, 8, "int64", "system", place);
    }

    private static Register int32(String name, String group, Register.Place place) {
        return new Register(name, 4, "int32", group, place);
    }

    private String write(List<Feature> features) {
        StringBuilder text = new StringBuilder();
        text.append("<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n");
        text.append("<target version=\"1.0\">\n<architecture>");
        text.append(architecture.gdbName).append("</architecture>\n");
        int number = 0;
        for (Feature feature : features) {
            text.append("<feature name=\"").append(feature.name()).append("\">\n");
            text.append(feature.types());
            for (Register register : feature.registers()) {
                text.append(
                        "<reg name=\"%s\" bitsize=\"%d\" type=\"%s\" regnum=\"%d\""
                                .formatted(
                                        register.name(),
                                        8 * register.size(),
                                        register.type(),
                                        number++));
                if (!register.group().isEmpty()) {
                    text.append(" group=\"").append(register.group()).append('"');
                }
                text.append("/>\n");
            }
            text.append("</feature>\n");
        }
        return text.append("</target>\n").toString();
    }

    private static final String EFLAGS_TYPE =
            flags(
                    "i386_eflags",
                    4,
                    "CF 0",
                    "PF 2",
                    "AF 4",
                    "ZF 6",
                    "SF 7",
                    "TF 8",
                    "IF 9",
                    "DF 10",
                    "OF 11",
                    "NT 14",
                    "RF 16",
                    "VM 17",
                    "AC 18",
                    "VIF 19",
                    "VIP 20",
                    "ID 21");

    private static final String SSE_TYPES =
            """
            <vector id="v4f" type="ieee_single" count="4"/>
            <vector id="v2d" type="ieee_double" count="2"/>
            <vector id="v16i8" type="int8" count="16"/>
            <vector id="v8i16" type="int16" count="8"/>
            <vector id="v4i32" type="int32" count="4"/>
            <vector id="v2i64" type="int64" count="2"/>
            <union id="vec128">
            <field name="v4_float" type="v4f"/>
            <field name="v2_double" type="v2d"/>
            <field name="v16_int8" type="v16i8"/>
            <field name="v8_int16" type="v8i16"/>
            <field name="v4_int32" type="v4i32"/>
            <field name="v2_int64" type="v2i64"/>
            <field name="uint128" type="uint128"/>
            </union>
            """
                    + flags(
                            "i386_mxcsr",
                            4,
                            "IE 0",
                            "DE 1",
                            "ZE 2",
                            "OE 3",
                            "UE 4",
                            "PE 5",
                            "DAZ 6",
                            "IM 7",
                            "DM 8",
                            "ZM 9",
                            "OM 10",
                            "UM 11",
                            "PM 12",
                            "FZ 15");

    private static final String SYSTEM_TYPES =
            flags(
                            "x86_cr0", 8, "PE 0", "MP 1", "EM 2", "TS 3", "ET 4", "NE 5", "WP 16",
                            "AM 18", "NW 29", "CD 30", "PG 31")
                    + flags(
                            "x86_cr4",
                            8,
                            "VME 0",
                            "PVI 1",
                            "TSD 2",
                            "DE 3",
                            "PSE 4",
                            "PAE 5",
                            "MCE 6",
                            "PGE 7",
                            "PCE 8",
                            "OSFXSR 9",
                            "OSXMMEXCPT 10",
                            "UMIP 11",
                            "FSGSBASE 16",
                            "PCIDE 17",
                            "OSXSAVE 18",
                            "SMEP 20",
                            "SMAP 21")
                    + flags("x86_efer", 8, "SCE 0", "LME 8", "LMA 10", "NXE 11");

    /** A type whose bits have names; {@code fields} are names and bit numbers. */
    private static String flags(String id, int size, String... fields) {
        StringBuilder text = new StringBuilder();
        text.append("<flags id=\"").append(id).append("\" size=\"").append(size).append("\">\n");
        for (String field : fields) {
            String[] parts = field.split(" ");
            text.append(
                    "<field name=\"%s\" start=\"%s\" end=\"%s\"/>\n"
                            .formatted(parts[0], parts[1], parts[1]));
        }
        return text.append("</flags>\n").toString();
    }
}
