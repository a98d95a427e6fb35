package org.javisor.x86;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What needs no processor to compare with; the interpreter's oracle test covers the rest. */
class X87UnitTest {
    private static final long SEED = Long.getLong("javisor.seed", 20260101L);

    private final FpuState state = new FpuState();
    private final X87Unit unit = new X87Unit(state);

    @BeforeEach
    void initialise() {
        unit.initialise();
    }

    private double result() {
        unit.prepareFloat64();
        unit.finishStore(true);
        return Double.longBitsToDouble(unit.stored);
    }

    @Test
    void arithmeticInDoublePrecision_agreesWithJava_forNormalNumbers() {
        unit.setControlWord(0x27f);
        SplittableRandom random = new SplittableRandom(SEED);
        for (int n = 0; n < 20_000; n++) {
            double a = random.nextDouble(-1, 1) * Math.scalb(1, random.nextInt(-100, 100));
            double b = random.nextDouble(-1, 1) * Math.scalb(1, random.nextInt(-100, 100));
            double[] expected = {a + b, a * b, a - b, b - a, a / b, b / a};
            int[] operations = {
                X87Arithmetic.ADD,
                X87Arithmetic.MULTIPLY,
                X87Arithmetic.SUBTRACT,
                X87Arithmetic.SUBTRACT_REVERSED,
                X87Arithmetic.DIVIDE,
                X87Arithmetic.DIVIDE_REVERSED
            };
            for (int i = 0; i < operations.length; i++) {
                unit.loadFloat64(Double.doubleToRawLongBits(a));
                unit.arithmetic.withFloat64(operations[i], Double.doubleToRawLongBits(b));
                assertThat(result())
                        .as("operation %d of %s and %s", i, a, b)
                        .isEqualTo(expected[i]);
            }
            unit.loadFloat64(Double.doubleToRawLongBits(Math.abs(a)));
            unit.arithmetic.squareRoot();
            assertThat(result()).isEqualTo(Math.sqrt(Math.abs(a)));
        }
    }

    @Test
    void transcendentalFunctions_agreeWithJava_toItsPrecision() {
        SplittableRandom random = new SplittableRandom(SEED);
        for (int n = 0; n < 2000; n++) {
            double x = random.nextDouble(-1, 1) * Math.scalb(1, random.nextInt(-20, 1));
            double y = random.nextDouble(-1, 1) * Math.scalb(1, random.nextInt(-20, 20));
            load(x);
            unit.functions.exponential();
            assertClose(result(), Math.expm1(x * Math.log(2)));
            load(y);
            load(Math.abs(x));
            unit.functions.logarithm();
            assertClose(result(), y * (Math.log(Math.abs(x)) / Math.log(2)));
            load(y);
            load(x);
            unit.functions.arctangent();
            assertClose(result(), Math.atan2(y, x));
            load(x);
            unit.functions.sineAndCosine();
            assertClose(result(), Math.cos(x));
            assertClose(result(), Math.sin(x));
            load(x);
            unit.functions.tangent();
            assertThat(result()).isEqualTo(1);
            assertClose(result(), Math.tan(x));
        }
    }

    private void load(double value) {
        unit.loadFloat64(Double.doubleToRawLongBits(value));
    }

