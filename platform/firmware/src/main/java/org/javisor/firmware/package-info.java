/** */
package org.javisor.firmware;
