package org.javisor.x86;

/** The opcodes after 0F (Intel SDM volume 2, tables ). Format: {@link OpcodeRows}. */
final class TwoByteTable {
    private TwoByteTable() {}

    static final String SYSTEM_AND_INTEGER =
            """
            00/0 SLDT Ev/w
            00/1 STR Ev/w
            00/2 LLDT Ew w
            00/3 LTR Ew w
            00/4 VERR Ew w
            00/5 VERW Ew w
            01/0m SGDT Ms f64
            01/1m SIDT Ms f64
            01/2m LGDT Ms f64
            01/3m LIDT Ms f64
            01/4 SMSW Ev/w
            01/6 LMSW Ew w
            01/7m INVLPG M0
            01:C1 | VMCALL
            01:C2 | VMLAUNCH
            01:C3 | VMRESUME
            01:C4 | VMXOFF
            01:C8 | MONITOR
            01:C9 | MWAIT
            01:CA | CLAC
            01:CB | STAC
            01:D0 | XGETBV
            01:D1 | XSETBV
            01:D8 VMRUN
            01:D9 VMMCALL
            01:E8 | SERIALIZE
            01:F8 SWAPGS o64
            01:F9 RDTSCP
            02 LAR Gv,Ew
            03 LSL Gv,Ew
            05 SYSCALL
            06 CLTS
            07 SYSRET
            08 INVD
            09 WBINVD
            09 | | | WBNOINVD
            0B UD2
            0D NOP E0
            0D PREFETCH M0
            18 NOP E0
            18/0 PREFETCH M0
            18/1 PREFETCH M0
            18/2 PREFETCH M0
            18/3 PREFETCH M0
            19..1F NOP E0
            1E/1r | | | RDSSP Ry
            1E:FA | | | ENDBR
            1E:FB | | | ENDBR
            20 MOV Rn,Cn n
            21 MOV Rn,Dn n
            22 MOV Cn,Rn n
            23 MOV Dn,Rn n
            30 WRMSR
            31 RDTSC
            32 RDMSR
            33 RDPMC
            34 SYSENTER
            35 SYSEXIT
            40..4F CMOVCC Gv,Ev
            78 | VMREAD En,Gn n
            79 | VMWRITE Gn,En n
            80..8F JCC Jz f64
            90..9F SETCC Eb
            A0 PUSH FS d64
            A1 POP FS d64
            A2 CPUID
            A3 BT Ev,Gv
            A4 SHLD Ev,Gv,Ib
            A5 SHLD Ev,Gv,CL
            A8 PUSH GS d64
            A9 POP GS d64
            AA RSM
            AB BTS Ev,Gv L
            AC SHRD Ev,Gv,Ib
            AD SHRD Ev,Gv,CL
            AE/0m | FXSAVE Mh
            AE/1m | FXRSTOR Mh
            AE/2m | LDMXCSR Md
            AE/3m | STMXCSR Md
            AE/4m | XSAVE Mxa
            AE/5m | XRSTOR Mxa
            AE/6m | XSAVEOPT Mxa | CLWB Mb
            AE/7m | CLFLUSH Mb  | CLFLUSHOPT Mb
            AE/0r | | | RDFSBASE Ry o64
            AE/1r | | | RDGSBASE Ry o64
            AE/2r | | | WRFSBASE Ry o64
            AE/3r | | | WRGSBASE Ry o64
            AE/5r | LFENCE
            AE/6r | MFENCE
            AE/7r | SFENCE
            AF IMUL2 Gv,Ev
            B0 CMPXCHG Eb,Gb L
            B1 CMPXCHG Ev,Gv L
            B2 LSS Gv,Mp
            B3 BTR Ev,Gv L
            B4 LFS Gv,Mp
            B5 LGS Gv,Mp
            B6 MOVZX Gv,Eb
            B7 MOVZX Gv,Ew
            B8 | | | POPCNT Gv,Ev
            B9 UD1 Gv,Ev
            BA/4 BT Ev,Ib
            BA/5 BTS Ev,Ib L
            BA/6 BTR Ev,Ib L
            BA/7 BTC Ev,Ib L
            BB BTC Ev,Gv L
            BC BSF Gv,Ev
            BC | | | TZCNT Gv,Ev
            BD BSR Gv,Ev
            BD | | | LZCNT Gv,Ev
            BE MOVSX Gv,Eb
            BF MOVSX Gv,Ew
            C0 XADD Eb,Gb L
            C1 XADD Ev,Gv L
            C3 | MOVNTI My,Gy
            C7/1m CMPXCHG8B/CMPXCHG16B Mc L
            C7/3m | XRSTORS Mxa
            C7/4m | XSAVEC Mxa
            C7/5m | XSAVES Mxa
            C7/6r RDRAND Rv
            C7/7r RDSEED Rv
            C7/6r | | | - | -
            C7/7r | | | RDPID Rn n | -
            C8..CF BSWAP Zv
            FF UD0 Gv,Ev
            """;

