package org.javisor.translator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.javisor.hypervisor.VcpuState;
import org.javisor.testkit.GuestCode;
import org.javisor.testkit.SmallGuest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Flags that checks of pages have spoilt, as the guest sees them. */
class FlagRecipeTest {
    private static final long NOWHERE = 0x123_4567_8000L;
    private static final long DATA = SmallGuest.USER_STACK - 64;
    private static final int APART = 256;

    private static final int CF_PF_ZF_SF_OF = 0x8c5;
    private static final int AF = 0x10;

    private final SmallGuest guest = new SmallGuest(TranslatorHypervisor.busy());
    private final long seed = Long.getLong("javisor.seed", 20261122);
    private final SplittableRandom random = new SplittableRandom(seed);
    private long place = SmallGuest.USER;

    @AfterEach
    void close() {
        guest.close();
    }

    /**
     * Something that makes flags.
     *
     * @param defined those that it defines
     */
    private record Maker(String bytes, int first, int second, int defined) {}

    @Test
    void flags_ofWhateverMadeThem_areItsOwnAgain() {
        List<Maker> makers = makers();
        assertThat(makers).hasSizeGreaterThan(200);
        for (Maker maker : makers) {
            long first = operand();
            long second = operand();
            long expected = flagsBehind(maker, first, second, "");
            String what = "%s with %x, %x, seed %d".formatted(maker, first, second, seed);
            // mov rbx, [r8]
            assertThat(flagsBehind(maker, first, second, "498b18"))
                    .as("looked at behind an access: " + what)
                    .isEqualTo(expected);
            assertThat(flagsBehind(maker, first, second, "498b18" + "90".repeat(48)))
                    .as("looked at by another block: " + what)
                    .isEqualTo(expected);
            assertThat(flagsAtFault(maker, first, second, 0, false))
                    .as("at a fault, looked at later: " + what)
                    .isEqualTo(expected);
            for (int changes = 0; changes < 4; changes++) {
                assertThat(flagsAtFault(maker, first, second, changes, true))
                        .as("at a fault, operands changed, %d: %s", changes, what)
                        .isEqualTo(expected);
            }
        }
    }

    private long operand() {
        long value = random.nextLong() >> random.nextInt(64);
        return random.nextInt(8) == 0 ? random.nextInt(3) - 1 : value;
    }

    private static List<Maker> makers() {
        List<Maker> makers = new ArrayList<>();
        int[][] pairs = {{0, 2}, {6, 7}, {1, 0}, {13, 0}, {2, 14}, {15, 13}, {11, 12}};
        int[] operations = {0x01, 0x09, 0x21, 0x29, 0x31, 0x39, 0x85};
        for (int size : new int[] {1, 2, 4, 8}) {
            for (int[] pair : pairs) {
                for (int code : operations) {
                    String bytes = encode(size, code, pair[1], pair[0]);
                    makers.add(new Maker(bytes, pair[0], pair[1], definedBy(code)));
                }
            }
            for (int register : new int[] {0, 6, 9, 14}) {
                for (int extension : new int[] {0, 1, 4, 5, 6, 7}) {
                    String bytes = encode(size, 0x81, extension, register) + immediate(size);
                    makers.add(new Maker(bytes, register, 2, definedBy(8 * extension + 1)));
                }
                String tested = encode(size, 0xf7, 0, register) + immediate(size);
                makers.add(new Maker(tested, register, 2, definedBy(0x85)));
                String negated = encode(size, 0xf7, 3, register);
                makers.add(new Maker(negated, register, 2, CF_PF_ZF_SF_OF | AF));
                for (int extension : new int[] {4, 5, 7}) {
                    String shifted = encode(size, 0xc1, extension, register) + "01";
                    makers.add(new Maker(shifted, register, 2, CF_PF_ZF_SF_OF));
                }
                for (int code : new int[] {0x0b, 0x23, 0x33, 0x03, 0x2b, 0x3b, 0x39, 0x85}) {
                    // Those with what R8 points at
                    String bytes = encodeAtR8(size, code, register);
                    makers.add(new Maker(bytes, register, 2, definedBy(code & ~2)));
                }
                makers.add(new Maker(encodeAtR8(size, 0x81, 7) + immediate(size), 0, 2, 0x8d5));
                makers.add(new Maker(encodeAtR8(size, 0xf7, 0) + immediate(size), 0, 2, 0x8c5));
            }
        }
        // cmp [DATA], ah; test [DATA], dh; cmp ah, [DATA]; add ah, dh; add rax, rax
        for (String code : new String[] {"382425", "843425", "3a2425"}) {
            makers.add(new Maker(code + "c0ff0300", 0, 2, code.startsWith("84") ? 0x8c5 : 0x8d5));
        }
        makers.add(new Maker("00f4", 0, 2, CF_PF_ZF_SF_OF | AF));
        makers.add(new Maker("4801c0", 0, 2, CF_PF_ZF_SF_OF | AF));
        return makers;
    }

