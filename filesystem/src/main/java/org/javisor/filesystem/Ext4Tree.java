package org.javisor.filesystem;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** The tree of names, and how paths lead through it, symbolic links included. */
final class Ext4Tree {
    /** As many as Linux follows (path_resolution(7)). */
    private static final int MAX_LINKS_FOLLOWED = 40;

    private final Ext4Inode root;
    private final Map<Ext4Inode, String> targets = new HashMap<>();

    /**
     * A name in a directory.
     *
     * @param above the directories from the root to the one that the name is in
     * @param name empty for the root itself
     */
    record Place(List<Ext4Inode> above, String name) {
        Ext4Inode directory() {
            return above.getLast();
        }

        Optional<Ext4Inode> child() {
            return Optional.ofNullable(directory().children.get(name));
        }
    }

    Ext4Tree(Ext4Inode root) {
        this.root = root;
    }

    Ext4Inode root() {
        return root;
    }

    void rememberTarget(Ext4Inode link, String target) {
        targets.put(link, target);
    }

    /**
     * The place of a path; links before its last name are followed.
     *
     * @param missing makes the directories on the way that are not there
     * @throws FileSystemException {@code PATH}
     */
    Place place(String path, Supplier<Ext4Inode> missing) {
        List<String> names = names(path);
        if (names.isEmpty()) {
            return new Place(List.of(root), "");
        }
        List<String> before = names.subList(0, names.size() - 1);
        List<Ext4Inode> above =
                walk(List.of(root), before, () -> Optional.of(missing.get()))
                        .orElseThrow(() -> broken(path));
        return new Place(above, names.getLast());
    }

    /** Whether the place is a directory or a symbolic link to one. */
    boolean leadsToDirectory(Place place) {
        return walk(place.above(), List.of(place.name()), Optional::empty).isPresent();
    }

    /** Empty when something on the way is missing or no directory, or links go in circles. */
    private Optional<List<Ext4Inode>> walk(
            List<Ext4Inode> start, List<String> names, Supplier<Optional<Ext4Inode>> missing) {
        List<Ext4Inode> above = new ArrayList<>(start);
        Deque<String> left = new ArrayDeque<>(names);
        int followed = 0;
        while (!left.isEmpty()) {
            String name = left.pop();
            if (name.equals("..")) {
                if (above.size() > 1) {
                    above.removeLast();
                }
                continue;
            }
            Map<String, Ext4Inode> here = above.getLast().children;
            Optional<Ext4Inode> next = Optional.ofNullable(here.get(name));
            if (next.isEmpty()) {
                next = missing.get();
                next.ifPresent(made -> here.put(name, made));
            }
            if (next.isEmpty()) {
                return Optional.empty();
            }
            switch (next.get().kind) {
                case DIRECTORY -> above.add(next.get());
                case SYMBOLIC_LINK -> {
                    if (++followed > MAX_LINKS_FOLLOWED) {
                        return Optional.empty();
                    }
                    follow(targets.get(next.get()), above, left);
                }
                case FILE, CHARACTER_DEVICE, BLOCK_DEVICE, FIFO -> {
                    return Optional.empty();
                }
            }
        }
        return Optional.of(above);
    }

    private static void follow(String target, List<Ext4Inode> above, Deque<String> left) {
        if (target.startsWith("/")) {
            above.subList(1, above.size()).clear();
        }
        String[] parts = target.split("/");
        for (int i = parts.length - 1; i >= 0; i--) {
            if (!parts[i].isEmpty() && !parts[i].equals(".")) {
                left.push(parts[i]);
            }
        }
    }

    private static List<String> names(String path) {
        List<String> names = new ArrayList<>();
        for (String name : path.split("/")) {
            boolean bad =
                    name.equals("..")
                            || name.indexOf('\0') >= 0
                            || name.getBytes(StandardCharsets.UTF_8).length
                                    > Ext4Directory.MAX_NAME;
            if (bad) {
                throw broken(path);
            }
            if (!name.isEmpty() && !name.equals(".")) {
                names.add(name);
            }
        }
        return names;
    }

    private static FileSystemException broken(String path) {
        String shown = path.replaceAll("\\p{Cntrl}", "?");
        return new FileSystemException(
                FileSystemException.Code.PATH, "The path cannot be followed: " + shown);
    }
}
