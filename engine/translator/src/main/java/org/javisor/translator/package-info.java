/**
 * Guest code as host code. In the order in which a block of it comes about: {@link
 * org.javisor.translator.BlockDecoder} decodes, {@link org.javisor.translator.FlagPlan} finds out
 * which flags anybody looks at, {@link org.javisor.translator.BlockTranslator} emits through the
 * {@link org.javisor.translator.Assembler}, {@link org.javisor.translator.TranslationCache} keeps
 * and links, and {@link org.javisor.translator.TranslatedRunner} enters and answers exits. What a
 * processor needs beside its registers lies in its {@link org.javisor.translator.ProcessorBlock}.
 */
package org.javisor.translator;
