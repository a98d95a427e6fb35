package org.javisor.storage;

import java.util.Optional;

/** The options of a new qcow2 image as the user writes them, with QEMU's names. */
final class QcowOptionWords {
    private QcowOptionWords() {}

    static QcowOptions apply(QcowOptions options, String words) {
        for (String word : DiskSpecParser.split(words)) {
            int equals = word.indexOf('=');
            if (equals <= 0 || equals == word.length() - 1) {
                throw DiskSpec.wrong("'" + word + "' is not an option such as cluster_size=64k");
            }
            options = apply(options, word.substring(0, equals), word.substring(equals + 1));
        }
        return options;
    }

    private static QcowOptions apply(QcowOptions o, String key, String value) {
        int version = o.version();
        int clusterSize = o.clusterSize();
        int refcountBits = o.refcountBits();
        boolean zstd = o.zstd();
        boolean extended = o.extendedL2();
        boolean lazy = o.lazyRefcounts();
        Optional<QcowOptions.Backing> backing = o.backing();
        switch (key) {
            case "cluster_size" -> clusterSize = (int) Math.min(1 << 30, ByteSize.parse(value));
            case "refcount_bits" -> refcountBits = (int) Math.min(128, ByteSize.parse(value));
            case "compat" ->
                    version =
                            switch (value) {
                                case "0.10", "v2" -> 2;
                                case "1.1", "v3" -> 3;
                                default -> throw DiskSpec.wrong("'compat' is 0.10 or 1.1");
                            };
            case "compression_type" ->
                    zstd =
                            switch (value) {
                                case "zlib" -> false;
                                case "zstd" -> true;
                                default ->
                                        throw DiskSpec.wrong("'compression_type' is zlib or zstd");
                            };
            case "extended_l2" -> extended = onOff(key, value);
            case "lazy_refcounts" -> lazy = onOff(key, value);
            case "backing_file" -> {
                DiskFormat format =
                        backing.map(QcowOptions.Backing::format).orElse(DiskFormat.QCOW2);
                backing = Optional.of(new QcowOptions.Backing(value, format));
            }
            case "backing_fmt" -> {
                String name = backing.map(QcowOptions.Backing::name).orElse("");
                backing = Optional.of(new QcowOptions.Backing(name, format(value)));
            }
            default ->
                    throw DiskSpec.wrong(
                            "'"
                                    + key
                                    + "' is not an option of qcow2 images: cluster_size,"
                                    + " compression_type, extended_l2, lazy_refcounts,"
                                    + " refcount_bits, compat, backing_file, backing_fmt");
        }
        return new QcowOptions(
                o.size(), version, clusterSize, refcountBits, zstd, extended, lazy, backing);
    }

    private static DiskFormat format(String word) {
        return DiskFormat.named(word)
                .orElseThrow(() -> DiskSpec.wrong("The format '" + word + "' is not raw or qcow2"));
    }

    private static boolean onOff(String key, String value) {
        return switch (value) {
            case "on" -> true;
            case "off" -> false;
            default -> throw DiskSpec.wrong("'" + key + "' is on or off, not '" + value + "'");
        };
    }
}
