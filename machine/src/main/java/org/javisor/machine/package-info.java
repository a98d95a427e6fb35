/** */
package org.javisor.machine;
