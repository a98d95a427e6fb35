package org.javisor.chipset;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.Stream;
import org.javisor.device.DeviceState;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random register accesses, events and time to every device; every so often the device is copied by
 * its snapshot, and the copy must then behave as the original does. Replay a failure with {@code
 * -Djavisor.fuzz.seed=N}.
 */
class RegisterFuzzTest {
    private static final int ROUNDS = 40;
    private static final int STEPS = 500;

    private record Subject(String name, Function<FakeClock, DeviceRig<?>> make) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Subject> devices() {
        return Stream.of(
                new Subject("PicPair", clock -> DeviceRig.pics()),
                new Subject("Pit8254", DeviceRig::pit),
                new Subject("SystemControlPortB", DeviceRig::portB),
                new Subject("SystemControlPortA", clock -> DeviceRig.portA()),
                new Subject("ResetControl", clock -> DeviceRig.resetControl()),
                new Subject("IoApic", clock -> DeviceRig.ioApic()),
                new Subject("LocalApic", DeviceRig::localApic),
                new Subject("Rtc146818", DeviceRig::rtc),
                new Subject("Serial16550", clock -> DeviceRig.serial()),
                new Subject("KeyboardController8042", clock -> DeviceRig.keyboardController()),
                new Subject("AcpiPm", DeviceRig::acpiPm));
    }

    private static RandomGenerator random(long seed) {
        return RandomGeneratorFactory.of("L64X128MixRandom").create(seed);
    }

    @ParameterizedTest
    @MethodSource("devices")
    @DisplayName("survives anything, and a copy made by snapshot behaves alike")
    void copyBehavesAlike_whenRestoredAfterRandomAccesses(Subject subject) {
        long seed = Long.getLong("javisor.fuzz.seed", 20260101L);
        System.out.println(subject + " fuzzed with seed " + seed);
        RandomGenerator seeds = random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            run(subject, seeds.nextLong());
        }
    }

    private static void run(Subject subject, long seed) {
        FakeClock clock = new FakeClock();
        DeviceRig<?> original = subject.make.apply(clock);
        original.device.reset();
        torment(original, clock, random(seed));
        check(subject, original, clock, seed);
        original.device.reset();
        assertThat(original.outputs()).as("lines after reset").doesNotContain(true);
    }

    private static <S extends DeviceState> void check(
            Subject subject, DeviceRig<S> original, FakeClock clock, long seed) {
        @SuppressWarnings("unchecked")
        DeviceRig<S> copy = (DeviceRig<S>) subject.make.apply(clock);
        copy.copyFrom(original);
        assertThat(copy.device.save())
                .as("seed %d", seed)
                .usingRecursiveComparison()
                .isEqualTo(original.device.save());
        assertThat(copy.device.save().version()).isPositive();
        RandomGenerator forOriginal = random(~seed);
        RandomGenerator forCopy = random(~seed);
        for (int step = 0; step < STEPS; step++) {
            long expected = original.step(forOriginal);
            assertThat(copy.step(forCopy)).as("seed %d, step %d", seed, step).isEqualTo(expected);
            List<Object> levels = original.outputs();
            assertThat(copy.outputs()).as("lines, seed %d, step %d", seed, step).isEqualTo(levels);
            if (step % 8 == 0) {
                clock.advance(interval(forOriginal));
                interval(forCopy);
            }
        }
    }

    private static void torment(DeviceRig<?> rig, FakeClock clock, RandomGenerator random) {
        for (int step = 0; step < STEPS; step++) {
            rig.step(random);
            if (step % 8 == 0) {
                clock.advance(interval(random));
            }
        }
    }

    /** From nothing to a second, short ones as likely as long ones. */
    private static long interval(RandomGenerator random) {
        return random.nextLong(1L << random.nextInt(1, 31));
    }
}
