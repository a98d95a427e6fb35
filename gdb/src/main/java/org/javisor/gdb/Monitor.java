package org.javisor.gdb;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.javisor.gdb.TargetDescription.Architecture;
import org.javisor.hypervisor.VcpuState;
import org.javisor.machine.Machine;
import org.javisor.machine.MachineStatistics;

/** The commands behind gdb's {@code monitor}. */
final class Monitor {
    private static final int LONGEST_DUMP = 4096;

    private static final String HELP =
            """
            help                      this list
            info registers [-a]       registers of the selected (-a: every) processor
            info cpus                 what each processor does
            info statistics           figures of the machine
            translate ADDRESS         linear to guest-physical, by the selected processor
            xp ADDRESS [LENGTH]       dump guest-physical memory (numbers as in C)
            physical on|off           take gdb's addresses as guest-physical
            arch x86-64|i386|i8086    how gdb sees the guest from its next connection on
            reset                     press the reset button
            power                     press the power button
            quit                      end the machine
            """;

    private static final String[] NAMES = {
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
        "r13", "r14", "r15"
    };
    private static final String[] SEGMENTS = {"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"};

    private final Machine machine;
    private final Processors processors;
    private final MemoryView memory;
    private Optional<Architecture> nextArchitecture = Optional.empty();

    Monitor(Machine machine, Processors processors, MemoryView memory) {
        this.machine = machine;
        this.processors = processors;
        this.memory = memory;
    }

    /** What {@code arch} has asked for. */
    Optional<Architecture> nextArchitecture() {
        return nextArchitecture;
    }

    /**
     * Carries out a command.
     *
     * @param vcpu the selected processor
     * @return what to show, lines ended by line feeds
     */
    String execute(String command, int vcpu) {
        List<String> words = new ArrayList<>(Arrays.asList(command.strip().split("\\s+")));
        String verb = words.removeFirst();
        if (verb.equals("info") && !words.isEmpty()) {
            verb += " " + words.removeFirst();
        }
        try {
            return execute(verb, words, vcpu);
        } catch (NumberFormatException e) {
            return "A number was expected, like 4096 or 0x1000\n";
        }
    }

    private String execute(String verb, List<String> words, int vcpu) {
        return switch (verb) {
            case "", "help" -> HELP;
            case "info registers" -> registers(words, vcpu);
            case "info cpus" -> cpus(vcpu);
            case "info statistics" -> statistics();
            case "translate" -> translate(words, vcpu);
            case "xp" -> dump(words);
            case "physical" -> physical(words);
            case "arch" -> architecture(words);
            case "reset", "system_reset" -> {
                machine.reset();
                // Waits until it has happened: the debugger looks at the registers next.
                machine.pause();
                processors.forget();
                yield "The machine has been reset; 'maintenance flush register-cache' shows it\n";
            }
            case "power", "system_powerdown" -> {
                machine.pressPowerButton();
                yield "";
            }
            case "quit" -> {
                machine.stop();
                yield "";
            }
            default -> "Unknown command; 'monitor help' lists them\n";
        };
    }

    private String registers(List<String> words, int vcpu) {
        if (!words.contains("-a")) {
            return registers(vcpu);
        }
        StringBuilder text = new StringBuilder();
        for (int n = 0; n < processors.count(); n++) {
            text.append(processors.describe(n)).append('\n').append(registers(n));
        }
        return text.toString();
    }

