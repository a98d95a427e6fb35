package org.javisor.share;

import java.util.ArrayList;
import java.util.List;

/** Where a file is in the folder: the names on the way from its root. Empty for the root itself. */
record FilePath(List<String> names) {
    static final FilePath ROOT = new FilePath(List.of());

    /** As many characters as Linux has for a path. */
    private static final int LONGEST = 4095;

    FilePath {
        names = List.copyOf(names);
    }

    boolean root() {
        return names.isEmpty();
    }

    /** The root's parent is the root. */
    FilePath parent() {
        return root() ? this : new FilePath(names.subList(0, names.size() - 1));
    }

    /** The root has none. */
    String name() {
        return names.getLast();
    }

    FilePath child(String name) throws FileError {
        if (length() + name.length() + 1 > LONGEST) {
            throw new FileError(Errno.ENAMETOOLONG);
        }
        List<String> all = new ArrayList<>(names);
        all.add(name);
        return new FilePath(all);
    }

    int length() {
        int length = 0;
        for (String name : names) {
            length += name.length() + 1;
        }
        return length;
    }

    boolean within(FilePath other) {
        int size = other.names.size();
        return names.size() >= size && names.subList(0, size).equals(other.names);
    }

    /** Where this is after what it is within has been moved. */
    FilePath moved(FilePath from, FilePath to) {
        List<String> all = new ArrayList<>(to.names);
        all.addAll(names.subList(from.names.size(), names.size()));
        return new FilePath(all);
    }
}
