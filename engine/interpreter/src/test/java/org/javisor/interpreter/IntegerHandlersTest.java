package org.javisor.interpreter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.math.BigInteger;
import java.util.List;
import java.util.Random;
import org.javisor.x86.CodeSize;
import org.javisor.x86.Decoder;
import org.javisor.x86.Instruction;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the comparison with the host cannot reach: faults, real mode, ports. */
class IntegerHandlersTest {
    private final BareProcessor p = new BareProcessor();
    private final Cpu cpu = p.cpu;

    @AfterEach
    void close() {
        p.close();
    }

    private GuestFault faultOf(int... code) {
        GuestFault fault = catchThrowableOfType(GuestFault.class, () -> p.run(code));
        assertThat(fault).isNotNull();
        return fault;
    }

    @Test
    void modifyingReadOnlyMemory_faultsAsAWrite_andChangesNothing() {
        p.enablePaging();
        p.revoke(0x30000, 2);
        p.memory.write64(0x30000, 5);
        int[][] modifications = {
            {0x48, 0x01, 0x03}, // add [rbx], rax
            {0x48, 0xff, 0x03}, // inc qword [rbx]
            {0xf0, 0x48, 0x0f, 0xb1, 0x0b}, // lock cmpxchg [rbx], rcx
            {0x48, 0x0f, 0xc1, 0x03}, // xadd [rbx], rax
            {0x48, 0x87, 0x03}, // xchg [rbx], rax
            {0x48, 0xc1, 0x23, 0x04}, // shl qword [rbx], 4
            {0x48, 0x0f, 0xba, 0x2b, 0x03}, // bts qword [rbx], 3
            {0x48, 0x0f, 0xc7, 0x0b}, // cmpxchg16b [rbx]
            {0x48, 0xf7, 0x1b}, // neg qword [rbx]
            {0x48, 0x0f, 0xa4, 0x03, 0x05}, // shld [rbx], rax, 5
        };
        for (int[] code : modifications) {
            cpu.gpr[Cpu.RAX] = 7;
            cpu.gpr[Cpu.RBX] = 0x30000;
            cpu.flags.setValue(0x2 | Flags.CF | Flags.SF);
            GuestFault fault = faultOf(code);
            assertThat(fault.vector).isEqualTo(GuestFault.PF);
            assertThat(fault.errorCode).isEqualTo(3);
            assertThat(p.memory.read64(0x30000)).isEqualTo(5);
            assertThat(cpu.gpr[Cpu.RAX]).isEqualTo(7);
            assertThat(cpu.flags()).isEqualTo(0x2 | Flags.CF | Flags.SF);
        }
    }

    @Test
    void cmpAndTest_onlyRead() {
        p.enablePaging();
        p.revoke(0x30000, 2);
        cpu.gpr[Cpu.RBX] = 0x30000;
        p.run(0x48, 0x39, 0x03, 0x48, 0x85, 0x03, 0x80, 0x3b, 0x00, 0x0f, 0xa3, 0x03);
        assertThat(cpu.flags.zf()).isTrue();
    }

    @Test
    void modification_acrossPages_isDoneInFullOrNotAtAll() {
        p.enablePaging();
        p.memory.write64(0x30ffc, 0xffffffffL);
        cpu.gpr[Cpu.RBX] = 0x30ffc;
        p.run(0x48, 0xff, 0x03);
        assertThat(p.memory.read64(0x30ffc)).isEqualTo(0x100000000L);
        p.revoke(0x31000, 2);
        assertThat(faultOf(0x48, 0xff, 0x03).errorCode).isEqualTo(3);
        assertThat(cpu.control.cr2).isEqualTo(0x31000);
        assertThat(p.memory.read64(0x30ffc)).isEqualTo(0x100000000L);
    }

