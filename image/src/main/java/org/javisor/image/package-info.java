/**
 * Guest images made on the user's machine from Debian's own packages.
 *
 * <p>The path of a pull: {@link org.javisor.image.Mirror} says where packages come from, {@link
 * org.javisor.image.DebianArchive} verifies the archive's signature and takes every checksum from
 * what was signed, {@link org.javisor.image.DebPackage} streams the few files needed out of a
 * package, {@link org.javisor.image.Initramfs} writes them into a cpio archive, and {@link
 * org.javisor.image.ImageStore} keeps the result in the user's cache. Nothing needs root, and a
 * cached image needs no network.
 *
 * <p>The guest {@code tiny} is a Debian kernel and busybox. What Javisor itself puts into it (its
 * init scripts and the command to run) is not cached with the image but appended to its initramfs
 * at each start by {@link org.javisor.image.TinyImage}, so that an older cache serves a newer
 * Javisor.
 *
 * <p>Sources: Debian Repository Format (InRelease, Packages, by-hash), deb(5), deb822(5), RFC 9580
 * section 7 (cleartext signatures), Linux Documentation/driver-api/early-userspace/buffer-format.
 */
package org.javisor.image;
