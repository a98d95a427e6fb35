package org.javisor.machine;

import org.javisor.hypervisor.VcpuState;
import org.javisor.hypervisor.VcpuState.Segment;

/** A processor's registers as text, for those who look for an engine's failure. */
final class RegisterDump {
    private static final String[] GENERAL = {
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
        "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
    };
    private static final String[] SEGMENTS = {"es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"};

    private RegisterDump() {}

    static String of(VcpuState s) {
        StringBuilder text = new StringBuilder("Processor %s".formatted(s.activity));
        text.append("\n  rip %016x rflags %x".formatted(s.rip, s.rflags));
        for (int n = 0; n < GENERAL.length; n++) {
            text.append(n % 4 == 0 ? "\n " : "");
            text.append(" %-3s %016x".formatted(GENERAL[n], s.gpr[n]));
        }
        for (int n = 0; n < SEGMENTS.length; n++) {
            Segment segment = s.segments[n];
            text.append(
                    "\n  %-4s %04x base %x limit %x attributes %x"
                            .formatted(
                                    SEGMENTS[n],
                                    segment.selector(),
                                    segment.base(),
                                    segment.limit(),
                                    segment.attributes()));
        }
        text.append("\n  gdtr %x/%x".formatted(s.gdtr.base(), s.gdtr.limit()));
        text.append(" idtr %x/%x".formatted(s.idtr.base(), s.idtr.limit()));
        text.append("\n  cr0 %x cr2 %x cr3 %x cr4 %x".formatted(s.cr0, s.cr2, s.cr3, s.cr4));
        return text.append(" cr8 %x efer %x".formatted(s.cr8, s.efer)).toString();
    }
}