    private static int definedBy(int code) {
        boolean logical = code == 0x09 || code == 0x21 || code == 0x31 || code == 0x85;
        return logical ? CF_PF_ZF_SF_OF : CF_PF_ZF_SF_OF | AF;
    }

    private static String encode(int size, int code, int reg, int rm) {
        int rex = 0x40 | (size == 8 ? 8 : 0) | reg >> 3 << 2 | rm >> 3;
        int modrm = 0xc0 | (reg & 7) << 3 | rm & 7;
        String prefix = size == 2 ? "66" : "";
        return prefix + "%02x%02x%02x".formatted(rex, size == 1 ? code - 1 : code, modrm);
    }

    private static String encodeAtR8(int size, int code, int reg) {
        int rex = 0x41 | (size == 8 ? 8 : 0) | reg >> 3 << 2;
        String prefix = size == 2 ? "66" : "";
        int modrm = (reg & 7) << 3;
        return prefix + "%02x%02x%02x".formatted(rex, size == 1 ? code - 1 : code, modrm);
    }

    private static String immediate(int size) {
        return size == 1 ? "85" : size == 2 ? "34f2" : "785634f2";
    }

    private GuestCode begin(Maker maker, long first, long second) {
        GuestCode code = GuestCode.at(place).mov(8, DATA).mov(10, NOWHERE);
        place += APART;
        if (place == SmallGuest.USER_STACK - 4096) {
            place = SmallGuest.USER;
        }
        return code.mov(maker.first, first).mov(maker.second, second).hex(maker.bytes);
    }

    private SmallGuest.Ending run(GuestCode code) {
        guest.memory().write64(DATA, 0x1234_5678_9abc_def0L);
        guest.load(code);
        VcpuState state = guest.userState(code.address());
        state.rflags |= 0x3000; // so that the end can be told
        return guest.run(state);
    }

    private long flagsBehind(Maker maker, long first, long second, String access) {
        // pushfq; pop rdi
        GuestCode code = begin(maker, first, second).hex(access).hex("9c 5f").end();
        SmallGuest.Ending ending = run(code);
        assertThat(ending.kind()).as(maker.toString()).isEqualTo(SmallGuest.Kind.END);
        return ending.state().gpr[GuestCode.RDI] & maker.defined;
    }

    /**
     * @param changes bit 0 for the first operand, bit 1 for the second
     * @param replaced whether the program replaces the flags next
     */
    private long flagsAtFault(Maker maker, long first, long second, int changes, boolean replaced) {
        GuestCode code = begin(maker, first, second);
        if ((changes & 1) != 0) {
            code.mov(maker.first, 0x55aa);
        }
        if ((changes & 2) != 0) {
            code.mov(maker.second, 0x77);
        }
        // mov rbx, [r8]; mov rbx, [r10]; xor ebx, ebx; pushfq; pop rdi
        code.hex("498b18 498b1a").hex(replaced ? "31db" : "").hex("9c 5f").end();
        SmallGuest.Ending ending = run(code);
        assertThat(ending.vector()).as(maker.toString()).isEqualTo(14);
        return ending.flags() & maker.defined;
    }
}
