package org.javisor.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MachineCommandTest {
    @TempDir Path directory;

    private CliFixture fixture;

    private int run(String... arguments) {
        fixture = new CliFixture(directory);
        return fixture.run(arguments);
    }

    @Test
    void saysThatThereIsNone_whenAnUnknownMachineIsRemoved() {
        assertThat(run("machine", "rm", "surely-not-there")).isEqualTo(ExitCode.FAILURE);
        assertThat(fixture.err.toString())
                .isEqualTo("javisor: No machine is called 'surely-not-there'\n");
    }

    /** A line of words, and the start of the one line that answers it. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "run tiny --user ann | --ephemeral",
                "run --kernel k --wait boot | '--wait boot' needs an image",
                "run tiny --wait port:0 | Invalid value for option '--wait'",
                "image build nope | An image 'nope' is not known",
                "image build debian --size 100M | A disk of 100 MiB is too small",
                "image build own --packages a;b | 'a;b' is no package's name",
                "image build debian --suite No! | 'No!' is no Debian suite",
                "image build debian --packages a;b | 'a;b' is no package's name",
                "machine | Say what to do"
            })
    void refusesInOneLine_whenAskedForNonsense(String words, String answer) {
        assertThat(run(words.split(" "))).isEqualTo(ExitCode.USAGE);
        assertThat(fixture.err.toString()).startsWith("javisor: " + answer).hasLineCount(1);
    }
}
