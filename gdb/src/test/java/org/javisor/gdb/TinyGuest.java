package org.javisor.gdb;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.javisor.machine.EngineChoice;
import org.javisor.machine.Machine;
import org.javisor.machine.MachineConfig;

/**
 * A guest of a few instructions as an ELF kernel, entered in 64-bit mode with the first 4 GiB
 * mapped where they are. It starts a second processor, if there is one, and then counts at {@link
 * #COUNTER} for ever; the second counts in real mode at {@link #SECOND_COUNTER}.
 */
final class TinyGuest {
    static final long START = 0x100000;
    static final long STORE = START + 0x0e;
    static final long LOOP = START + 0x40;
    static final long LOAD = START + 0x48;
    static final long CALL = START + 0x50;
    static final long JUMP_BACK = START + 0x55;
    static final long FUNCTION = START + 0x60;
    static final long INCREMENT = START + 0x64;
    static final long VALUE = 0x101000;
    static final long COUNTER = 0x101008;
    static final long SECOND_LOOP = 0x8001;
    static final long SECOND_COUNTER = 0x500;

    /** Not mapped, though canonical. */
    static final long NOWHERE = 5L << 30;

    private static final String CODE =
            """
            b8 34 12 00 00           # 00 mov eax, 1234h
            bb 05 00 00 00           # 05 mov ebx, 5
            48 8d 0c 18              # 0a lea rcx, [rax+rbx]
            48 89 0c 25 00 10 10 00  # 0e mov [101000h], rcx
            48 ba 90 ff 06 00 05     # 16 mov rdx, SECOND
            eb fa f4
            48 89 14 25 00 80 00 00  # 20 mov [8000h], rdx
            be 00 03 e0 fe           # 28 mov esi, 0fee00300h: interrupt command register
            c7 46 10 00 00 00 01     # 2d mov dword [rsi+10h], 1000000h: to APIC 1
            c7 06 00 45 00 00        # 34 mov dword [rsi], 4500h: INIT
            c7 06 08 46 00 00        # 3a mov dword [rsi], 4608h: start-up at 8000h
            48 ff 04 25 08 10 10 00  # 40 inc qword [101008h]
            48 8b 3c 25 00 10 10 00  # 48 mov rdi, [101000h]
            e8 0b 00 00 00           # 50 call 60h
            eb e9                    # 55 jmp 40h
            00 00 00 00 00 00 00 00 00
            55                       # 60 push rbp
            48 89 e5                 # 61 mov rbp, rsp
            49 ff c4                 # 64 inc r12
            48 8d 47 01              # 67 lea rax, [rdi+1]
            5d                       # 6b pop rbp
            c3                       # 6c ret
            """;

    // SECOND, at 0800h:0000: nop; 1: inc word [500h]; jmp 1

    private static final int HEADERS = 64 + 56;

    private TinyGuest() {}

    /** A machine that runs it on the interpreter, not started. */
    static Machine machine(Path directory, int cpus) {
        return Machine.create(
                MachineConfig.builder(in(directory))
                        .memory(32L << 20)
                        .cpus(cpus)
                        .engine(EngineChoice.INTERPRETER)
                        .build());
    }

    static Path in(Path directory) {
        try {
            return Files.write(directory.resolve("guest.elf"), elf());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** System V ABI, chapter 4; one loadable segment. */
    private static byte[] elf() {
        byte[] code = code();
        ByteBuffer file = ByteBuffer.allocate(HEADERS + code.length).order(ByteOrder.LITTLE_ENDIAN);
        file.putInt(0x464c457f).put((byte) 2).put((byte) 1).put((byte) 1).position(16);
        file.putShort((short) 2).putShort((short) 62).putInt(1);
        file.putLong(START).putLong(64).putLong(0).putInt(0);
        file.putShort((short) 64).putShort((short) 56).putShort((short) 1);
        file.position(64);
        file.putInt(1).putInt(7).putLong(HEADERS).putLong(START).putLong(START);
        file.putLong(code.length).putLong(0x2000).putLong(0x1000);
        return file.put(code).array();
    }

    private static byte[] code() {
        StringBuilder digits = new StringBuilder();
        CODE.lines().forEach(line -> digits.append(line.split("#")[0].replace(" ", "")));
        return HexFormat.of().parseHex(digits);
    }
}
