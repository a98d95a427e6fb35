/**
 * Folders of the host for guests: a file server that speaks 9P2000.L (the Plan 9 file protocol in
 * the dialect of Linux, as diod's protocol.md and Linux' {@code include/net/9p/9p.h} define it).
 *
 * <p>A {@link org.javisor.share.SharedFolder} is a folder that is served; a {@link
 * org.javisor.share.P9Session} is one client's conversation with it, message by message. What
 * carries the messages is another's business.
 *
 * <p>A guest gets at nothing outside of the folder. It names files by components, of which {@code
 * ..} and what contains a slash are refused. Each access begins at the folder's descriptor and goes
 * down one component at a time without following any link, so that nobody who replaces a component
 * by a link meanwhile leads it astray; what is found at the end is looked at by its descriptor
 * before it is opened by that same descriptor. Symbolic links are handed to the guest as they are,
 * to be followed in the guest.
 *
 * <p>Whatever the guest asks, files belong to whoever runs Javisor: changes of owner are accepted
 * and forgotten. Set-user-ID and set-group-ID bits are not set, device nodes are not made and not
 * opened, nor are pipes and sockets: so that a guest's root gains nothing on the host. Extended
 * attributes are not served.
 *
 * <p>Linux only: {@code LinuxCalls} is where the host is called.
 */
package org.javisor.share;
