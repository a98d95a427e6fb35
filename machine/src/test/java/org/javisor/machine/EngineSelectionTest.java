package org.javisor.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import org.javisor.interpreter.InterpreterHypervisor;
import org.javisor.kvm.KernelSpeed;
import org.javisor.machine.EngineSelection.Candidate;
import org.junit.jupiter.api.Test;

class EngineSelectionTest {
    @Test
    void takesTheFirstThatWorksAndSaysWhy_whenLeftToChoose() {
        EngineSelection selection = EngineSelection.select(EngineChoice.AUTO);
        assertThat(selection.reason()).startsWith(selection.hypervisor().name()).hasLineCount(1);
    }

    @Test
    void takesTheOneAskedFor() {
        EngineSelection selection = EngineSelection.select(EngineChoice.INTERPRETER);
        assertThat(selection.hypervisor().name()).isEqualTo("interpreter");
        assertThat(selection.reason()).isEqualTo("interpreter (as asked for)");
    }

    private static Candidate candidate(
            EngineChoice choice, Optional<String> obstacle, Optional<String> reservation) {
        return new Candidate(
                choice, () -> obstacle, () -> reservation, options -> new InterpreterHypervisor());
    }

    @Test
    void saysSo_whenTheOneAskedForDoesNotWork() {
        List<Candidate> known =
                List.of(candidate(EngineChoice.KVM, Optional.of("broken"), Optional.empty()));
        assertThatThrownBy(
                        () ->
                                EngineSelection.select(
                                        EngineChoice.KVM, EngineOptions.DEFAULT, known))
                .isInstanceOfSatisfying(
                        MachineException.class,
                        e -> assertThat(e.code()).isEqualTo(MachineException.Code.HOST_CANNOT))
                .hasMessageContaining("kvm is broken");
    }

    @Test
    void passesOver_whatWorksButBadly_unlessAskedFor() {
        List<Candidate> known =
                List.of(
                        candidate(EngineChoice.KVM, Optional.empty(), Optional.of("slow here")),
                        candidate(EngineChoice.INTERPRETER, Optional.empty(), Optional.empty()));
        EngineSelection chosen =
                EngineSelection.select(EngineChoice.AUTO, EngineOptions.DEFAULT, known);
        assertThat(chosen.reason()).startsWith("interpreter (kvm is slow here");
        EngineSelection asked =
                EngineSelection.select(EngineChoice.KVM, EngineOptions.DEFAULT, known);
        assertThat(asked.reason()).isEqualTo("kvm (as asked for)");
    }

    @Test
    void emulatedKvm_isPassedOver() {
        assertThat(HostKvm.reservation(new KernelSpeed(0.53)))
                .contains(
                        "emulated on this host, at 0.5 million instructions a second in the kernel");
        assertThat(HostKvm.reservation(new KernelSpeed(3000))).isEmpty();
    }
}
