package org.javisor.x86;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Length and mnemonic of seeded random instructions compared with GNU objdump, where it is
 * installed. What the two are known to see differently is listed here; everything else is an error
 * of one of them.
 */
class DecoderAgainstObjdumpTest {
    private static final long SEED = Long.getLong("javisor.seed", 20260101L);
    private static final int SAMPLES = Integer.getInteger("javisor.samples", 10_000);

    /** Room for the longest instruction and for the NOPs that bring objdump back into step. */
    private static final int SLOT = 32;

    /** Extensions that are not emulated: undefined here. */
    private static final Set<String> NOT_DECODED =
            words(
                    "xabort xbegin xbegind xbeginw frstpm(287 xend xtest xsusldtrk xresldtrk rdpkru wrpkru encls enclu enclv monitorx mwaitx clzero rdpru "
                            + "rmpadjust rmpupdate psmash pvalidate tdcall seamret seamops seamcall tdcall pconfig vmload "
                            + "vmsave stgi clgi skinit invlpga invlpgb tlbsync vmgexit vmfunc mcommit uiret testui clui "
                            + "stui senduipi setssbsy saveprevssp rstorssp clrssbsy incsspd incsspq wrussd wrussq wrssd "
                            + "wrssq umonitor umwait tpause ptwrite vmptrld vmptrst vmclear vmxon invept invvpid femms "
                            + "getsec enqcmd enqcmds hreset aesenc128kl aesdec128kl aesenc256kl aesdec256kl "
                            + "aesencwide128kl aesdecwide128kl aesencwide256kl aesdecwide256kl loadiwkey encodekey128 "
                            + "encodekey256 gf2p8mulb gf2p8affineqb gf2p8affineinvqb extrq insertq montmul xsha1 xsha256 "
                            + "xstore-rng xcrypt-ecb xcrypt-cbc xcrypt-ctr xcrypt-cfb xcrypt-ofb rdmsrlist wrmsrlist wrmsrns "
                            + "movntss movntsd prefetchit0 prefetchit1 lwpcb llwpcb tzmsk blcfill blsfill blcs blcmsk blci blsic "
                            + "t1mskc blcic lwpins lwpval pswapd pavgusb pi2fw pi2fd pf2iw pf2id pfnacc pfpnacc pfcmpge pfmin "
                            + "pfrcp pfrsqrt pfsub pfadd pfcmpgt pfmax pfrcpit1 pfrsqit1 pfsubr pfacc pfcmpeq pfmul pfrcpit2 "
                            + "pmulhrw aadd aand aor axor");

    private static final Map<String, String> SAME = new HashMap<>();

    static {
        for (String pair :
                ("movabs=mov endbr64=endbr endbr32=endbr xlat=xlat sal=shl iretq=iret iretd=iret iretw=iret popaw=popa "
                                + "popad=popa pushaw=pusha pushad=pusha retfq=retf retfw=retf fwait=wait sysretq=sysret "
                                + "sysretd=sysret sysexitq=sysexit sysexitd=sysexit prefetcht0=prefetch "
                                + "prefetcht1=prefetch prefetcht2=prefetch prefetchnta=prefetch prefetchw=prefetch "
                                + "prefetchwt1=prefetch fxsave64=fxsave fxrstor64=fxrstor xsave64=xsave xrstor64=xrstor "
                                + "xsaves64=xsaves xrstors64=xrstors xsavec64=xsavec xsaveopt64=xsaveopt rdsspq=rdssp "
                                + "rdsspd=rdssp pushfw=pushf pushfq=pushf popfw=popf popfq=popf retw=ret pushw=push popw=pop "
                                + "retd=ret retfd=retf pushfd=pushf popfd=popf jmpd=jmp leaved=leave enterd=enter calld=call "
                                + "bndldx=nop bndstx=nop bndmov=nop bndcn=nop bndcl=nop bndcu=nop bndmk=nop cldemote=nop "
                                + "leavew=leave enterw=enter callw=call jmpw=jmp lgdtd=lgdt lidtd=lidt sgdtd=sgdt "
                                + "sidtd=sidt lgdtw=lgdt lidtw=lidt sgdtw=sgdt sidtw=sidt fneni=fnop fndisi=fnop "
                                + "fnsetpm=fnop reservednop=nop ud0=ud0 pclmullqlqdq=pclmulqdq pclmulhqlqdq=pclmulqdq "
                                + "pclmullqhqdq=pclmulqdq pclmulhqhqdq=pclmulqdq fnsaved=fnsave frstord=frstor fldenvd=fldenv fnstenvd=fnstenv "
                                + "pcmpestriq=pcmpestri pcmpestrmq=pcmpestrm prefetchit0=nop prefetchit1=nop "
                                + "fsavew=fnsave fnsavew=fnsave "
                                + "frstorw=frstor fldenvw=fldenv fnstenvw=fnstenv pushd=push popd=pop")
                        .split(" ")) {
            int equals = pair.indexOf('=');
            SAME.put(pair.substring(0, equals), pair.substring(equals + 1));
        }
    }

