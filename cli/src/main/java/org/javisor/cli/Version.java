package org.javisor.cli;

import picocli.CommandLine.IVersionProvider;

/** What {@code javisor version} prints. */
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        return new String[] {
            "javisor %s (Java %s, %s %s)"
                    .formatted(
                            number(),
                            Runtime.version(),
                            System.getProperty("os.name"),
                            System.getProperty("os.arch"))
        };
    }

    private static String number() {
        Module module = Version.class.getModule();
        return module.isNamed()
                ? module.getDescriptor().rawVersion().orElse("(unpackaged)")
                : "(unpackaged)";
    }
}
