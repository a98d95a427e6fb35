package org.javisor.pci;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class MessagesTest {
    private static final PciIdentity IDENTITY = PciIdentity.of(0x1234, 0x5678, 0);
    private static final long BAR = 0xc000_0000L;

    private final TestBoard board = new TestBoard();

    private PciFunction msix(int vectors) {
        PciFunction function =
                PciFunction.builder("x", IDENTITY).msix(2, vectors).interruptPin(1).build();
        board.bus.plug(new PciAddress(1, 0), function);
        board.write(1, 0x18, 4, (int) BAR);
        board.write(1, 4, 2, 6);
        return function;
    }

    private PciFunction msi(int vectors) {
        PciFunction function =
                PciFunction.builder("m", IDENTITY).msi(vectors).interruptPin(1).build();
        board.bus.plug(new PciAddress(1, 0), function);
        board.write(1, 4, 2, 4);
        return function;
    }

    private void entry(int vector, long address, int data, int control) {
        board.memory.write(BAR + 16L * vector, 8, address);
        board.memory.write(BAR + 16L * vector + 8, 4, data);
        board.memory.write(BAR + 16L * vector + 12, 4, control);
    }

    private void control(int value) {
        board.write(1, board.capability(1, PciCapability.MSI_X) + 2, 2, value);
    }

    @Test
    void tellsWhereTheTableIs_whenTheCapabilityIsRead() {
        msix(300);
        int at = board.capability(1, PciCapability.MSI_X);
        assertThat(board.read(1, at + 2, 2)).isEqualTo(299);
        assertThat(board.read(1, at + 4, 4)).isEqualTo(2);
        assertThat(board.read(1, at + 8, 4)).isEqualTo(0x2002);
        board.write(1, 0x18, 4, -1);
        assertThat(board.read(1, 0x18, 4)).isEqualTo(0xffff_c000);
    }

    @Test
    void sendsTheVectorsMessage_whenNothingMasksIt() {
        PciFunction function = msix(4);
        entry(1, 0xfee0_1000L, 0x31, 0);
        function.msix().signal(1);
        assertThat(board.messages).isEmpty();
        control(0x8000);
        assertThat(function.msix().enabled()).isTrue();
        assertThat(board.messages).isEmpty();
        function.msix().signal(1);
        function.msix().signal(4);
        function.msix().signal(-1);
        assertThat(board.messages).containsExactly("fee01000=31");
        entry(1, 0x1_fee0_2000L, 0x32, 0);
        function.msix().signal(1);
        assertThat(board.messages).containsExactly("fee01000=31", "1fee02000=32");
    }

    @Test
    void remembersAMaskedVector_untilItIsUnmasked() {
        PciFunction function = msix(70);
        control(0x8000);
        assertThat(board.memory.read(BAR + 12, 4)).isEqualTo(1);
        entry(65, 0xfee0_0000L, 0x41, 1);
        function.msix().signal(65);
        function.msix().signal(65);
        assertThat(board.messages).isEmpty();
        assertThat(board.memory.read(BAR + 0x800 + 8, 8)).isEqualTo(2);
        assertThat(board.memory.read(BAR + 0x800, 8)).isZero();
        board.memory.write(BAR + 0x800 + 8, 8, -1);
        assertThat(board.memory.read(BAR + 0x800 + 8, 4)).isEqualTo(2);
        entry(65, 0xfee0_0000L, 0x42, 0);
        assertThat(board.messages).containsExactly("fee00000=42");
        assertThat(board.memory.read(BAR + 0x800 + 8, 8)).isZero();
    }

    @Test
    void remembersAllVectors_whileTheFunctionIsMaskedOrNoBusMaster() {
        PciFunction function = msix(2);
        entry(0, 0xfee0_0000L, 0x50, 0);
        entry(1, 0xfee0_0000L, 0x51, 0);
        control(0xc000);
        function.msix().signal(0);
        function.msix().signal(1);
        assertThat(board.messages).isEmpty();
        control(0x8000);
        assertThat(board.messages).containsExactly("fee00000=50", "fee00000=51");
        board.write(1, 4, 2, 2);
        function.msix().signal(0);
        assertThat(board.messages).hasSize(2);
        board.write(1, 4, 2, 6);
        assertThat(board.messages).hasSize(3);
    }

    @Test
    void holdsTheLineLow_whileMessagesAreEnabled() {
        PciFunction function = msix(2);
        function.intx().drive(true);
        assertThat(board.lines[1]).isTrue();
        control(0x8000);
        assertThat(board.lines[1]).isFalse();
        control(0);
        assertThat(board.lines[1]).isTrue();
    }

    @Test
    void readsAndWritesTheTable_inTheUnitsOfTheSpecification() {
        msix(2);
        board.memory.write(BAR, 4, 0x1122_3344);
        board.memory.write(BAR + 1, 1, 0xff);
        board.memory.write(BAR + 2, 4, 0xffff_ffffL);
        assertThat(board.memory.read(BAR, 4)).isEqualTo(0x1122_3344);
        assertThat(board.memory.read(BAR + 1, 2)).isEqualTo(0x2233);
        assertThat(board.memory.read(BAR + 30, 8)).isZero();
        board.memory.write(BAR + 28, 4, -1);
        assertThat(board.memory.read(BAR + 28, 4)).isEqualTo(1);
    }

    @Test
    void keepsTableAndPendingBits_whenRestored() {
        PciFunction function = msix(70);
        control(0xc000);
        entry(69, 0xfee0_0000L, 0x61, 0);
        function.msix().signal(69);
        PciFunctionState state = function.save();
        function.reset();
        function.restore(state);
        assertThat(board.messages).isEmpty();
        assertThat(board.memory.read(BAR + 0x808, 4)).isEqualTo(1 << 5);
        control(0x8000);
        assertThat(board.messages).containsExactly("fee00000=61");
    }

    @Test
    void sendsMsi_whenEnabled() {
        PciFunction function = msi(4);
        int at = board.capability(1, PciCapability.MSI);
        assertThat(board.read(1, at + 2, 2)).isEqualTo(0x184);
        board.write(1, at + 4, 4, 0xfee0_3000);
        board.write(1, at + 12, 2, 0x40);
        function.msi().signal(0);
        board.write(1, at + 2, 2, 0x21);
        function.msi().signal(3);
        function.msi().signal(4);
        assertThat(board.messages).containsExactly("fee03000=43");
        // One vector enabled only: all share it.
        board.write(1, at + 2, 2, 1);
        function.msi().signal(3);
        assertThat(board.messages).containsExactly("fee03000=43", "fee03000=40");
        // More than there are: as many as there are.
        board.write(1, at + 2, 2, 0x71);
        function.msi().signal(3);
        assertThat(board.messages).hasSize(3).last().isEqualTo("fee03000=43");
    }

    @Test
    void showsMsiAsPending_whileItIsMasked() {
        PciFunction function = msi(4);
        int at = board.capability(1, PciCapability.MSI);
        board.write(1, at + 12, 2, 0x40);
        board.write(1, at + 16, 4, -1);
        assertThat(board.read(1, at + 16, 4)).isEqualTo(0xf);
        board.write(1, at + 2, 2, 0x21);
        function.msi().signal(1);
        function.msi().signal(2);
        assertThat(board.read(1, at + 20, 4)).isEqualTo(6);
        PciFunctionState state = function.save();
        function.reset();
        assertThat(board.read(1, at + 20, 4)).isZero();
        function.restore(state);
        assertThat(board.read(1, at + 20, 4)).isEqualTo(6);
        board.write(1, at + 16, 4, 4);
        assertThat(board.messages).containsExactly("0=41");
        assertThat(board.read(1, at + 20, 4)).isEqualTo(4);
    }
}
