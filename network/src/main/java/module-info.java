/** Networks for guests: links, user-mode NAT, TAP, switch, capture. */
module org.javisor.network {
    requires org.slf4j;

    exports org.javisor.network;
}
