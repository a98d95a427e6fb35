package org.javisor.share;

/**
 * The server's identity of a file.
 *
 * @param type 80h directory, 2 symbolic link, 0 other
 * @param version changes when the file does
 * @param path as an inode number
 */
record Qid(int type, int version, long path) {
    static final int DIRECTORY = 0x80;
    static final int SYMBOLIC_LINK = 2;
}
