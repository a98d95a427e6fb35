package org.javisor.interpreter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.Random;
import org.javisor.x86.CodeSize;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class StringHandlersTest {
    private static final int REP = 0xf3, REPNE = 0xf2;
    private static final int MOVSB = 0xa4,
            CMPSB = 0xa6,
            STOSB = 0xaa,
            SCASB = 0xae,
            INSB = 0x6c,
            OUTSB = 0x6e;

    private final BareProcessor p = new BareProcessor();
    private final Cpu cpu = p.cpu;

    @AfterEach
    void close() {
        p.close();
    }

    private void set(long source, long target, long count) {
        cpu.gpr[Cpu.RSI] = source;
        cpu.gpr[Cpu.RDI] = target;
        cpu.gpr[Cpu.RCX] = count;
    }

    private void fill(long from, int length) {
        Random random = new Random(from);
        for (int n = 0; n < length; n++) {
            p.memory.write8(from + n, random.nextInt(256));
        }
    }

    private byte[] bytes(long from, int length) {
        byte[] result = new byte[length];
        p.memory.read(from, result, 0, length);
        return result;
    }

    @Test
    void movs_stopsAtTheFaultingPage_withEverythingBeforeItDone() {
        p.enablePaging();
        fill(0x40000, 0x2000);
        p.revoke(0x61000, 2);
        set(0x40010, 0x60f00, 0x400);
        GuestFault fault = catchThrowableOfType(GuestFault.class, () -> p.run(REP, MOVSB));
        assertThat(fault.vector).isEqualTo(GuestFault.PF);
        assertThat(fault.errorCode).isEqualTo(3);
        assertThat(cpu.control.cr2).isEqualTo(0x61000);
        assertThat(cpu.rip).isEqualTo(0x1000);
        assertThat(cpu.gpr[Cpu.RCX]).isEqualTo(0x300);
        assertThat(cpu.gpr[Cpu.RSI]).isEqualTo(0x40110);
        assertThat(cpu.gpr[Cpu.RDI]).isEqualTo(0x61000);
        assertThat(bytes(0x60f00, 0x100)).isEqualTo(bytes(0x40010, 0x100));
    }

    @Test
    void movs_resumes_whenTheFaultIsGone() {
        p.enablePaging();
        fill(0x40000, 0x2000);
        p.revoke(0x61000, 1);
        set(0x40010, 0x60ffd, 0x200);
        catchThrowableOfType(GuestFault.class, () -> p.run(REP, 0x48, 0xa5));
        assertThat(cpu.gpr[Cpu.RCX]).isEqualTo(0x200);
        p.memory.write64(0x13000 + 0x61 * 8, 0x61007);
        p.run(REP, 0x48, 0xa5);
        assertThat(cpu.gpr[Cpu.RCX]).isZero();
        assertThat(bytes(0x60ffd, 0x1000)).isEqualTo(bytes(0x40010, 0x1000));
    }

    @Test
    void ins_doesNotReadThePort_whenMemoryIsNotWritable() {
        p.enablePaging();
        p.revoke(0x50000, 2);
        set(0, 0x50000, 4);
        cpu.gpr[Cpu.RDX] = 0x1f0;
        GuestFault fault = catchThrowableOfType(GuestFault.class, () -> p.run(REP, INSB));
        assertThat(fault.vector).isEqualTo(GuestFault.PF);
        assertThat(p.portReads).isZero();
    }

    @Test
    void outs_writesEveryByte_inOrder() {
        p.memory.write32(0x5000, 0x44332211);
        set(0x5000, 0, 3);
        cpu.gpr[Cpu.RDX] = 0xe9;
        p.run(REP, OUTSB);
        assertThat(p.portWrites)
                .containsExactly(
                        java.util.List.of(0xe9, 1, 0x11),
                        java.util.List.of(0xe9, 1, 0x22),
                        java.util.List.of(0xe9, 1, 0x33));
    }

    @Test
    void longRepetition_letsInterruptsIn_andGoesOn() {
        set(0, 0x20000, 0x50000);
        cpu.gpr[Cpu.RAX] = 0x5a;
        int executions = p.runCounting(REP, STOSB);
        assertThat(executions).isBetween(3, 200);
        assertThat(cpu.gpr[Cpu.RCX]).isZero();
        assertThat(cpu.gpr[Cpu.RDI]).isEqualTo(0x70000);
        assertThat(bytes(0x20000, 0x50000)).containsOnly(0x5a);
        assertThat(p.memory.read8(0x70000)).isZero();
    }

    @Test
    void singleStepping_seesEveryRepetition() {
        set(0, 0x20000, 5);
        cpu.flags.system |= Flags.TF;
        assertThat(p.runCounting(REP, STOSB)).isEqualTo(5);
    }

    @Test
    void overlappingMovs_repeatsWhatItHasJustWritten() {
        for (int size = 1; size <= 8; size *= 2) {
            for (int distance = 1; distance <= 40; distance++) {
                fill(0x30000, 0x400);
                byte[] model = bytes(0x30000, 0x400);
                int count = 0x180 / size;
                for (int n = 0; n < count; n++) {
                    System.arraycopy(model, n * size, model, n * size + distance, size);
                }
                set(0x30000, 0x30000 + distance, count);
                switch (size) {
                    case 1 -> p.run(REP, MOVSB);
                    case 2 -> p.run(0x66, REP, 0xa5);
                    case 4 -> p.run(REP, 0xa5);
                    default -> p.run(REP, 0x48, 0xa5);
                }
                assertThat(bytes(0x30000, 0x400))
                        .as("size %d distance %d", size, distance)
                        .isEqualTo(model);
            }
        }
    }

    @Test
    void downwardMovs_copiesAcrossPages() {
        fill(0x30000, 0x3000);
        byte[] source = bytes(0x30000, 0x1800);
        set(0x317ff, 0x31fff, 0x1800);
        cpu.flags.system |= Flags.DF;
        p.run(REP, MOVSB);
        assertThat(bytes(0x30800, 0x1800)).isEqualTo(source);
    }

    @Test
    void scas_findsTheByte_atAnyDistance() {
        for (int distance = 0; distance < 40; distance++) {
            for (int n = 0; n < 64; n++) {
                p.memory.write8(0x30ff0 + n, 1 + n);
            }
            p.memory.write8(0x30ff0 + distance, 0);
            set(0, 0x30ff0, -1);
            cpu.gpr[Cpu.RAX] = 0;
            p.run(REPNE, SCASB);
            assertThat(cpu.gpr[Cpu.RDI]).isEqualTo(0x30ff1 + distance);
            assertThat(cpu.gpr[Cpu.RCX]).isEqualTo(-2 - distance);
            assertThat(cpu.flags.zf()).isTrue();
        }
    }

    @Test
    void cmps_stopsAfterTheFirstDifference() {
        fill(0x30000, 0x2000);
        p.memory.write(0x40123, bytes(0x30000, 0x2000), 0, 0x2000);
        p.memory.write8(0x40123 + 0x1765, p.memory.read8(0x31765) ^ 0x80);
        set(0x30000, 0x40123, 0x2000);
        p.run(REP, CMPSB);
        assertThat(cpu.gpr[Cpu.RSI]).isEqualTo(0x31766);
        assertThat(cpu.gpr[Cpu.RCX]).isEqualTo(0x2000 - 0x1766);
        assertThat(cpu.flags.zf()).isFalse();
    }

    @Test
    void stos_wrapsAtTheEndOfA16BitSegment() {
        p.enter(CodeSize.BITS16);
        set(0, 0xfffe, 4);
        cpu.gpr[Cpu.RAX] = 0x77;
        p.run(REP, STOSB);
        assertThat(cpu.gpr[Cpu.RDI]).isEqualTo(2);
        assertThat(bytes(0xfffe, 2)).containsOnly(0x77);
        assertThat(bytes(0, 2)).containsOnly(0x77);
        assertThat(p.memory.read8(0x10000)).isZero();
    }

    @Test
    void stos_faultsAtTheSegmentsLimit_withEverythingBeforeItDone() {
        p.enter(CodeSize.BITS32);
        cpu.segments.set(Cpu.ES, 8, 0x20000, 0x10f, 0x93);
        set(0, 0x100, 0x20);
        cpu.gpr[Cpu.RAX] = 0x77;
        GuestFault fault = catchThrowableOfType(GuestFault.class, () -> p.run(REP, STOSB));
        assertThat(fault.vector).isEqualTo(GuestFault.GP);
        assertThat(cpu.gpr[Cpu.RCX]).isEqualTo(0x10);
        assertThat(bytes(0x20100, 0x10)).containsOnly(0x77);
        assertThat(p.memory.read8(0x20110)).isZero();
    }

    @Test
    void stos_toCode_isSeen() {
        p.memory.trackCode(0x30000);
        set(0, 0x2ff00, 0x200);
        p.run(REP, STOSB);
        assertThat(p.memory.isTracked(0x30000)).isFalse();
        assertThat(cpu.gpr[Cpu.RCX]).isZero();
    }
}
