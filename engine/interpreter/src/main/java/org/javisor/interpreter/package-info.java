/** */
package org.javisor.interpreter;
