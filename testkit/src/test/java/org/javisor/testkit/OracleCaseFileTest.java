package org.javisor.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.javisor.testkit.OracleCase.Kind;
import org.javisor.testkit.OracleCase.Start;
import org.junit.jupiter.api.Test;

class OracleCaseFileTest {
    private static OracleCase example() {
        UserState registers = new UserState();
        registers.gpr[4] = 0x110123;
        registers.gpr[15] = -1;
        registers.flags = 0x8d7;
        registers.gsBase = -0x3000;
        registers.fpu[24] = (byte) 0x80;
        byte[] data = Oracle.pristine();
        data[0x1fff] ^= 1;
        data[0x2000] ^= 0x55;
        Start one = new Start(registers, data, -1);
        Start other = new Start(new UserState(), Oracle.pristine(), 0x1fff);
        byte[] code = {0x48, 0x0f, (byte) 0xae, 3};
        return new OracleCase(
                Kind.PROGRAM, 0x100000, 0x7fe, code, List.of(one, one, one, other, one));
    }

    @Test
    void caseReadsAsItWasWritten() {
        OracleCase original = example();
        String text = OracleCaseFile.text("two\nlines", original);
        OracleCase read = OracleCaseFile.parse(text.lines().toList());
        assertThat(read).usingRecursiveComparison().isEqualTo(original);
        assertThat(text.lines().filter(line -> line.startsWith("state")))
                .containsExactly("state 3", "state 1", "state 1");
    }

    @Test
    void unknownLine_isRefused() {
        assertThatThrownBy(() -> OracleCaseFile.parse(List.of("state 1", "rex 5")))
                .hasMessageContaining("rex");
        assertThatThrownBy(() -> OracleCaseFile.parse(List.of("rax 5")))
                .hasMessageContaining("rax 5");
    }
}