    @Test
    void push_leavesTheStackPointer_whenItFaults() {
        p.enablePaging();
        p.revoke(0x2f000, 1);
        int[][] pushes = {
            {0x50}, {0x6a, 1}, {0xe8, 0, 0, 0, 0}, {0x9c}, {0xc8, 0, 0, 0}, {0xff, 0xd0}
        };
        for (int[] code : pushes) {
            cpu.gpr[Cpu.RSP] = 0x30000;
            assertThat(faultOf(code).vector).isEqualTo(GuestFault.PF);
            assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x30000);
            assertThat(cpu.rip).isEqualTo(0x1000);
        }
    }

    @Test
    void popToMemory_leavesTheStackPointer_whenItFaults() {
        p.enablePaging();
        p.revoke(0x40000, 2);
        cpu.gpr[Cpu.RSP] = 0x30000;
        cpu.gpr[Cpu.RBX] = 0x40000;
        assertThat(faultOf(0x8f, 0x03).vector).isEqualTo(GuestFault.PF);
        assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x30000);
    }

    @Test
    void popRelativeToTheStackPointer_usesItsNewValue() {
        cpu.gpr[Cpu.RSP] = 0x30000;
        p.memory.write64(0x30000, 0x1234);
        p.run(0x8f, 0x44, 0x24, 0x08); // pop qword [rsp+8]
        assertThat(p.memory.read64(0x30010)).isEqualTo(0x1234);
    }

    @Test
    void branchToANonCanonicalAddress_faultsBeforeTheStackMoves() {
        cpu.gpr[Cpu.RSP] = 0x30000;
        cpu.gpr[Cpu.RAX] = 0x8000_0000_0000L;
        p.memory.write64(0x30000, 0x8000_0000_0000L);
        int[][] branches = {{0xff, 0xd0}, {0xff, 0xe0}, {0xc3}, {0xc2, 8, 0}};
        for (int[] code : branches) {
            assertThat(faultOf(code).vector).isEqualTo(GuestFault.GP);
            assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x30000);
            assertThat(cpu.rip).isEqualTo(0x1000);
        }
    }

    @Test
    void retWithOperand_dropsArguments() {
        cpu.gpr[Cpu.RSP] = 0x30000;
        p.memory.write64(0x30000, 0x2000);
        p.run(0xc2, 0x18, 0x00);
        assertThat(cpu.rip).isEqualTo(0x2000);
        assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x30020);
    }

    @Test
    void cmpxchg16b_needsAnAlignedOperand() {
        cpu.gpr[Cpu.RBX] = 0x30008;
        assertThat(faultOf(0x48, 0x0f, 0xc7, 0x0b).vector).isEqualTo(GuestFault.GP);
    }

    @Test
    void bound_faultsOutsideItsBounds() {
        p.enter(CodeSize.BITS32);
        p.memory.write32(0x5000, -3);
        p.memory.write32(0x5004, 9);
        cpu.gpr[Cpu.RBX] = 0x5000;
        for (int inside : new int[] {-3, 0, 9}) {
            cpu.gpr[Cpu.RAX] = inside & 0xffffffffL;
            p.run(0x62, 0x03);
        }
        for (int outside : new int[] {-4, 10}) {
            cpu.gpr[Cpu.RAX] = outside & 0xffffffffL;
            assertThat(faultOf(0x62, 0x03).vector).isEqualTo(GuestFault.BR);
        }
    }

    @Test
    void aamByZero_isADivideError() {
        p.enter(CodeSize.BITS32);
        assertThat(faultOf(0xd4, 0).vector).isEqualTo(GuestFault.DE);
    }

    @Test
    void rdrand_succeedsWithFreshNumbers_clearingTheOtherFlags() {
        cpu.flags.setArithmetic(Flags.ARITHMETIC);
        p.run(0x48, 0x0f, 0xc7, 0xf0); // rdrand rax
        p.run(0x48, 0x0f, 0xc7, 0xf9); // rdseed rcx
        assertThat(cpu.flags.arithmetic()).isEqualTo(Flags.CF);
        assertThat(cpu.gpr[Cpu.RAX]).isNotEqualTo(cpu.gpr[Cpu.RCX]);
        cpu.gpr[Cpu.RAX] = -1;
        p.run(0x0f, 0xc7, 0xf0); // rdrand eax
        assertThat(cpu.gpr[Cpu.RAX] >>> 32).isZero();
    }

    @Test
    void instructionsThatAreNotAdvertised_areUndefined() {
        assertThat(faultOf(0x0f, 0x0b).vector).isEqualTo(GuestFault.UD);
    }

    @Test
    void tzcntAndLzcnt_countZeros() {
        cpu.gpr[Cpu.RAX] = 0x10;
        p.run(0xf3, 0x48, 0x0f, 0xbd, 0xc8); // lzcnt rcx, rax
        assertThat(cpu.gpr[Cpu.RCX]).isEqualTo(59);
        cpu.gpr[Cpu.RAX] = 0;
        p.run(0xf3, 0x48, 0x0f, 0xbc, 0xc8); // tzcnt rcx, rax
        assertThat(cpu.gpr[Cpu.RCX]).isEqualTo(64);
        assertThat(cpu.flags.zf()).isFalse();
    }

    @Test
    void tzcntAndLzcnt_areBsfAndBsr_whereTheProcessorLacksThem() {
        cpu.gpr[Cpu.RAX] = 0x10;
        cpu.gpr[Cpu.RCX] = 0x77;
        runWithoutCounts(0xf3, 0x48, 0x0f, 0xbd, 0xc8); // lzcnt rcx, rax
        assertThat(cpu.gpr[Cpu.RCX]).isEqualTo(4);
        cpu.gpr[Cpu.RAX] = 0;
        runWithoutCounts(0xf3, 0x48, 0x0f, 0xbc, 0xc8); // tzcnt rcx, rax
        assertThat(cpu.gpr[Cpu.RCX]).isEqualTo(4);
        assertThat(cpu.flags.zf()).isTrue();
    }

    private void runWithoutCounts(int... bytes) {
        byte[] code = new byte[Decoder.MAX_LENGTH];
        for (int n = 0; n < bytes.length; n++) {
            code[n] = (byte) bytes[n];
        }
        Instruction i = new Decoder().decode(code, 0, code.length, CodeSize.BITS64);
        BitHandlers.selectWithoutCounts(i).execute(cpu, i);
    }

    @Test
    void ports_areReadAndWritten_inEachSize() {
        p.run(0xe6, 0x80, 0x66, 0xe7, 0x81, 0xe7, 0x82); // out 80h, al; out 81h, ax; out 82h, eax
        assertThat(p.portWrites)
                .containsExactly(List.of(0x80, 1, 0), List.of(0x81, 2, 0), List.of(0x82, 4, 0));
        cpu.gpr[Cpu.RAX] = -1;
        cpu.gpr[Cpu.RDX] = 0xffff_0001L;
        p.run(0xec); // in al, dx
        assertThat(cpu.gpr[Cpu.RAX]).isEqualTo(0xffffffffffffff11L);
        p.run(0xed); // in eax, dx
        assertThat(cpu.gpr[Cpu.RAX]).isEqualTo(0x11111111L);
    }

    @Test
    void ports_areRefused_toAnUnprivilegedTaskWithoutABitmap() {
        p.enter(CodeSize.BITS32);
        cpu.cpl = 3;
        cpu.segments.set(Cpu.TR, 8, 0x6000, 0x67, 0x8b);
        p.memory.write16(0x6066, 0x68); // the bitmap begins beyond the limit
        assertThat(faultOf(0xec).vector).isEqualTo(GuestFault.GP);
        assertThat(faultOf(0x6e).vector).isEqualTo(GuestFault.GP);
    }

    @Test
    void addressesOf16Bits_wrap() {
        p.enter(CodeSize.BITS16);
        cpu.gpr[Cpu.RBX] = 0xfff0;
        cpu.gpr[Cpu.RSI] = 0x0020;
        p.memory.write16(0x0015, 0xbeef);
        p.run(0x8b, 0x40, 0x05); // mov ax, [bx+si+5]
        assertThat(cpu.gpr[Cpu.RAX]).isEqualTo(0xbeef);
    }

    @Test
    void stackOf16Bits_wraps_andKeepsTheUpperHalf() {
        p.enter(CodeSize.BITS16);
        cpu.gpr[Cpu.RSP] = 0x12340000L;
        cpu.gpr[Cpu.RAX] = 0xabcd;
        p.run(0x50); // push ax
        assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x1234fffeL);
        assertThat(p.memory.read16(0xfffe)).isEqualTo(0xabcd);
        p.run(0x5b); // pop bx
        assertThat(cpu.gpr[Cpu.RBX]).isEqualTo(0xabcd);
        assertThat(cpu.gpr[Cpu.RSP]).isEqualTo(0x12340000L);
    }

    @Test
    void pushf_isRefused_inVirtual8086ModeWithoutIopl() {
        p.enter(CodeSize.BITS32);
        cpu.flags.system |= Flags.VM;
        cpu.gpr[Cpu.RSP] = 0x8000;
        assertThat(faultOf(0x9c).vector).isEqualTo(GuestFault.GP);
        cpu.flags.system |= Flags.IOPL;
        p.run(0x9c);
        assertThat(p.memory.read32(0x7ffc) & Flags.VM).isZero();
    }

    @Test
    void division_of128Bits_agreesWithArbitraryPrecision() {
        long seed = 7;
        Random random = new Random(seed);
        BigInteger two64 = BigInteger.ONE.shiftLeft(64);
        for (int n = 0; n < 20_000; n++) {
            long divisor = random.nextLong() >>> random.nextInt(64);
            long high =
                    Long.remainderUnsigned(
                            random.nextLong() >>> random.nextInt(64), divisor == 0 ? 1 : divisor);
            long low = random.nextInt(4) == 0 ? -1 : random.nextLong();
            if (divisor == 0) {
                continue;
            }
            BigInteger dividend = unsigned(high).multiply(two64).add(unsigned(low));
            assertThat(MultiplyHandlers.divide128(high, low, divisor))
                    .as("seed %d: %x:%x / %x", seed, high, low, divisor)
                    .isEqualTo(dividend.divide(unsigned(divisor)).longValue());
        }
    }

    private static BigInteger unsigned(long value) {
        return new BigInteger(Long.toUnsignedString(value));
    }
}
