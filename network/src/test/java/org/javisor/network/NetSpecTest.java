package org.javisor.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NetSpecTest {
    @Test
    void everyOptionIsUnderstood() {
        NetSpec spec =
                NetSpec.parse(
                        "user,restrict,forward=2222:22,forward=*:0:53/udp,mac=52:54:00:aa:bb:cc,"
                                + "mtu=9000,queues=4,pcap=/tmp/x.pcap,rate=10M");
        assertThat(spec)
                .isEqualTo(
                        new NetSpec(
                                new NetSpec.User(
                                        true,
                                        List.of(
                                                PortForward.parse("2222:22"),
                                                PortForward.parse("*:0:53/udp"))),
                                Optional.of(new MacAddress(0x525400aabbccL)),
                                9000,
                                4,
                                Optional.of(Path.of("/tmp/x.pcap")),
                                10L << 20));
        assertThat(NetSpec.parse("tap=tap0").backend()).isEqualTo(new NetSpec.Tap("tap0"));
        assertThat(NetSpec.parse("switch=lab,isolated").backend())
                .isEqualTo(new NetSpec.Switched("lab", true));
        assertThat(NetSpec.parse("user")).isEqualTo(NetSpec.USER);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "bridge",
                "user=x",
                "user,",
                "user,forward",
                "user,forward=",
                "user,forward=1:2:3:4",
                "user,forward=99999:22",
                "user,forward=22:0",
                "user,forward=example.org:22:22",
                "user,restrict=yes",
                "user,isolated",
                "user,mac=1:2:3",
                "user,mac=01:00:00:00:00:00",
                "user,mtu=12",
                "user,mtu=abc",
                "user,queues=0",
                "user,queues=99",
                "user,rate=1",
                "user,rate=fast",
                "tap",
                "tap=",
                "tap=../../etc",
                "tap=averyveryverylongname",
                "switch=",
                "switch=a/b",
                "switch=x,restrict",
                "none,mac=52:54:00:aa:bb:cc",
                "user,\u001b[2J"
            })
    void oneLineSaysWhatIsWrong_whenItMakesNoSense(String text) {
        assertThatThrownBy(() -> NetSpec.parse(text))
                .isInstanceOf(NetworkException.class)
                .extracting(Throwable::getMessage)
                .asString()
                .doesNotContain("\n")
                .doesNotContain("\u001b")
                .hasSizeLessThan(200);
    }

    @Test
    void forwardIsForLoopback_unlessToldOtherwise() {
        assertThat(PortForward.parse("2222:22").toString()).isEqualTo("127.0.0.1:2222:22/tcp");
        assertThat(PortForward.parse("0.0.0.0:2222:22").bind().isAnyLocalAddress()).isTrue();
        assertThat(PortForward.parse(":2222:22").bind().isAnyLocalAddress()).isTrue();
        assertThat(PortForward.parse("[::1]:2222:22/udp").toString())
                .isEqualTo("[0:0:0:0:0:0:0:1]:2222:22/udp");
    }

    @Test
    void portsAreForUserModeNetworksOnly() {
        assertThatThrownBy(
                        () ->
                                NetSpec.parse("tap=tap0")
                                        .withForwards(List.of(PortForward.parse("1:1"))))
                .isInstanceOf(NetworkException.class);
    }
}
