package org.javisor.image;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the packages that a system needs: the ones asked for and, for each thing they depend on,
 * what is chosen already, else the first alternative that can be had, as apt does. Recommendations
 * are not followed.
 */
final class Resolution {
    private static final List<String> PRIORITIES =
            List.of("required", "important", "standard", "optional", "extra");

    private final PackageUniverse universe;
    private final Set<String> excluded;
    private final Map<String, DebianPackage> chosen = new LinkedHashMap<>();
    private final Deque<DebianPackage> open = new ArrayDeque<>();

    private Resolution(PackageUniverse universe, Set<String> excluded) {
        this.universe = universe;
        this.excluded = excluded;
    }

    /**
     * The packages, each after those it depends on, as far as dependencies do not go in circles.
     *
     * @param wanted names of packages that must be there
     * @param excluded names of packages that must not be chosen on their own
     * @throws ImageException {@code PACKAGE_MISSING} when something cannot be had
     */
    static List<DebianPackage> of(
            PackageUniverse universe, Collection<String> wanted, Set<String> excluded) {
        Resolution resolution = new Resolution(universe, excluded);
        for (String name : wanted) {
            resolution.choose(resolution.root(name));
        }
        resolution.close();
        return resolution.ordered();
    }

    private DebianPackage root(String name) {
        Relation relation = new Relation(name, "", "");
        return universe.named(name)
                .or(() -> provider(relation))
                .orElseThrow(
                        () ->
                                missing(
                                        "The suite has no package "
                                                + Text.printable(name)
                                                + "; check its name"));
    }

    private void choose(DebianPackage candidate) {
        if (chosen.containsKey(candidate.name())) {
            return;
        }
        for (DebianPackage other : chosen.values()) {
            if (candidate.conflictsWith(other)) {
                throw missing(
                        "The packages "
                                + candidate.name()
                                + " and "
                                + other.name()
                                + " cannot be installed together; leave one out");
            }
        }
        chosen.put(candidate.name(), candidate);
        open.add(candidate);
    }

    private void close() {
        while (!open.isEmpty()) {
            DebianPackage next = open.remove();
            for (List<Relation> clause : next.depends()) {
                if (satisfying(clause).isEmpty()) {
                    choose(alternative(next, clause));
                }
            }
        }
    }

    private List<DebianPackage> satisfying(List<Relation> clause) {
        List<DebianPackage> found = new ArrayList<>();
        for (Relation relation : clause) {
            DebianPackage named = chosen.get(relation.name());
            if (named != null && named.satisfies(relation)) {
                found.add(named);
            }
            for (DebianPackage provider : universe.providing(relation.name())) {
                if (chosen.containsKey(provider.name()) && provider.satisfies(relation)) {
                    found.add(provider);
                }
            }
        }
        return found;
    }

    private DebianPackage alternative(DebianPackage asking, List<Relation> clause) {
        for (Relation relation : clause) {
            Optional<DebianPackage> real =
                    universe.named(relation.name())
                            .filter(candidate -> candidate.satisfies(relation))
                            .filter(this::possible);
            Optional<DebianPackage> found = real.or(() -> provider(relation));
            if (found.isPresent()) {
                return found.get();
            }
        }
        throw missing(
                "The package "
                        + asking.name()
                        + " needs "
                        + String.join(" or ", clause.stream().map(Relation::toString).toList())
                        + ", which cannot be had");
    }

    private Optional<DebianPackage> provider(Relation relation) {
        return universe.providing(relation.name()).stream()
                .filter(candidate -> candidate.satisfies(relation))
                .filter(this::possible)
                .min(Comparator.comparing(Resolution::rank).thenComparing(DebianPackage::name));
    }

    private boolean possible(DebianPackage candidate) {
        return !excluded.contains(candidate.name())
                && chosen.values().stream().noneMatch(candidate::conflictsWith);
    }

    private static int rank(DebianPackage candidate) {
        int rank = PRIORITIES.indexOf(candidate.priority());
        return rank < 0 ? PRIORITIES.size() : rank;
    }

    private List<DebianPackage> ordered() {
        Set<DebianPackage> done = new LinkedHashSet<>();
        Set<DebianPackage> entered = new LinkedHashSet<>();
        List<DebianPackage> starts = new ArrayList<>(chosen.values());
        // Every maintainer script may count on the essential ones without saying so (Policy 3.8).
        starts.sort(Comparator.comparing(candidate -> !candidate.essential()));
        for (DebianPackage start : starts) {
            visit(start, entered, done);
        }
        return List.copyOf(done);
    }

    private void visit(DebianPackage start, Set<DebianPackage> entered, Set<DebianPackage> done) {
        Deque<DebianPackage> path = new ArrayDeque<>();
        path.push(start);
        while (!path.isEmpty()) {
            DebianPackage top = path.peek();
            if (entered.add(top)) {
                for (List<Relation> clause : top.depends()) {
                    for (DebianPackage needed : satisfying(clause)) {
                        if (!entered.contains(needed)) {
                            path.push(needed);
                        }
                    }
                }
            } else {
                done.add(path.pop());
            }
        }
    }

    private static ImageException missing(String message) {
        return new ImageException(ImageException.Code.PACKAGE_MISSING, message);
    }
}
