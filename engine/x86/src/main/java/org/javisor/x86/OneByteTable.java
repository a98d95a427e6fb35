package org.javisor.x86;

/**
 * The one-byte opcodes but for the x87's (Intel SDM volume 2, table ). Format: {@link
 * OpcodeRows}.
 */
final class OneByteTable {
    private OneByteTable() {}

    static final String ROWS =
            """
            06 PUSH ES d64 i64
            07 POP ES d64 i64
            0E PUSH CS d64 i64
            16 PUSH SS d64 i64
            17 POP SS d64 i64
            1E PUSH DS d64 i64
            1F POP DS d64 i64
            27 DAA i64
            2F DAS i64
            37 AAA i64
            3F AAS i64
            40..47 INC Zv i64
            48..4F DEC Zv i64
            50..57 PUSH Zv d64
            58..5F POP Zv d64
            60 PUSHA i64
            61 POPA i64
            62 BOUND Gv,Ma i64
            63 ARPL Ew,Gw w i64
            63 MOVSXD Gv,Ez o64
            68 PUSH Iz d64
            69 IMUL2 Gv,Ev,Iz
            6A PUSH Is d64
            6B IMUL2 Gv,Ev,Is
            6C INS b rep
            6D INS z rep
            6E OUTS b rep
            6F OUTS z rep
            70..7F JCC Jb f64
            84 TEST Eb,Gb
            85 TEST Ev,Gv
            86 XCHG Eb,Gb L
            87 XCHG Ev,Gv L
            88 MOV Eb,Gb
            89 MOV Ev,Gv
            8A MOV Gb,Eb
            8B MOV Gv,Ev
            8C MOV Ev/w,Sw
            8D LEA Gv,M0
            8E MOV Sw,Ew
            8F/0 POP Ev d64
            90..97 XCHG Zv,rAX
            90 | | | PAUSE
            98 CBW
            99 CWD
            9A CALL_FAR Ap i64
            9B WAIT
            9C PUSHF d64
            9D POPF d64
            9E SAHF
            9F LAHF
            A0 MOV AL,Ob
            A1 MOV rAX,Ov
            A2 MOV Ob,AL b
            A3 MOV Ov,rAX
            A4 MOVS b rep
            A5 MOVS rep
            A6 CMPS b rep
            A7 CMPS rep
            A8 TEST AL,Is
            A9 TEST rAX,Iz
            AA STOS b rep
            AB STOS rep
            AC LODS b rep
            AD LODS rep
            AE SCAS b rep
            AF SCAS rep
            B0..B7 MOV Zb,Ib
            B8..BF MOV Zv,Iv
            C0/0 ROL Eb,Ib
            C0/1 ROR Eb,Ib
            C0/2 RCL Eb,Ib
            C0/3 RCR Eb,Ib
            C0/4 SHL Eb,Ib
            C0/5 SHR Eb,Ib
            C0/6 SHL Eb,Ib
            C0/7 SAR Eb,Ib
            C1/0 ROL Ev,Ib
            C1/1 ROR Ev,Ib
            C1/2 RCL Ev,Ib
            C1/3 RCR Ev,Ib
            C1/4 SHL Ev,Ib
            C1/5 SHR Ev,Ib
            C1/6 SHL Ev,Ib
            C1/7 SAR Ev,Ib
            C2 RET Iw f64
            C3 RET f64
            C4 LES Gv,Mp i64
            C5 LDS Gv,Mp i64
            C6/0 MOV Eb,Is
            C7/0 MOV Ev,Iz
            C8 ENTER Iw,Lb d64
            C9 LEAVE d64
            CA RET_FAR Iw
            CB RET_FAR
            CC INT3
            CD INT Ib
            CE INTO i64
            CF IRET
            D0/0 ROL Eb,1
            D0/1 ROR Eb,1
            D0/2 RCL Eb,1
            D0/3 RCR Eb,1
            D0/4 SHL Eb,1
            D0/5 SHR Eb,1
            D0/6 SHL Eb,1
            D0/7 SAR Eb,1
            D1/0 ROL Ev,1
            D1/1 ROR Ev,1
            D1/2 RCL Ev,1
            D1/3 RCR Ev,1
            D1/4 SHL Ev,1
            D1/5 SHR Ev,1
            D1/6 SHL Ev,1
            D1/7 SAR Ev,1
            D2/0 ROL Eb,CL
            D2/1 ROR Eb,CL
            D2/2 RCL Eb,CL
            D2/3 RCR Eb,CL
            D2/4 SHL Eb,CL
            D2/5 SHR Eb,CL
            D2/6 SHL Eb,CL
            D2/7 SAR Eb,CL
            D3/0 ROL Ev,CL
            D3/1 ROR Ev,CL
            D3/2 RCL Ev,CL
            D3/3 RCR Ev,CL
            D3/4 SHL Ev,CL
            D3/5 SHR Ev,CL
            D3/6 SHL Ev,CL
            D3/7 SAR Ev,CL
            D4 AAM Ib i64
            D5 AAD Ib i64
            D6 SALC i64
            D7 XLAT
            E0 LOOPNE Jb f64
            E1 LOOPE Jb f64
            E2 LOOP Jb f64
            E3 JCXZ Jb f64
            E4 IN AL,Ib
            E5 IN rAX,Ib z
            E6 OUT Ib,AL b
            E7 OUT Ib,rAX z
            E8 CALL Jz f64
            E9 JMP Jz f64
            EA JMP_FAR Ap i64
            EB JMP Jb f64
            EC IN AL,DX
            ED IN rAX,DX z
            EE OUT DX,AL b
            EF OUT DX,rAX z
            F1 INT1
            F4 HLT
            F5 CMC
            F6/0 TEST Eb,Is
            F6/1 TEST Eb,Is
            F6/2 NOT Eb L
            F6/3 NEG Eb L
            F6/4 MUL Eb
            F6/5 IMUL Eb
            F6/6 DIV Eb
            F6/7 IDIV Eb
            F7/0 TEST Ev,Iz
            F7/1 TEST Ev,Iz
            F7/2 NOT Ev L
            F7/3 NEG Ev L
            F7/4 MUL Ev
            F7/5 IMUL Ev
            F7/6 DIV Ev
            F7/7 IDIV Ev
            F8 CLC
            F9 STC
            FA CLI
            FB STI
            FC CLD
            FD STD
            FE/0 INC Eb L
            FE/1 DEC Eb L
            FF/0 INC Ev L
            FF/1 DEC Ev L
            FF/2 CALL Ev f64
            FF/3 CALL_FAR Mp
            FF/4 JMP Ev f64
            FF/5 JMP_FAR Mp
            FF/6 PUSH Ev d64
            """;

