/**
 * The block device (virtio 1.2, section 5.2): a disk, whose contents are a {@link
 * org.javisor.storage.BlockBackend}.
 *
 * <p>Offered: reads, writes, flush, discard, write zeroes, several queues, read-only disks, a
 * serial number, and a write cache that the driver can turn off. Not offered: secure erase,
 * lifetime, zones, SCSI commands, a geometry.
 *
 * <p>Processors only wake the {@link org.javisor.virtio.blk.RequestThreads}, which take requests
 * from the queues and carry them out, several at once if the host's disk is slow.
 */
package org.javisor.virtio.blk;
