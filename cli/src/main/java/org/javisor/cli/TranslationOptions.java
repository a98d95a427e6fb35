package org.javisor.cli;

import picocli.CommandLine.Option;

/** The options of {@code javisor run} for who looks into the translator. */
final class TranslationOptions {
    @Option(
            names = "--verify",
            description = {
                "Have the interpreter carry out what the translator does as",
                "well, and stop at the first difference; slow, one CPU only."
            })
    boolean verify;

    @Option(
            names = "--perf-map",
            description = "Tell perf where translated code lies: /tmp/perf-PID.map.")
    boolean perfMap;
}
