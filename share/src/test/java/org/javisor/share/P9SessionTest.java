package org.javisor.share;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class P9SessionTest {
    private static final int EROFS = Errno.EROFS;
    private static final int WRITE_ONLY = 1;
    private static final int READ_WRITE = 2;
    private static final int CREATE = 0x40;

    @TempDir Path host;
    private Path shared;
    private Path outside;
    private SharedFolder folder;
    private P9Session session;
    private P9Client client;

    @BeforeEach
    void share() throws IOException {
        shared = Files.createDirectory(host.resolve("shared"));
        outside = Files.createDirectory(host.resolve("outside"));
        Files.writeString(outside.resolve("secret"), "secret");
        Files.createDirectory(shared.resolve("dir"));
        Files.writeString(shared.resolve("dir/file"), "contents");
        open(true);
    }

    private void open(boolean writable) {
        end();
        folder = SharedFolder.open(shared, writable);
        session = folder.newSession();
        client = P9Client.attached(session);
    }

    @AfterEach
    void end() {
        if (folder != null) {
            session.close();
            folder.close();
        }
    }

    @Test
    void readsAFile_whenItsNameIsWalked() {
        assertThat(client.read(1, "dir/file")).isEqualTo("contents");
        assertThat(client.walk(1, "dir/none/x")).as("as far as it goes").isEqualTo(1);
        assertThat(client.walk(1, "none")).isEqualTo(-Errno.ENOENT);
        assertThat(client.errno(P9Type.CLUNK, 1)).isEqualTo(Errno.EBADF);
    }

    @Test
    void writesAFile_whenItIsCreated() throws IOException {
        client.walk(1, "dir");
        client.ok(P9Type.LCREATE, 1, "new", CREATE | READ_WRITE, 0666, 0);
        client.write(1, 0, "hello");
        client.write(1, 5, " world");
        client.ok(P9Type.FSYNC, 1, 0);
        assertThat(shared.resolve("dir/new")).hasContent("hello world");
        assertThat(
                        PosixFilePermissions.toString(
                                Files.getPosixFilePermissions(shared.resolve("dir/new"))))
                .as("the client's mode, whatever this process's umask is")
                .isEqualTo("rw-rw-rw-");
        // Its name is gone, the open file is not.
        Files.delete(shared.resolve("dir/new"));
        ByteBuffer body = client.ok(P9Type.READ, 1, 6L, 100);
        assertThat(body.getInt(0)).isEqualTo(5);
    }

    @Test
    void carriesLargeContents_whenTheyExceedABuffer() throws IOException {
        byte[] bytes = new byte[(1 << 18) - 100];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i * 31 >> 3);
        }
        client.walk(1, "");
        client.ok(P9Type.LCREATE, 1, "large", READ_WRITE, 0644, 0);
        assertThat(client.ok(P9Type.WRITE, 1, 0L, bytes.length, bytes).getInt(0))
                .isEqualTo(bytes.length);
        assertThat(Files.readAllBytes(shared.resolve("large"))).isEqualTo(bytes);
        ByteBuffer body = client.ok(P9Type.READ, 1, 0L, -1);
        assertThat(body.getInt(0)).isEqualTo(bytes.length);
        byte[] read = new byte[bytes.length];
        body.get(4, read);
        assertThat(read).isEqualTo(bytes);
    }

    @Test
    void listsADirectory_inPiecesOfAnySize() throws IOException {
        List<String> names = new ArrayList<>(List.of(".", ".."));
        for (int i = 0; i < 500; i++) {
            String name = "a file with a longish name " + i + " ä";
            Files.createFile(shared.resolve("dir").resolve(name));
            names.add(name);
        }
        names.add("file");
        client.walk(1, "dir");
        client.ok(P9Type.LOPEN, 1, 0x10000);
        assertThat(client.list(1, 4096)).containsExactlyInAnyOrderElementsOf(names);
        assertThat(client.list(1, 300)).containsExactlyInAnyOrderElementsOf(names);
        assertThat(client.errno(P9Type.READ, 1, 0L, 10)).isEqualTo(Errno.EISDIR);
    }

    @Test
    void tellsAndChangesAttributes() throws IOException {
        client.walk(1, "dir/file");
        ByteBuffer body = client.ok(P9Type.GETATTR, 1, 0x7ffL);
        assertThat(body.getLong(0)).isEqualTo(0x7ff);
        assertThat(body.getInt(21) & 0xf000).isEqualTo(0x8000);
        assertThat(body.getLong(49)).as("size").isEqualTo(8);
        int mode = 1;
        int size = 1 << 3;
        int modified = 1 << 5 | 1 << 8;
        client.ok(
                P9Type.SETATTR,
                1,
                mode | size | modified | 2 | 4,
                04755,
                0,
                0,
                3L,
                0L,
                0L,
                1_000_000_000L,
                5L);
        Path file = shared.resolve("dir/file");
        assertThat(file).hasContent("con");
        assertThat(Files.getLastModifiedTime(file))
                .isEqualTo(FileTime.from(Instant.ofEpochSecond(1_000_000_000, 5)));
        assertThat((int) Files.getAttribute(file, "unix:mode") & 07777)
                .as("no set-user-ID")
                .isEqualTo(0755);
        assertThat(client.ok(P9Type.STATFS, 1).getInt(0)).isEqualTo(0x0102_1997);
    }

    @Test
    void changesNames_whenAsked() throws IOException {
        client.ok(P9Type.MKDIR, 0, "made", 0777, 0);
        assertThat(Files.getPosixFilePermissions(shared.resolve("made"))).hasSize(9);
        client.walk(1, "dir/file");
        client.walk(2, "made");
        client.walk(3, "dir");
        client.ok(P9Type.LINK, 2, 1, "hard");
        assertThat(shared.resolve("made/hard")).hasContent("contents");
        client.ok(P9Type.RENAMEAT, 0, "dir", 2, "moved");
        assertThat(client.read(9, "made/moved/file")).isEqualTo("contents");
        // What has been walked to before is still the same file.
        client.ok(P9Type.LOPEN, 1, 0);
        assertThat(client.ok(P9Type.READ, 1, 0L, 100).getInt(0)).isEqualTo(8);
        client.ok(P9Type.RENAME, 3, 0, "back");
        assertThat(shared.resolve("back/file")).exists();
        client.ok(P9Type.UNLINKAT, 2, "hard", 0);
        assertThat(client.errno(P9Type.UNLINKAT, 0, "made", 0)).isEqualTo(Errno.EISDIR);
        client.ok(P9Type.UNLINKAT, 0, "made", 0x200);
        client.ok(P9Type.REMOVE, 1);
        assertThat(shared.resolve("back/file")).doesNotExist();
        assertThat(client.errno(P9Type.CLUNK, 1)).isEqualTo(Errno.EBADF);
    }

    @Test
    void handsOutLinksUnfollowed_whereverTheyLead() throws IOException {
        Files.createSymbolicLink(shared.resolve("out"), outside);
        Files.createSymbolicLink(shared.resolve("dangling"), Path.of("/no/where"));
        Files.createSymbolicLink(shared.resolve("secret"), outside.resolve("secret"));
        client.walk(1, "out");
        ByteBuffer target = client.ok(P9Type.READLINK, 1);
        assertThat((int) target.getShort(0)).isEqualTo(outside.toString().length());
        assertThat(client.walk(2, "dangling")).isEqualTo(1);
        assertThat(client.walk(3, "out/secret")).isEqualTo(1);
        assertThat(client.errno(P9Type.WALK, 1, 4, (short) 1, "secret")).isEqualTo(Errno.ENOTDIR);
        assertThat(client.errno(P9Type.LOPEN, 1, 0)).isEqualTo(Errno.ELOOP);
        assertThat(client.read(5, "secret")).isEqualTo("open " + Errno.ELOOP);
        client.walk(6, "");
        assertThat(client.errno(P9Type.LCREATE, 6, "secret", READ_WRITE | CREATE, 0644, 0))
                .isEqualTo(Errno.ELOOP);
        client.walk(7, "secret");
        assertThat(client.errno(P9Type.SETATTR, 7, 8, 0, 0, 0, 0L, 0L, 0L, 0L, 0L)).isNotZero();
        client.ok(P9Type.SYMLINK, 0, "made", "/etc/passwd", 0);
        assertThat(Files.readSymbolicLink(shared.resolve("made"))).hasToString("/etc/passwd");
        assertThat(outside.resolve("secret")).hasContent("secret");
    }

    @Test
    void staysInside_whenNamesPointOutside() {
        assertThat(client.walk(1, "../outside")).isEqualTo(1);
        assertThat(client.walk(1, "dir/../../outside/secret")).isEqualTo(3);
        for (String name : List.of("..", ".", "", "a/b", "../outside/x", "a\0b")) {
            assertThat(client.errno(P9Type.MKDIR, 0, name, 0755, 0)).isEqualTo(Errno.EINVAL);
            assertThat(client.errno(P9Type.RENAMEAT, 0, "dir", 0, name)).isEqualTo(Errno.EINVAL);
            assertThat(client.errno(P9Type.RENAMEAT, 0, name, 0, "x")).isEqualTo(Errno.EINVAL);
            assertThat(client.errno(P9Type.UNLINKAT, 0, name, 0)).isEqualTo(Errno.EINVAL);
            assertThat(client.errno(P9Type.SYMLINK, 0, name, "x", 0)).isEqualTo(Errno.EINVAL);
        }
        assertThat(client.errno(P9Type.UNLINKAT, 0, "x".repeat(256), 0))
                .isEqualTo(Errno.ENAMETOOLONG);
        assertThat(outside.resolve("secret")).exists();
    }

    @Test
    void makesAndOpensNoDevices() throws Exception {
        assertThat(client.errno(P9Type.MKNOD, 0, "null", 0x2000 | 0666, 1, 3, 0))
                .isEqualTo(Errno.EPERM);
        client.ok(P9Type.MKNOD, 0, "pipe", 0x1000 | 0666, 0, 0, 0);
        assertThat(client.read(1, "pipe")).isEqualTo("open " + Errno.EACCES);
        client.walk(2, "");
        assertThat(client.errno(P9Type.LCREATE, 2, "pipe", READ_WRITE | CREATE, 0644, 0))
                .isEqualTo(Errno.EACCES);
    }

    @Test
    void changesNothing_whenReadOnly() throws IOException {
        open(false);
        client.walk(1, "dir/file");
        client.walk(2, "dir");
        assertThat(client.errno(P9Type.LOPEN, 1, WRITE_ONLY)).isEqualTo(EROFS);
        assertThat(client.errno(P9Type.LOPEN, 1, 0x200)).isEqualTo(EROFS);
        assertThat(client.errno(P9Type.LCREATE, 2, "x", READ_WRITE, 0644, 0)).isEqualTo(EROFS);
        assertThat(client.errno(P9Type.MKDIR, 2, "x", 0755, 0)).isEqualTo(EROFS);
        assertThat(client.errno(P9Type.MKNOD, 2, "x", 0x1000, 0, 0, 0)).isEqualTo(EROFS);
        assertThat(client.errno(P9Type.SYMLINK, 2, "x", "y", 0)).isEqualTo(EROFS);
        assertThat(client.errno(P9Type.LINK, 2, 1, "x")).isEqualTo(EROFS);
        assertThat(client.errno(P9Type.RENAME, 1, 2, "x")).isEqualTo(EROFS);
        assertThat(client.errno(P9Type.RENAMEAT, 2, "file", 2, "x")).isEqualTo(EROFS);
        assertThat(client.errno(P9Type.UNLINKAT, 2, "file", 0)).isEqualTo(EROFS);
        assertThat(client.errno(P9Type.SETATTR, 1, 9, 0, 0, 0, 0L, 0L, 0L, 0L, 0L))
                .isEqualTo(EROFS);
        client.ok(P9Type.LOPEN, 1, 0);
        assertThat(client.errno(P9Type.WRITE, 1, 0L, 1, new byte[1])).isEqualTo(EROFS);
        assertThat(client.errno(P9Type.REMOVE, 1)).isEqualTo(EROFS);
        assertThat(shared.resolve("dir/file")).hasContent("contents");
    }

    @Test
    void locksAgainstOtherClients_notAgainstItself() throws IOException {
        try (P9Session other = folder.newSession()) {
            P9Client second = P9Client.attached(other);
            for (P9Client each : List.of(client, second)) {
                each.walk(1, "dir/file");
                each.ok(P9Type.LOPEN, 1, READ_WRITE);
            }
            byte write = 1;
            byte unlock = 2;
            assertThat(lock(client, write)).isZero();
            assertThat(lock(client, write)).isZero();
            assertThat(lock(second, write)).isEqualTo(1);
            ByteBuffer held = second.ok(P9Type.GETLOCK, 1, write, 0L, 10L, 77, "me");
            assertThat(held.get(0)).isEqualTo(write);
            assertThat(lock(client, unlock)).isZero();
            assertThat(second.ok(P9Type.GETLOCK, 1, write, 0L, 10L, 77, "me").get(0))
                    .isEqualTo(unlock);
            assertThat(lock(second, write)).isZero();
        }
    }

    private static int lock(P9Client client, byte kind) {
        return client.ok(P9Type.LOCK, 1, kind, 0, 0L, 10L, 77, "me").get(0);
    }

    @Test
    void negotiates_whenAskedForMoreOrForAnother() {
        ByteBuffer body = client.ok(P9Type.VERSION, Integer.MAX_VALUE, "9P2000.L");
        assertThat(body.getInt(0)).isEqualTo(P9Session.MAXIMUM_MESSAGE);
        assertThat(client.errno(P9Type.CLUNK, 0)).as("a new beginning").isEqualTo(Errno.EBADF);
        byte[] unknown = new byte[7];
        client.ok(P9Type.VERSION, 8192, "9P2000.u").get(6, unknown);
        assertThat(new String(unknown)).isEqualTo("unknown");
        assertThat(client.errno(P9Type.VERSION, 100, "9P2000.L")).isEqualTo(Errno.EINVAL);
        assertThat(client.errno(102, 0, "user", "", 0)).isEqualTo(Errno.EOPNOTSUPP);
    }

    @Test
    void answersWithAnError_whenTheMessageIsCutOff() {
        byte[] message = P9Client.message(P9Type.LCREATE, 0, "name", 2, 0644, 0);
        for (int length = 0; length < message.length; length++) {
            byte[] cut = java.util.Arrays.copyOf(message, length);
            assertThat(client.send(cut).errno()).as("%d bytes", length).isEqualTo(Errno.EPROTO);
            if (length >= 7) {
                cut[0] = (byte) length;
                assertThat(client.send(cut).errno()).isEqualTo(Errno.EPROTO);
            }
        }
    }

    @Test
    void remembersWhatIsOpen_whenRestored() throws IOException {
        client.walk(1, "dir/file");
        client.ok(P9Type.LOPEN, 1, READ_WRITE);
        client.walk(2, "dir");
        client.walk(3, "dir/file");
        client.ok(P9Type.LOPEN, 3, 0);
        P9State state = session.save();
        try (P9Session other = folder.newSession()) {
            other.restore(state);
            assertThat(other.save()).isEqualTo(state);
            P9Client second = new P9Client(other);
            second.write(1, 0, "C");
            assertThat(second.errno(P9Type.WRITE, 3, 0L, 1, new byte[1])).isEqualTo(Errno.EBADF);
            second.ok(P9Type.LCREATE, 2, "x", CREATE, 0644, 0);
        }
        assertThat(shared.resolve("dir/file")).hasContent("Contents");
    }

    @Test
    void says_whyAFolderCannotBeShared() {
        assertThatThrownBy(() -> SharedFolder.open(host.resolve("none"), false))
                .isInstanceOf(ShareException.class)
                .hasMessageContaining("there is no such folder");
        assertThatThrownBy(() -> SharedFolder.open(shared.resolve("dir/file"), false))
                .isInstanceOf(ShareException.class)
                .hasMessageContaining("it is not a folder");
    }
}
