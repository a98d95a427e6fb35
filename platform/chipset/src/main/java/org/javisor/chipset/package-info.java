/** */
package org.javisor.chipset;
