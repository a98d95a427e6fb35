package org.javisor.storage;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The words of {@link DiskSpec#parse}. */
final class DiskSpecParser {
    private DiskSpecParser() {}

    /** Splits at commas; two commas are one that belongs to a word. */
    static List<String> split(String text) {
        List<String> words = new ArrayList<>();
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != ',') {
                word.append(c);
            } else if (i + 1 < text.length() && text.charAt(i + 1) == ',') {
                word.append(',');
                i++;
            } else {
                words.add(word.toString());
                word.setLength(0);
            }
        }
        words.add(word.toString());
        return words;
    }

    static Path path(String text) {
        try {
            return Path.of(text);
        } catch (InvalidPathException e) {
            throw DiskSpec.wrong("'" + text + "' is not a file name");
        }
    }

    static void apply(DiskSpec.Fields fields, String word) {
        int equals = word.indexOf('=');
        String key = equals < 0 ? word : word.substring(0, equals);
        Optional<String> value =
                equals < 0 ? Optional.empty() : Optional.of(word.substring(equals + 1));
        switch (key) {
            case "format" -> fields.format(format(needed(key, value)));
            case "readonly" -> fields.readOnly(onOff(key, value));
            case "ephemeral", "snapshot" -> fields.ephemeral(onOff(key, value));
            case "at" -> fields.snapshot(needed(key, value));
            case "cache" ->
                    fields.cache(
                            choice(key, needed(key, value), CacheMode.values(), CacheMode::word));
            case "discard" -> fields.discard(onOff(key, value));
            case "enospc" ->
                    fields.fullDisk(
                            choice(
                                    key,
                                    needed(key, value),
                                    FullDiskPolicy.values(),
                                    FullDiskPolicy::word));
            case "locking" -> fields.locking(onOff(key, value));
            case "serial" -> fields.serial(needed(key, value));
            case "bps" -> fields.bytesPerSecond(ByteSize.parse(needed(key, value)));
            case "iops" -> fields.operationsPerSecond(count(key, needed(key, value)));
            case "queues" -> fields.queues(count(key, needed(key, value)));
            default ->
                    throw DiskSpec.wrong(
                            "'"
                                    + word
                                    + "' is not an option of a disk: format, readonly, ephemeral,"
                                    + " at, cache, discard, enospc, locking, serial, bps, iops,"
                                    + " queues");
        }
    }

    private static String needed(String key, Optional<String> value) {
        return value.filter(v -> !v.isEmpty())
                .orElseThrow(() -> DiskSpec.wrong("The disk's option '" + key + "' needs a value"));
    }

    private static Optional<DiskFormat> format(String value) {
        if (value.equals("auto")) {
            return Optional.empty();
        }
        return Optional.of(choice("format", value, DiskFormat.values(), DiskFormat::word));
    }

    private static boolean onOff(String key, Optional<String> value) {
        return switch (value.orElse("on")) {
            case "on", "unmap", "true" -> true;
            case "off", "ignore", "false" -> false;
            default ->
                    throw DiskSpec.wrong(
                            "The disk's option '%s' is on or off, not '%s'"
                                    .formatted(key, value.get()));
        };
    }

    private static <E> E choice(String key, String value, E[] all, Function<E, String> word) {
        return Arrays.stream(all)
                .filter(candidate -> word.apply(candidate).equals(value))
                .findFirst()
                .orElseThrow(
                        () ->
                                DiskSpec.wrong(
                                        "The disk's option '%s' is %s, not '%s'"
                                                .formatted(
                                                        key,
                                                        Arrays.stream(all)
                                                                .map(word)
                                                                .collect(Collectors.joining(", ")),
                                                        value)));
    }

    private static long count(String key, String value) {
        if (!value.matches("[0-9]{1,18}")) {
            throw DiskSpec.wrong(
                    "The disk's option '%s' is a number, not '%s'".formatted(key, value));
        }
        return Long.parseLong(value);
    }
}
