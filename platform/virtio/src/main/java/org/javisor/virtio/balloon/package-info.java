/**
 * The memory balloon (virtio 1.2, section 5.5): memory that the guest does not use goes back to the
 * host.
 *
 * <p>Three ways: the host asks the guest for a number of pages and the guest gives them until they
 * are asked back; the guest reports pages as it frees them, and just uses them again later; and the
 * guest tells statistics about its memory, for whoever decides on the number. Not offered: free
 * page hints, which serve live migration, and page poison.
 */
package org.javisor.virtio.balloon;
