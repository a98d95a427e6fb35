package org.javisor.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DiskSpecTest {

    @Test
    void everyOptionIsRead_whenAllAreGiven() {
        DiskSpec spec =
                DiskSpec.parse(
                        "a,,b.img,format=qcow2,readonly,at=before,cache=none,discard=off,"
                                + "enospc=report,locking=off,serial=S1,bps=10M,iops=500,queues=4");

        assertThat(spec.file()).isEqualTo(Path.of("a,b.img"));
        assertThat(spec.format()).contains(DiskFormat.QCOW2);
        assertThat(spec.readOnly()).isTrue();
        assertThat(spec.ephemeral()).isFalse();
        assertThat(spec.snapshot()).contains("before");
        assertThat(spec.cache()).isEqualTo(CacheMode.NONE);
        assertThat(spec.discard()).isFalse();
        assertThat(spec.fullDisk()).isEqualTo(FullDiskPolicy.REPORT);
        assertThat(spec.locking()).isFalse();
        assertThat(spec.serial()).contains("S1");
        assertThat(spec.bytesPerSecond()).isEqualTo(10 << 20);
        assertThat(spec.operationsPerSecond()).isEqualTo(500);
        assertThat(spec.queues()).isEqualTo(4);
    }

    @Test
    void defaultsHold_whenOnlyTheFileIsNamed() {
        assertThat(DiskSpec.parse("disk.img")).isEqualTo(DiskSpec.of(Path.of("disk.img")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ",readonly",
                "d,format=vmdk",
                "d,readonly=maybe",
                "d,cache",
                "d,cache=fast",
                "d,enospc=panic",
                "d,serial=123456789012345678901",
                "d,serial=ü",
                "d,bps=fast",
                "d,bps=99999999999E",
                "d,iops=-1",
                "d,queues=0",
                "d,queues=257",
                "d,at=x",
                "d,readonly,ephemeral",
                "d,nonsense",
                "d,",
            })
    void oneLineNamesTheMistake_whenAnOptionMakesNoSense(String text) {
        assertThatThrownBy(() -> DiskSpec.parse(text))
                .isInstanceOfSatisfying(
                        StorageException.class,
                        e -> {
                            assertThat(e.code()).isEqualTo(StorageException.Code.BAD_ARGUMENT);
                            assertThat(e.getMessage()).hasLineCount(1);
                        });
    }

    @ParameterizedTest
    @CsvSource({"512,512", "1k,1024", "10G,10737418240", "1.5M,1572864", "2TiB,2199023255552"})
    void sizesAreBytes_whenAUnitIsGiven(String text, long bytes) {
        assertThat(ByteSize.parse(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @CsvSource({"512,512 B", "65536,64 KiB", "1610612736,1.5 GiB", "9223372036854775807,8 EiB"})
    void sizesAreShownInTheLargestUnit_whenPrinted(long bytes, String text) {
        assertThat(ByteSize.show(bytes)).isEqualTo(text);
    }
}
