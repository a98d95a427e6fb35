/**
 * Guest code as host code. In the order in which a block of it comes about: {@link
 * org.javisor.translator.BlockPlan} decodes and looks ahead, {@link
 * org.javisor.translator.Translatability} says what the interpreter keeps, {@link
 * org.javisor.translator.BlockTranslator} emits through the {@link
 * org.javisor.translator.Assembler}, with {@link org.javisor.translator.FlagState} and {@link
 * org.javisor.translator.MemoryProbe} for flags and accesses, {@link
 * org.javisor.translator.TranslationCache} keeps and links, and {@link
 * org.javisor.translator.TranslatedRunner} enters and answers exits. What a processor needs beside
 * its registers lies in its {@link org.javisor.translator.ProcessorBlock}.
 */
package org.javisor.translator;