    static final String SIMD =
            """
            10 | MOVUPS Vdq,Wdq   | MOVUPD Vdq,Wdq   | MOVSS Vd,Wd       | MOVSD_SSE Vq,Wq
            11 | MOVUPS Wdq,Vdq   | MOVUPD Wdq,Vdq   | MOVSS Wd,Vd       | MOVSD_SSE Wq,Vq
            12 | MOVHLPS Vq,Uq    |                  | MOVSLDUP Vdq,Wdq  | MOVDDUP Vdq,Wq
            12 | MOVLPS Vq,Mq     | MOVLPD Vq,Mq
            13 | MOVLPS Mq,Vq     | MOVLPD Mq,Vq
            14 | UNPCKLPS Vdq,Wdq | UNPCKLPD Vdq,Wdq
            15 | UNPCKHPS Vdq,Wdq | UNPCKHPD Vdq,Wdq
            16 | MOVLHPS Vq,Uq    |                  | MOVSHDUP Vdq,Wdq
            16 | MOVHPS Vq,Mq     | MOVHPD Vq,Mq
            17 | MOVHPS Mq,Vq     | MOVHPD Mq,Vq
            28 | MOVAPS Vdq,Wdq   | MOVAPD Vdq,Wdq
            29 | MOVAPS Wdq,Vdq   | MOVAPD Wdq,Vdq
            2A | CVTPI2PS Vdq,Qq  | CVTPI2PD Vdq,Qq  | CVTSI2SS Vd,Ey    | CVTSI2SD Vq,Ey
            2B | MOVNTPS Mdq,Vdq  | MOVNTPD Mdq,Vdq
            2C | CVTTPS2PI Pq,Wq  | CVTTPD2PI Pq,Wdq | CVTTSS2SI Gy,Wd   | CVTTSD2SI Gy,Wq
            2D | CVTPS2PI Pq,Wq   | CVTPD2PI Pq,Wdq  | CVTSS2SI Gy,Wd    | CVTSD2SI Gy,Wq
            2E | UCOMISS Vd,Wd    | UCOMISD Vq,Wq
            2F | COMISS Vd,Wd     | COMISD Vq,Wq
            50 | MOVMSKPS Gy,Udq  | MOVMSKPD Gy,Udq
            51 | SQRTPS Vdq,Wdq   | SQRTPD Vdq,Wdq   | SQRTSS Vd,Wd      | SQRTSD Vq,Wq
            52 | RSQRTPS Vdq,Wdq  |                  | RSQRTSS Vd,Wd
            53 | RCPPS Vdq,Wdq    |                  | RCPSS Vd,Wd
            54 | ANDPS Vdq,Wdq    | ANDPD Vdq,Wdq
            55 | ANDNPS Vdq,Wdq   | ANDNPD Vdq,Wdq
            56 | ORPS Vdq,Wdq     | ORPD Vdq,Wdq
            57 | XORPS Vdq,Wdq    | XORPD Vdq,Wdq
            58 | ADDPS Vdq,Wdq    | ADDPD Vdq,Wdq    | ADDSS Vd,Wd       | ADDSD Vq,Wq
            59 | MULPS Vdq,Wdq    | MULPD Vdq,Wdq    | MULSS Vd,Wd       | MULSD Vq,Wq
            5A | CVTPS2PD Vdq,Wq  | CVTPD2PS Vdq,Wdq | CVTSS2SD Vq,Wd    | CVTSD2SS Vd,Wq
            5B | CVTDQ2PS Vdq,Wdq | CVTPS2DQ Vdq,Wdq | CVTTPS2DQ Vdq,Wdq
            5C | SUBPS Vdq,Wdq    | SUBPD Vdq,Wdq    | SUBSS Vd,Wd       | SUBSD Vq,Wq
            5D | MINPS Vdq,Wdq    | MINPD Vdq,Wdq    | MINSS Vd,Wd       | MINSD Vq,Wq
            5E | DIVPS Vdq,Wdq    | DIVPD Vdq,Wdq    | DIVSS Vd,Wd       | DIVSD Vq,Wq
            5F | MAXPS Vdq,Wdq    | MAXPD Vdq,Wdq    | MAXSS Vd,Wd       | MAXSD Vq,Wq
            60 | PUNPCKLBW Pq,Qd  | PUNPCKLBW Vdq,Wdq
            61 | PUNPCKLWD Pq,Qd  | PUNPCKLWD Vdq,Wdq
            62 | PUNPCKLDQ Pq,Qd  | PUNPCKLDQ Vdq,Wdq
            63 | PACKSSWB Pq,Qq   | PACKSSWB Vdq,Wdq
            64 | PCMPGTB Pq,Qq    | PCMPGTB Vdq,Wdq
            65 | PCMPGTW Pq,Qq    | PCMPGTW Vdq,Wdq
            66 | PCMPGTD Pq,Qq    | PCMPGTD Vdq,Wdq
            67 | PACKUSWB Pq,Qq   | PACKUSWB Vdq,Wdq
            68 | PUNPCKHBW Pq,Qq  | PUNPCKHBW Vdq,Wdq
            69 | PUNPCKHWD Pq,Qq  | PUNPCKHWD Vdq,Wdq
            6A | PUNPCKHDQ Pq,Qq  | PUNPCKHDQ Vdq,Wdq
            6B | PACKSSDW Pq,Qq   | PACKSSDW Vdq,Wdq
            6C |                  | PUNPCKLQDQ Vdq,Wdq
            6D |                  | PUNPCKHQDQ Vdq,Wdq
            6E | MOVD/MOVQ Pq,Ey  | MOVD/MOVQ Vdq,Ey
            6F | MOVQ Pq,Qq       | MOVDQA Vdq,Wdq   | MOVDQU Vdq,Wdq
            70 | PSHUFW Pq,Qq,Ib  | PSHUFD Vdq,Wdq,Ib | PSHUFHW Vdq,Wdq,Ib | PSHUFLW Vdq,Wdq,Ib
            71/2 | PSRLW Nq,Ib    | PSRLW Udq,Ib
            71/4 | PSRAW Nq,Ib    | PSRAW Udq,Ib
            71/6 | PSLLW Nq,Ib    | PSLLW Udq,Ib
            72/2 | PSRLD Nq,Ib    | PSRLD Udq,Ib
            72/4 | PSRAD Nq,Ib    | PSRAD Udq,Ib
            72/6 | PSLLD Nq,Ib    | PSLLD Udq,Ib
            73/2 | PSRLQ Nq,Ib    | PSRLQ Udq,Ib
            73/3 |                | PSRLDQ Udq,Ib
            73/6 | PSLLQ Nq,Ib    | PSLLQ Udq,Ib
            73/7 |                | PSLLDQ Udq,Ib
            74 | PCMPEQB Pq,Qq    | PCMPEQB Vdq,Wdq
            75 | PCMPEQW Pq,Qq    | PCMPEQW Vdq,Wdq
            76 | PCMPEQD Pq,Qq    | PCMPEQD Vdq,Wdq
            77 | EMMS
            7C |                  | HADDPD Vdq,Wdq   |                   | HADDPS Vdq,Wdq
            7D |                  | HSUBPD Vdq,Wdq   |                   | HSUBPS Vdq,Wdq
            7E | MOVD/MOVQ Ey,Pq  | MOVD/MOVQ Ey,Vdq | MOVQ Vq,Wq
            7F | MOVQ Qq,Pq       | MOVDQA Wdq,Vdq   | MOVDQU Wdq,Vdq
            C2 | CMPPS Vdq,Wdq,Ib | CMPPD Vdq,Wdq,Ib | CMPSS Vd,Wd,Ib    | CMPSD_SSE Vq,Wq,Ib
            C4 | PINSRW Pq,Ey/w,Ib | PINSRW Vdq,Ey/w,Ib
            C5 | PEXTRW Gy,Nq,Ib  | PEXTRW Gy,Udq,Ib
            C6 | SHUFPS Vdq,Wdq,Ib | SHUFPD Vdq,Wdq,Ib
            D0 |                  | ADDSUBPD Vdq,Wdq |                   | ADDSUBPS Vdq,Wdq
            D1 | PSRLW Pq,Qq      | PSRLW Vdq,Wdq
            D2 | PSRLD Pq,Qq      | PSRLD Vdq,Wdq
            D3 | PSRLQ Pq,Qq      | PSRLQ Vdq,Wdq
            D4 | PADDQ Pq,Qq      | PADDQ Vdq,Wdq
            D5 | PMULLW Pq,Qq     | PMULLW Vdq,Wdq
            D6 |                  | MOVQ Wq,Vq       | MOVQ2DQ Vdq,Nq    | MOVDQ2Q Pq,Uq
            D7 | PMOVMSKB Gy,Nq   | PMOVMSKB Gy,Udq
            D8 | PSUBUSB Pq,Qq    | PSUBUSB Vdq,Wdq
            D9 | PSUBUSW Pq,Qq    | PSUBUSW Vdq,Wdq
            DA | PMINUB Pq,Qq     | PMINUB Vdq,Wdq
            DB | PAND Pq,Qq       | PAND Vdq,Wdq
            DC | PADDUSB Pq,Qq    | PADDUSB Vdq,Wdq
            DD | PADDUSW Pq,Qq    | PADDUSW Vdq,Wdq
            DE | PMAXUB Pq,Qq     | PMAXUB Vdq,Wdq
            DF | PANDN Pq,Qq      | PANDN Vdq,Wdq
            E0 | PAVGB Pq,Qq      | PAVGB Vdq,Wdq
            E1 | PSRAW Pq,Qq      | PSRAW Vdq,Wdq
            E2 | PSRAD Pq,Qq      | PSRAD Vdq,Wdq
            E3 | PAVGW Pq,Qq      | PAVGW Vdq,Wdq
            E4 | PMULHUW Pq,Qq    | PMULHUW Vdq,Wdq
            E5 | PMULHW Pq,Qq     | PMULHW Vdq,Wdq
            E6 |                  | CVTTPD2DQ Vdq,Wdq | CVTDQ2PD Vdq,Wq  | CVTPD2DQ Vdq,Wdq
            E7 | MOVNTQ Mq,Pq     | MOVNTDQ Mdq,Vdq
            E8 | PSUBSB Pq,Qq     | PSUBSB Vdq,Wdq
            E9 | PSUBSW Pq,Qq     | PSUBSW Vdq,Wdq
            EA | PMINSW Pq,Qq     | PMINSW Vdq,Wdq
            EB | POR Pq,Qq        | POR Vdq,Wdq
            EC | PADDSB Pq,Qq     | PADDSB Vdq,Wdq
            ED | PADDSW Pq,Qq     | PADDSW Vdq,Wdq
            EE | PMAXSW Pq,Qq     | PMAXSW Vdq,Wdq
            EF | PXOR Pq,Qq       | PXOR Vdq,Wdq
            F0 |                  |                  |                   | LDDQU Vdq,Mdq
            F1 | PSLLW Pq,Qq      | PSLLW Vdq,Wdq
            F2 | PSLLD Pq,Qq      | PSLLD Vdq,Wdq
            F3 | PSLLQ Pq,Qq      | PSLLQ Vdq,Wdq
            F4 | PMULUDQ Pq,Qq    | PMULUDQ Vdq,Wdq
            F5 | PMADDWD Pq,Qq    | PMADDWD Vdq,Wdq
            F6 | PSADBW Pq,Qq     | PSADBW Vdq,Wdq
            F7 | MASKMOVQ Pq,Nq   | MASKMOVDQU Vdq,Udq
            F8 | PSUBB Pq,Qq      | PSUBB Vdq,Wdq
            F9 | PSUBW Pq,Qq      | PSUBW Vdq,Wdq
            FA | PSUBD Pq,Qq      | PSUBD Vdq,Wdq
            FB | PSUBQ Pq,Qq      | PSUBQ Vdq,Wdq
            FC | PADDB Pq,Qq      | PADDB Vdq,Wdq
            FD | PADDW Pq,Qq      | PADDW Vdq,Wdq
            FE | PADDD Pq,Qq      | PADDD Vdq,Wdq
            """;
}