    /**
     * 00h to 3Dh and 80h to 83h: eight operations of the same ten forms; CMP alone writes nothing
     * that LOCK could guard.
     */
    static String arithmetic() {
        String[] ops = {"ADD", "OR", "ADC", "SBB", "AND", "SUB", "XOR", "CMP"};
        // Not the + operator: its first use in a JVM costs more than reading all the tables.
        StringBuilder rows = new StringBuilder(2048);
        for (int i = 0; i < ops.length; i++) {
            String lock = i < 7 ? " L\n" : "\n";
            String[] forms = {" Eb,Gb", " Ev,Gv", " Gb,Eb", " Gv,Ev", " AL,Is", " rAX,Iz"};
            for (int form = 0; form < forms.length; form++) {
                rows.append(Character.forDigit(i >> 1, 16))
                        .append(Character.forDigit((i & 1) << 3 | form, 16));
                rows.append(' ').append(ops[i]).append(forms[form]).append(form < 2 ? lock : "\n");
            }
            String[] groups = {" Eb,Is", " Ev,Iz", " Eb,Is i64", " Ev,Is"};
            for (int form = 0; form < groups.length; form++) {
                rows.append('8').append(form).append('/').append(i);
                rows.append(' ').append(ops[i]).append(groups[form]).append(lock);
            }
        }
        return rows.toString();
    }
}