    private static void assertClose(double actual, double expected) {
        assertThat(Math.abs(actual - expected)).isLessThanOrEqualTo(4 * Math.ulp(expected));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 4000, c90fdaa22168c235",
        "400, 4000, c90fdaa22168c234",
        "800, 4000, c90fdaa22168c235"
    })
    void pi_isRoundedAsTheControlWordSays(String rounding, String exponent, String significand) {
        unit.setControlWord(0x37f | Integer.parseInt(rounding, 16));
        unit.loadConstant(X87Unit.PI);
        unit.prepareExtended();
        assertThat(unit.storedHigh).isEqualTo(Integer.parseInt(exponent, 16));
        assertThat(unit.stored).isEqualTo(Long.parseUnsignedLong(significand, 16));
    }

    @Test
    void sine_leavesAnOperandOutOfRange_andSaysSo() {
        unit.loadExtended(0x403e, Long.MIN_VALUE);
        unit.functions.sine(false);
        assertThat(unit.statusWord() & 0x400).isNotZero();
        assertThat(state.signExponent[state.top]).isEqualTo(0x403e);
    }

    @Test
    void ninthLoad_overflowsTheStack() {
        for (int n = 0; n < 9; n++) {
            unit.loadConstant(X87Unit.ONE);
        }
        assertThat(unit.statusWord() & 0x241).isEqualTo(0x241);
        assertThat(state.signExponent[state.top]).isEqualTo(0xffff);
    }

    @Test
    void image_restoresWhatWasSaved_inEveryFormat() {
        SplittableRandom random = new SplittableRandom(SEED);
        // The precision exception is unmasked and pending, so the pointers count.
        state.control = 0x125f;
        state.status = 0xc3a1;
        state.top = 5;
        state.valid = 0xe7;
        state.mxcsr = 0x7fc0;
        state.lastInstruction = 0x1234_5678_9abcL;
        state.lastData = 0x7fff_0000_1111L;
        state.lastOpcode = 0x5d9;
        for (int i = 0; i < 8; i++) {
            state.significand[i] = random.nextLong();
            state.signExponent[i] = random.nextInt(0x10000);
        }
        for (int i = 0; i < 32; i++) {
            state.xmm[i] = random.nextLong();
        }
        FpuState copy = new FpuState();
        XsaveImage.fromXsave(copy, XsaveImage.toXsave(state));
        assertThat(copy).usingRecursiveComparison().isEqualTo(state);

        byte[] environment = new byte[108];
        X87Environment.write(state, environment, 4, false);
        X87Environment.writeRegisters(state, environment, 28);
        FpuState restored = new FpuState();
        X87Environment.read(restored, environment, 4, false);
        X87Environment.readRegisters(restored, environment, 28);
        assertThat(restored.significand).isEqualTo(state.significand);
        assertThat(restored.signExponent).isEqualTo(state.signExponent);
        assertThat(restored.valid).isEqualTo(state.valid);
        assertThat(restored.top).isEqualTo(state.top);
        assertThat(restored.lastOpcode).isEqualTo(state.lastOpcode);
        assertThat(restored.lastInstruction).isEqualTo(state.lastInstruction & 0xffffffffL);
    }

    @Test
    void image_hasNoPointers_whileNoExceptionIsPending() {
        state.lastInstruction = 0x1234_5678_9abcL;
        state.lastData = 0x7fff_0000_1111L;
        state.lastOpcode = 0x5d9;
        FpuState copy = new FpuState();
        XsaveImage.fromXsave(copy, XsaveImage.toXsave(state));
        assertThat(copy.lastInstruction).isZero();
        assertThat(copy.lastData).isZero();
        assertThat(copy.lastOpcode).isZero();
    }

    @Test
    void realModeEnvironment_keepsLinearPointersAndTheOpcode() {
        state.lastInstruction = 0xabcde;
        state.lastData = 0x12345;
        state.lastOpcode = 0x5d9;
        for (int operandSize = 2; operandSize <= 4; operandSize += 2) {
            byte[] area = new byte[28];
            X87Environment.write(state, area, operandSize, true);
            FpuState restored = new FpuState();
            X87Environment.read(restored, area, operandSize, true);
            assertThat(restored.lastInstruction).isEqualTo(0xabcde);
            assertThat(restored.lastData).isEqualTo(0x12345);
            assertThat(restored.lastOpcode).isEqualTo(0x5d9);
        }
    }

    @Test
    void snapshotWithoutComponents_restoresTheInitialConfiguration() {
        state.control = 0;
        state.xmm[3] = 4;
        XsaveImage.fromXsave(state, new byte[XsaveImage.SIZE]);
        assertThat(state.control).isEqualTo(0x37f);
        assertThat(state.xmm[3]).isZero();
    }
}
