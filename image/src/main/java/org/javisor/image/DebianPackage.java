package org.javisor.image;

import java.util.List;

/**
 * A package of an archive with what it asks of others.
 *
 * @param record where it is and what it must be
 * @param priority such as {@code required}
 * @param essential whether every system must have it
 * @param depends the clauses of Pre-Depends and Depends, each a list of alternatives
 * @param provides the virtual packages it stands for; with an equals sign where versioned
 * @param conflicts what it cannot be installed beside: Conflicts and Breaks
 */
record DebianPackage(
        PackageRecord record,
        String priority,
        boolean essential,
        List<List<Relation>> depends,
        List<Relation> provides,
        List<Relation> conflicts) {

    String name() {
        return record.name();
    }

    String version() {
        return record.version();
    }

    /** Whether it is or provides what the relation names. */
    boolean satisfies(Relation relation) {
        if (name().equals(relation.name()) && relation.admits(version())) {
            return true;
        }
        for (Relation provided : provides) {
            boolean named = provided.name().equals(relation.name());
            // Only a provision with a version can satisfy a relation with one (Policy 7.5).
            boolean versioned = provided.operator().equals("=");
            if (named
                    && (relation.operator().isEmpty()
                            || versioned && relation.admits(provided.version()))) {
                return true;
            }
        }
        return false;
    }

    /** Whether the two cannot be installed together. */
    boolean conflictsWith(DebianPackage other) {
        return refuses(other) || other.refuses(this);
    }

    private boolean refuses(DebianPackage other) {
        // A package may conflict with what it provides itself: with every other one that does.
        return !other.name().equals(name()) && conflicts.stream().anyMatch(other::satisfies);
    }
}
