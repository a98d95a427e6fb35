/** */
package org.javisor.testkit;
