/** */
package org.javisor.gdb;
