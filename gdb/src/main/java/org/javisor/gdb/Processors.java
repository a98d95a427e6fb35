package org.javisor.gdb;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuState;

/** A machine's processors while they stand still: their registers, kept until they go on. */
final class Processors {
    private static final long CR0_PE = 1;
    private static final long EFER_LMA = 1 << 10;
    private static final int CODE_LONG = 1 << 13;

    private final List<? extends Vcpu> vcpus;
    private final VcpuState[] states;

    Processors(List<? extends Vcpu> vcpus) {
        this.vcpus = List.copyOf(vcpus);
        this.states = new VcpuState[vcpus.size()];
    }

    int count() {
        return states.length;
    }

    Vcpu vcpu(int index) {
        return vcpus.get(index);
    }

    /** The state as last read or written. */
    VcpuState state(int index) {
        if (states[index] == null) {
            states[index] = vcpus.get(index).state();
        }
        return states[index];
    }

    /** To be called when the processors go on, or something else than the debugger changes them. */
    void forget() {
        java.util.Arrays.fill(states, null);
    }

    byte[] registers(int index, TargetDescription description) {
        ByteBuffer all = ByteBuffer.allocate(description.size()).order(ByteOrder.LITTLE_ENDIAN);
        description.registers().forEach(register -> register.read(state(index), all));
        return all.array();
    }

    /**
     * Sets all registers.
     *
     * @return false, with nothing changed, if the size is wrong or one does not take its value
     */
    boolean setRegisters(int index, TargetDescription description, byte[] values) {
        if (values.length != description.size()) {
            return false;
        }
        ByteBuffer source = ByteBuffer.wrap(values).order(ByteOrder.LITTLE_ENDIAN);
        boolean taken = true;
        for (Register register : description.registers()) {
            taken &= register.write(state(index), source);
        }
        return store(index, taken);
    }

    boolean setRegister(int index, Register register, byte[] value) {
        return value.length == register.size()
                && store(index, register.write(state(index), ByteBuffer.wrap(value)));
    }

    private boolean store(int index, boolean taken) {
        if (taken) {
            try {
                vcpus.get(index).setState(state(index));
                return true;
            } catch (IllegalArgumentException e) {
                // The engine cannot hold it; what it holds is what it held before.
            }
        }
        states[index] = null;
        return false;
    }

    /** The linear address of the next instruction. */
    long instruction(int index) {
        VcpuState state = state(index);
        return isLong(state)
                ? state.rip
                : state.rip + state.segments[VcpuState.CS].base() & 0xffffffffL;
    }

    /**
     * Whether gdb, which knows no segments, finds the next instruction where the program counter
     * points.
     */
    boolean flat(int index) {
        return instruction(index) == state(index).rip;
    }

    private static boolean isLong(VcpuState state) {
        return (state.efer & EFER_LMA) != 0
                && (state.segments[VcpuState.CS].attributes() & CODE_LONG) != 0;
    }

    /** For people: the mode and what the processor does. */
    String describe(int index) {
        VcpuState state = state(index);
        int attributes = state.segments[VcpuState.CS].attributes();
        String mode =
                isLong(state)
                        ? "64-bit"
                        : (state.cr0 & CR0_PE) == 0
                                ? "real mode"
                                : (attributes & 1 << 14) != 0 ? "32-bit" : "16-bit";
        String activity =
                switch (state.activity) {
                    case RUNNING -> "running";
                    case HALTED -> "halted";
                    case WAITING_FOR_STARTUP -> "waiting for start-up";
                    case SHUTDOWN -> "shut down";
                };
        int level =
                (state.cr0 & CR0_PE) == 0 ? 0 : state.segments[VcpuState.SS].attributes() >> 5 & 3;
        return "vCPU %d, %s, CPL %d, %s".formatted(index, mode, level, activity);
    }
}
