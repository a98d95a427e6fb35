/**
 * The GDB remote serial protocol for a machine (GDB manual, appendix E): a server on the loopback
 * interface, through which a debugger stops the machine, looks at it and lets it go on. A thread is
 * a processor; when one stops, all do. Nothing is written to guest memory for breakpoints.
 *
 * <p>{@link org.javisor.gdb.GdbServer} listens and takes one client at a time; a {@code Session}
 * serves it. Not offered: non-stop mode, several processes, tracepoints, reverse execution, files.
 */
package org.javisor.gdb;
