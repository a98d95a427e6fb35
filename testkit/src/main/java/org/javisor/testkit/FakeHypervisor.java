package org.javisor.testkit;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.javisor.device.Clock;
import org.javisor.hypervisor.CpuidTable;
import org.javisor.hypervisor.EngineStatistics;
import org.javisor.hypervisor.Hypervisor;
import org.javisor.hypervisor.Vcpu;
import org.javisor.hypervisor.VcpuIo;
import org.javisor.hypervisor.Vm;
import org.javisor.memory.GuestMemory;

/**
 * An engine whose guest is Java code, so that boards, machines and commands can be tested without a
 * guest.
 */
public final class FakeHypervisor implements Hypervisor {
    private final FakeGuest guest;

    public FakeHypervisor(FakeGuest guest) {
        this.guest = guest;
    }

    @Override
    public String name() {
        return "fake";
    }

    @Override
    public CpuidTable cpuid() {
        return new CpuidTable(
                List.of(
                        new CpuidTable.Leaf(0, -1, 0xb, 0, 0, 0),
                        new CpuidTable.Leaf(1, -1, 0, 0, 0, 0)));
    }

    @Override
    public Vm createVm(GuestMemory memory, Clock clock) {
        return new FakeVm(memory, clock);
    }

    private final class FakeVm implements Vm {
        private final GuestMemory memory;
        private final Clock clock;
        private final List<FakeVcpu> vcpus = new ArrayList<>();

        FakeVm(GuestMemory memory, Clock clock) {
            this.memory = memory;
            this.clock = clock;
        }

        @Override
        public GuestMemory memory() {
            return memory;
        }

        @Override
        public long tscFrequency() {
            return 1_000_000_000L;
        }

        @Override
        public Vcpu createVcpu(int index, CpuidTable cpuid, VcpuIo io) {
            FakeVcpu vcpu = new FakeVcpu(index, guest, io, clock);
            vcpus.add(vcpu);
            return vcpu;
        }

        @Override
        public EngineStatistics statistics() {
            long steps = vcpus.stream().mapToLong(FakeVcpu::totalSteps).sum();
            return new EngineStatistics(steps, 0, new TreeMap<>());
        }

        @Override
        public void close() {
            if (vcpus.stream().anyMatch(FakeVcpu::running)) {
                throw new IllegalStateException("A processor still runs");
            }
        }
    }
}
