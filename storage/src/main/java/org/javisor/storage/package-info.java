/**
 * Disks of guests, kept in files of the host. {@link org.javisor.storage.BlockBackend} is what a
 * disk device sees; {@link org.javisor.storage.DiskSpec} is how a user names a disk.
 */
package org.javisor.storage;
