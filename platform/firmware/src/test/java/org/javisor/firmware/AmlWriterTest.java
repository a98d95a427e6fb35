package org.javisor.firmware;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AmlWriterTest {
    @ParameterizedTest
    @CsvSource({
        "0, 00",
        "1, 01",
        "2, 0a02",
        "255, 0aff",
        "256, 0b0001",
        "65536, 0c00000100",
        "4294967295, 0cffffffff",
        "4294967296, 0e0000000001000000",
        "-1, 0effffffffffffffff"
    })
    void integer_isInItsShortestForm_whenWritten(long value, String expected) {
        assertThat(hex(new AmlWriter().integer(value))).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource({
        "\\_SB, 5c5f53425f",
        "_CRS, 5f435253",
        "\\_SB.COM1, 5c2e5f53425f434f4d31",
        "\\_SB.PCI0.LPC.RTC, 5c2f045f53425f504349304c50435f5254435f",
        "^^RTC, 5e5e5254435f"
    })
    void path_isEncodedBySegments_whenWritten(String path, String expected) {
        assertThat(hex(new AmlWriter().path(path))).isEqualTo(expected);
    }

    @Test
    void path_isRefused_whenNotAName() {
        assertThatThrownBy(() -> new AmlWriter().path("TOOLONG"))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new AmlWriter().path("1ABC"))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource({
        // body size, length field: 6 bits, then 4 bits and 1 to 3 further bytes
        "58, 3f",
        "59, 4104",
        "4089, 4fff",
        "4090, 810001",
        "1048568, 8fffff",
        "1048569, c1000001"
    })
    void lengthField_growsWithTheBody_whenABlockIsWritten(int size, String expected) {
        // The scope's name takes four bytes of the body.
        byte[] aml = new AmlWriter().scope("ABCD", body -> body.raw(new byte[size])).bytes();

        assertThat(HexFormat.of().formatHex(aml, 1, 1 + expected.length() / 2)).isEqualTo(expected);
        assertThat(aml).hasSize(1 + expected.length() / 2 + 4 + size);
    }

    @Test
    void eisaId_isCompressedAndSwapped_whenWritten() {
        assertThat(hex(new AmlWriter().nameEisaId("_HID", "PNP0501")))
                .isEqualTo("085f4849440c41d00501");
    }

    @Test
    void method_carriesItsArguments_whenWritten() {
        String aml = hex(new AmlWriter().method("_STA", 2, body -> body.returnInteger(15)));

        assertThat(aml).isEqualTo("14095f53544102a40a0f");
    }

    @Test
    void resources_endWithATag_whenFinished() {
        byte[] resources =
                new ResourceTemplate()
                        .io(0x3f8, 8)
                        .irq(4)
                        .memory32(0xfec00000L, 0x1000)
                        .interrupt(20, false, true)
                        .finish();

        assertThat(HexFormat.of().formatHex(resources))
                .isEqualTo(
                        "4701f803f8030108"
                                + "221000"
                                + "860900010000c0fe00100000"
                                + "890600050114000000"
                                + "7900");
    }

    private static String hex(AmlWriter writer) {
        return HexFormat.of().formatHex(writer.bytes());
    }
}
