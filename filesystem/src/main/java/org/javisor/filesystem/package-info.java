/**
 * Makes file systems as files of the host, without mounting them and without root.
 *
 * <p>{@link org.javisor.filesystem.Ext4Writer} writes an ext4 file system as Linux's documentation
 * lays it out (Documentation/filesystems/ext4). It only ever makes a new one; it does not change
 * one that exists.
 */
package org.javisor.filesystem;