    private String registers(int vcpu) {
        VcpuState s = processors.state(vcpu);
        StringBuilder text = new StringBuilder();
        for (int n = 0; n < 16; n++) {
            text.append("%-3s %016x%s".formatted(NAMES[n], s.gpr[n], n % 4 == 3 ? "\n" : "  "));
        }
        text.append("rip %016x  rflags %08x%n".formatted(s.rip, s.rflags));
        for (int n = 0; n < SEGMENTS.length; n++) {
            VcpuState.Segment g = s.segments[n];
            text.append(
                    "%-4s %04x base %016x limit %08x attributes %04x%n"
                            .formatted(
                                    SEGMENTS[n],
                                    g.selector(),
                                    g.base(),
                                    g.limit(),
                                    g.attributes()));
        }
        text.append("gdt  base %016x limit %04x%n".formatted(s.gdtr.base(), s.gdtr.limit()));
        text.append("idt  base %016x limit %04x%n".formatted(s.idtr.base(), s.idtr.limit()));
        text.append(
                "cr0 %08x  cr2 %016x  cr3 %016x  cr4 %08x  cr8 %x  efer %x%n"
                        .formatted(s.cr0, s.cr2, s.cr3, s.cr4, s.cr8, s.efer));
        text.append(
                "dr0 %016x  dr1 %016x  dr2 %016x  dr3 %016x%ndr6 %016x  dr7 %016x%n"
                        .formatted(s.dr[0], s.dr[1], s.dr[2], s.dr[3], s.dr[6], s.dr[7]));
        return text.toString().replace(System.lineSeparator(), "\n");
    }

    private String cpus(int selected) {
        StringBuilder text = new StringBuilder();
        for (int n = 0; n < processors.count(); n++) {
            text.append(n == selected ? "* " : "  ").append(processors.describe(n));
            text.append(", at %x\n".formatted(processors.instruction(n)));
        }
        return text.toString();
    }

    private String statistics() {
        MachineStatistics figures = machine.statistics();
        return "engine %s, machine time %d ms, %d instructions, %d resets\n"
                .formatted(
                        figures.engineName(),
                        figures.machineTime().toMillis(),
                        figures.engine().instructions(),
                        figures.resets());
    }

    private String translate(List<String> words, int vcpu) {
        if (words.size() != 1) {
            return "translate ADDRESS\n";
        }
        long gpa = processors.vcpu(vcpu).translate(number(words.getFirst()));
        return gpa == -1 ? "not mapped\n" : "0x%x\n".formatted(gpa);
    }

    private String dump(List<String> words) {
        if (words.isEmpty() || words.size() > 2) {
            return "xp ADDRESS [LENGTH]\n";
        }
        long address = number(words.getFirst());
        long wanted = words.size() == 2 ? number(words.get(1)) : 64;
        if (wanted < 1 || wanted > LONGEST_DUMP) {
            return "A length is 1 to %d bytes\n".formatted(LONGEST_DUMP);
        }
        StringBuilder text = new StringBuilder();
        for (int n = 0; n < wanted; n++) {
            long at = address + n;
            if (n % 16 == 0) {
                text.append(n == 0 ? "" : "\n").append("%012x:".formatted(at));
            }
            boolean ram = machine.memory().isRam(at, 1);
            text.append(ram ? " %02x".formatted(machine.memory().read8(at)) : " --");
        }
        return text.append('\n').toString();
    }

    private String physical(List<String> words) {
        String word = words.size() == 1 ? words.getFirst() : "";
        if (!word.equals("on") && !word.equals("off")) {
            return "physical on|off (now %s)\n".formatted(memory.physical() ? "on" : "off");
        }
        memory.setPhysical(word.equals("on"));
        return "Addresses are %s now\n".formatted(memory.physical() ? "guest-physical" : "linear");
    }

    private String architecture(List<String> words) {
        String label = words.size() == 1 ? words.getFirst().toLowerCase(Locale.ROOT) : "";
        Optional<Architecture> found =
                Arrays.stream(Architecture.values())
                        .filter(architecture -> architecture.label().equals(label))
                        .findFirst();
        if (found.isEmpty()) {
            return "arch x86-64|i386|i8086\n";
        }
        nextArchitecture = found;
        return "Now 'disconnect' and 'target remote' again; the guest stays where it is\n";
    }

    /** As in C: hexadecimal with 0x, else decimal. */
    private static long number(String word) {
        return word.startsWith("0x") || word.startsWith("0X")
                ? Long.parseUnsignedLong(word.substring(2), 16)
                : Long.parseUnsignedLong(word);
    }
}