    private static final Set<String> PREFIXES =
            words(
                    "data16 data32 addr16 addr32 cs ds es ss fs gs lock rep repz repnz bnd notrack xacquire xrelease");

    /** What processors execute although objdump, or the manual, does not know it. */
    private static final Set<String> UNDOCUMENTED =
            words("salc nop wbinvd bsf bsr vmmcall sfence mfence lfence fcom fcomp fstp fxch");

    @TempDir Path directory;

    private static Set<String> words(String text) {
        return Stream.of(text.split(" ")).collect(Collectors.toSet());
    }

    @ParameterizedTest
    @EnumSource(CodeSize.class)
    void decode_agreesWithObjdump_whenInstructionsAreRandom(CodeSize size) throws Exception {
        assumeTrue(installed(), "objdump is not installed");
        byte[] code = samples(new Random(SEED), size);
        Map<Integer, String> expected = disassemble(code, size);

        List<String> differences = new ArrayList<>();
        Decoder decoder = new Decoder();
        for (int at = 0; at < code.length; at += SLOT) {
            Instruction instruction = decoder.decode(code, at, Decoder.MAX_LENGTH, size);
            int length = 1;
            while (!expected.containsKey(at + length)) {
                length++;
            }
            String difference = difference(instruction, size, length, expected.get(at));
            if (!difference.isEmpty()) {
                String bytes = HexFormat.ofDelimiter(" ").formatHex(code, at, at + 15);
                differences.add(difference + "\t" + bytes + "\t" + expected.get(at));
            }
        }
        assertThat(differences).as("seed %d", SEED).isEmpty();
    }

    private static String difference(
            Instruction instruction, CodeSize size, int length, String text) {
        String theirs = mnemonic(text);
        // objdump marks only some of the far transfers.
        String ours = InstructionFormatter.mnemonic(instruction).replace(" far", "");
        // To objdump a REX prefix that is not the last is an instruction, and WAIT a prefix of x87
        // instructions.
        if (theirs.startsWith("rex") || instruction.op == Op.WAIT) {
            return "";
        }
        boolean undefined = instruction.op == Op.INVALID || instruction.op == Op.TOO_LONG;
        if (undefined) {
            // objdump does not know where LOCK is illegal and shows other prefixes that make an
            // opcode undefined.
            boolean prefixed =
                    text.matches(
                            "(\\w+ )*(lock|rep|repz|repnz|xacquire|xrelease|data16|data32) .*");
            boolean register =
                    text.matches(".*mov.*(\\?|cs,|cr[156789]|cr1\\d|tr\\d|[db]r([89]|1\\d)).*");
            // AVX-512 and what came after AVX2; FMA4 and XOP, which AMD has given up.
            boolean vector =
                    text.contains("{")
                            || text.matches(".*[xyz]mm(1[6-9]|2\\d|3[01]).*|.*zmm.*")
                            || theirs.matches("k\\w+|vpdp\\w+|vgf2\\w+|vpmadd52\\w+")
                            || theirs.matches("vfn?m(add|sub|addsub|subadd)[ps][sd]|vpermil2p[sd]")
                            || theirs.matches(
                                    "vp(com|rot|sha|shl|macs|hadd|hsub|madcs|perm|cmov).*")
                            || theirs.matches(
                                    "vcvtne.*|vbcstne.*|vfrcz.*|t(dp|ile).*|[sl]dtilecfg|cmp[a-z]+xadd");
            // Processors do mind VEX.pp there.
            boolean zero = theirs.matches("vzero(all|upper)");
            boolean evex =
                    text.startsWith("v") && size == CodeSize.BITS64 && instruction.length < 3;
            // objdump forgets that these need 64-bit code.
            boolean longOnly = size != CodeSize.BITS64 && theirs.matches("swapgs|(rd|wr)[fg]sbase");
            boolean known =
                    theirs.equals("(bad)")
                            || NOT_DECODED.contains(theirs)
                            || prefixed
                            || register
                            || vector
                            || evex
                            || zero
                            || longOnly;
            return known ? "" : "undefined, not " + theirs;
        }
        if (theirs.equals("(bad)")) {
            return UNDOCUMENTED.contains(ours) ? "" : "not undefined but " + ours;
        }
        // objdump takes no notice of REX.B there.
        boolean exchange = ours.equals("xchg") && (theirs.equals("nop") || theirs.equals("pause"));
        if (!ours.equals(theirs) && !exchange) {
            return ours + ", not " + theirs;
        }
        return instruction.length == length
                ? ""
                : "length " + instruction.length + ", not " + length;
    }

