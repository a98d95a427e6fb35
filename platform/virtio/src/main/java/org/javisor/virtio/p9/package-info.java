/**
 * The 9P transport (virtio 1.2, section 5.9, with the configuration space of Linux' driver): a
 * folder of the host, which the guest mounts by its tag. The requests that it carries are {@link
 * org.javisor.share.P9Session}'s to answer.
 */
package org.javisor.virtio.p9;
