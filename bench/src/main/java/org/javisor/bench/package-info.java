/** */
package org.javisor.bench;