    private static String mnemonic(String text) {
        if (text.contains("(bad)")) {
            return "(bad)";
        }
        String[] words = text.split(" +");
        int i = 0;
        while (i < words.length - 1
                && (PREFIXES.contains(words[i]) || words[i].startsWith("rex"))) {
            i++;
        }
        String word = SAME.getOrDefault(words[i], words[i]);
        word = word.replaceFirst("^cmp(eq|lt|le|unord|neq|nlt|nle|ord)(ps|pd|ss|sd)$", "cmp$2");
        word = word.replaceFirst("^vcmp[a-z_]+(ps|pd|ss|sd)$", "vcmp$1");
        word = word.replaceFirst("^vpclmul[hl]q[hl]qdq$", "vpclmulqdq");
        word = word.replaceFirst("^(vpcmpestr[im])q$", "$1");
        return switch (word) {
            case "movs", "cmps", "stos", "lods", "scas", "ins", "outs" -> word + suffix(text);
            case "fneni(8087", "fndisi(8087", "fnsetpm(287" -> "fnop";
            case "xchg" -> text.matches(".*xchg +(e|r|)ax,(e|r|)ax") ? "nop" : word;
            default -> word;
        };
    }

    private static String suffix(String text) {
        return text.contains("QWORD")
                ? "q"
                : text.contains("DWORD") ? "d" : text.contains("WORD") ? "w" : "b";
    }

    /** Each sample in a slot of its own, followed by NOPs. */
    private static byte[] samples(Random random, CodeSize size) {
        byte[] code = new byte[SAMPLES * SLOT];
        java.util.Arrays.fill(code, (byte) 0x90);
        for (int at = 0; at < code.length; at += SLOT) {
            int pos = at;
            for (int prefixes = random.nextInt(6) - 2; prefixes > 0; prefixes--) {
                int[] choice = {0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x64, 0x66};
                code[pos++] = (byte) choice[random.nextInt(choice.length)];
            }
            if (size == CodeSize.BITS64 && random.nextBoolean()) {
                code[pos++] = (byte) (0x40 | random.nextInt(16));
            }
            int map = random.nextInt(10);
            if (map >= 6) {
                pos = vex(code, at, random);
            } else if (map >= 2) {
                code[pos++] = 0x0f;
            }
            if (map == 4 || map == 5) {
                code[pos++] = (byte) (map == 4 ? 0x38 : 0x3a);
            }
            while (pos < at + 14) {
                code[pos++] = (byte) random.nextInt(256);
            }
        }
        return code;
    }

    private static int vex(byte[] code, int at, Random random) {
        int pos = at;
        boolean integers = random.nextInt(4) == 0;
        int last = random.nextInt(256) | (random.nextBoolean() ? 0x78 : 0);
        if (!integers && random.nextInt(3) == 0) {
            code[pos++] = (byte) 0xc5;
            code[pos++] = (byte) last;
            return pos;
        }
        code[pos++] = (byte) 0xc4;
        code[pos++] = (byte) (random.nextInt(8) << 5 | (integers ? 2 : 1) + random.nextInt(2));
        code[pos++] = (byte) last;
        if (integers) {
            code[pos++] = (byte) (0xf0 | random.nextInt(8));
        }
        return pos;
    }

    private Map<Integer, String> disassemble(byte[] code, CodeSize size) throws IOException {
        Path file = directory.resolve("code");
        Files.write(file, code);
        String machine =
                switch (size) {
                    case BITS16 -> "i8086";
                    case BITS32 -> "i386";
                    case BITS64 -> "i386:x86-64";
                };
        Process process =
                new ProcessBuilder(
                                "objdump",
                                "-D",
                                "-z",
                                "-w",
                                "-b",
                                "binary",
                                "-mi386",
                                "-m" + machine,
                                "-M",
                                "intel,intel64",
                                file.toString())
                        .redirectErrorStream(true)
                        .start();
        Map<Integer, String> lines = new HashMap<>();
        try (BufferedReader reader = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                String[] fields = line.split("\t");
                if (fields.length >= 3) {
                    String address = fields[0].strip();
                    lines.put(
                            Integer.parseInt(address.substring(0, address.length() - 1), 16),
                            fields[2].strip());
                }
            }
        }
        lines.put(code.length, "");
        return lines;
    }

    private static boolean installed() throws InterruptedException {
        try {
            Process process =
                    new ProcessBuilder("objdump", "--version")
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start();
            return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
