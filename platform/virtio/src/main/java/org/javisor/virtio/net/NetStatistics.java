package org.javisor.virtio.net;

/**
 * What a card has done so far.
 *
 * @param framesSent by the guest; one that is to be cut counts as one
 * @param bytesSent in them
 * @param framesReceived by the guest
 * @param bytesReceived in them
 * @param dropped frames of both directions that made no sense or had no place
 */
public record NetStatistics(
        long framesSent, long bytesSent, long framesReceived, long bytesReceived, long dropped) {}
