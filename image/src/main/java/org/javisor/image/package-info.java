/** */
package org.javisor.image;
