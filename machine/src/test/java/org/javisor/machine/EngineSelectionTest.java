package org.javisor.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

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

    @Test
    void saysSo_whenTheOneAskedForDoesNotWork() {
        assertThatThrownBy(() -> EngineSelection.select(EngineChoice.KVM))
                .isInstanceOfSatisfying(
                        MachineException.class,
                        e -> assertThat(e.code()).isEqualTo(MachineException.Code.HOST_CANNOT))
                .hasMessageContaining("kvm is ");
    }
}
