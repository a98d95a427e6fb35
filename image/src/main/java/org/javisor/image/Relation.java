package org.javisor.image;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One package that a relation field names (Debian Policy 7.1), such as {@code libc6 (>= 2.38)}.
 *
 * @param name the package's, or a virtual one's
 * @param operator one of {@code << <= = >= >>}, or empty for any version
 * @param version empty when there is no operator
 */
record Relation(String name, String operator, String version) {

    private static final Pattern SYNTAX =
            Pattern.compile(
                    "([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9-]+)?\\s*"
                            + "(?:\\(\\s*(<<|<=|=|>=|>>|<|>)\\s*([^)\\s]+)\\s*\\))?.*");

    /** The alternatives of each clause: {@code a, b | c} gives [a] and [b, c]. */
    static List<List<Relation>> clauses(String field) {
        List<List<Relation>> clauses = new ArrayList<>();
        for (String clause : field.split(",")) {
            List<Relation> alternatives = new ArrayList<>();
            for (String alternative : clause.split("\\|")) {
                Matcher matcher = SYNTAX.matcher(alternative.strip());
                if (matcher.matches()) {
                    alternatives.add(of(matcher));
                }
            }
            if (!alternatives.isEmpty()) {
                clauses.add(List.copyOf(alternatives));
            }
        }
        return List.copyOf(clauses);
    }

    private static Relation of(Matcher matcher) {
        if (matcher.group(2) == null) {
            return new Relation(matcher.group(1), "", "");
        }
        // A single sign is an obsolete spelling of "or equal".
        String operator =
                switch (matcher.group(2)) {
                    case "<" -> "<=";
                    case ">" -> ">=";
                    default -> matcher.group(2);
                };
        return new Relation(matcher.group(1), operator, matcher.group(3));
    }

    /** Whether a package of that version is meant. */
    boolean admits(String candidate) {
        if (operator.isEmpty()) {
            return true;
        }
        int order = DebianVersion.ORDER.compare(candidate, version);
        return switch (operator) {
            case "<<" -> order < 0;
            case "<=" -> order <= 0;
            case "=" -> order == 0;
            case ">=" -> order >= 0;
            default -> order > 0;
        };
    }

    @Override
    public String toString() {
        return operator.isEmpty() ? name : name + " (" + operator + " " + version + ")";
    }
}
