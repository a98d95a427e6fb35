/**
 * The entropy device (virtio 1.2, section 5.4): fills the driver's buffers with random bytes of the
 * host's.
 */
package org.javisor.virtio.rng;
