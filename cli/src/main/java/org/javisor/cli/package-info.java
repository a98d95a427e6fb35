/** */
package org.javisor.cli;
