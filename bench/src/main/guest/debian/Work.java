import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Ordinary Java for a few seconds: collections, strings, streams, threads, garbage. */
public class Work {
    sealed interface Shape permits Circle, Square {}

    record Circle(double radius) implements Shape {}

    record Square(double side) implements Shape {}

    static double area(Shape shape) {
        return switch (shape) {
            case Circle c -> Math.PI * c.radius() * c.radius();
            case Square s -> s.side() * s.side();
        };
    }

    static long collections(int n) {
        Random random = new Random(42);
        Map<String, Integer> counts = new HashMap<>();
        List<Long> numbers = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            counts.merge("key" + random.nextInt(5000), 1, Integer::sum);
            numbers.add(random.nextLong());
        }
        Collections.sort(numbers);
        long hash = new TreeMap<>(counts).hashCode();
        for (long number : numbers) {
            hash = hash * 31 + number;
        }
        return hash;
    }

    static int text(int n) {
        StringBuilder builder = new StringBuilder();
        for (int i = 0; i < n; i++) {
            builder.append("line ").append(i).append(": value=").append(i * 37 % 1001).append('\n');
        }
        Matcher matcher = Pattern.compile("value=(\\d+)").matcher(builder);
        int sum = 0;
        while (matcher.find()) {
            sum += Integer.parseInt(matcher.group(1));
        }
        return sum;
    }

    static String streams(int n) {
        return IntStream.range(0, n)
                .mapToObj(i -> i % 3 == 0 ? new Circle(i) : new Square(i))
                .collect(Collectors.groupingBy(s -> s.getClass().getSimpleName(), TreeMap::new,
                        Collectors.summingDouble(Work::area)))
                .toString();
    }

    static double matrix(int n) {
        double[][] a = new double[n][n];
        double[][] b = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                a[i][j] = (i * j) % 10;
                b[i][j] = (i + j) % 10;
            }
        }
        double trace = 0;
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int k = 0; k < n; k++) {
                    sum += a[i][k] * b[k][j];
                }
                trace += i == j ? sum : 0;
            }
        }
        return trace;
    }

    static int caught(int n) {
        int count = 0;
        for (int i = 0; i < n; i++) {
            try {
                Object[] array = new Integer[1];
                array[i % 2] = i % 3 == 0 ? "wrong" : (Object) i;
                count += 100 / (i % 5);
            } catch (ArithmeticException | ArrayStoreException | IndexOutOfBoundsException e) {
                count += e.getClass().getSimpleName().length();
            }
        }
        return count;
    }

    public static void main(String[] arguments) throws Exception {
        int scale = Integer.parseInt(arguments[0]);
        String last = "";
        try (ExecutorService executor = Executors.newFixedThreadPool(2)) {
            for (int i = 0; i < scale; i++) {
                List<Callable<Object>> parts =
                        List.of(
                                () -> collections(40_000),
                                () -> text(20_000),
                                () -> streams(50_000),
                                () -> matrix(160),
                                () -> caught(20_000),
                                () -> BigInteger.TWO.pow(9941).subtract(BigInteger.ONE)
                                        .mod(BigInteger.valueOf(1_000_000_007)));
                StringBuilder line = new StringBuilder();
                for (Future<Object> part : executor.invokeAll(parts)) {
                    line.append(part.get()).append(' ');
                }
                if (i > 0 && !last.contentEquals(line)) {
                    throw new IllegalStateException(last + "became " + line);
                }
                last = line.toString();
            }
        }
        System.out.println(last.strip());
    }
}
