package org.javisor.x86;

/**
 * The opcodes after a VEX prefix: AVX, AVX2, FMA, F16C, VAES, VPCLMULQDQ on vectors and BMI1 and
 * BMI2 on general registers (Intel SDM volume 2, tables and the instructions' own
 * pages). The columns are VEX.pp. Format: {@link OpcodeRows}.
 *
 * <p>An operation that SSE has too bears SSE's name; {@link Instruction#VEX} and the kinds of the
 * operands tell the two apart.
 */
final class VexTables {
    private VexTables() {}

    static final String ROWS_0F =
            """
            10 | MOVUPS Vx,Wx       | MOVUPD Vx,Wx      | MOVSS Vd,Md LIG       | MOVSD_SSE Vq,Mq LIG
            10 |                    |                   | MOVSS Vd,Hd,Ud LIG    | MOVSD_SSE Vq,Hq,Uq LIG
            11 | MOVUPS Wx,Vx       | MOVUPD Wx,Vx      | MOVSS Md,Vd LIG       | MOVSD_SSE Mq,Vq LIG
            11 |                    |                   | MOVSS Ud,Hd,Vd LIG    | MOVSD_SSE Uq,Hq,Vq LIG
            12 | MOVHLPS Vq,Hq,Uq   |                   | MOVSLDUP Vx,Wx        | MOVDDUP Vdq,Wq L0
            12 |                    |                   |                       | MOVDDUP Vx,Wx L1
            12 | MOVLPS Vq,Hq,Mq    | MOVLPD Vq,Hq,Mq
            13 | MOVLPS Mq,Vq       | MOVLPD Mq,Vq
            14 | UNPCKLPS Vx,Hx,Wx  | UNPCKLPD Vx,Hx,Wx
            15 | UNPCKHPS Vx,Hx,Wx  | UNPCKHPD Vx,Hx,Wx
            16 | MOVLHPS Vq,Hq,Uq   |                   | MOVSHDUP Vx,Wx
            16 | MOVHPS Vq,Hq,Mq    | MOVHPD Vq,Hq,Mq
            17 | MOVHPS Mq,Vq       | MOVHPD Mq,Vq
            28 | MOVAPS Vx,Wx       | MOVAPD Vx,Wx
            29 | MOVAPS Wx,Vx       | MOVAPD Wx,Vx
            2A |                    |                   | CVTSI2SS Vd,Hd,Ey LIG | CVTSI2SD Vq,Hq,Ey LIG
            2B | MOVNTPS Mx,Vx      | MOVNTPD Mx,Vx
            2C |                    |                   | CVTTSS2SI Gy,Wd LIG   | CVTTSD2SI Gy,Wq LIG
            2D |                    |                   | CVTSS2SI Gy,Wd LIG    | CVTSD2SI Gy,Wq LIG
            2E | UCOMISS Vd,Wd LIG  | UCOMISD Vq,Wq LIG
            2F | COMISS Vd,Wd LIG   | COMISD Vq,Wq LIG
            50 | MOVMSKPS Gy,Ux     | MOVMSKPD Gy,Ux
            51 | SQRTPS Vx,Wx       | SQRTPD Vx,Wx      | SQRTSS Vd,Hd,Wd LIG   | SQRTSD Vq,Hq,Wq LIG
            52 | RSQRTPS Vx,Wx      |                   | RSQRTSS Vd,Hd,Wd LIG
            53 | RCPPS Vx,Wx        |                   | RCPSS Vd,Hd,Wd LIG
            54 | ANDPS Vx,Hx,Wx     | ANDPD Vx,Hx,Wx
            55 | ANDNPS Vx,Hx,Wx    | ANDNPD Vx,Hx,Wx
            56 | ORPS Vx,Hx,Wx      | ORPD Vx,Hx,Wx
            57 | XORPS Vx,Hx,Wx     | XORPD Vx,Hx,Wx
            58 | ADDPS Vx,Hx,Wx     | ADDPD Vx,Hx,Wx    | ADDSS Vd,Hd,Wd LIG    | ADDSD Vq,Hq,Wq LIG
            59 | MULPS Vx,Hx,Wx     | MULPD Vx,Hx,Wx    | MULSS Vd,Hd,Wd LIG    | MULSD Vq,Hq,Wq LIG
            5A | CVTPS2PD Vx,Wdq/hx | CVTPD2PS Vdq,Wx   | CVTSS2SD Vq,Hq,Wd LIG | CVTSD2SS Vd,Hd,Wq LIG
            5B | CVTDQ2PS Vx,Wx     | CVTPS2DQ Vx,Wx    | CVTTPS2DQ Vx,Wx
            5C | SUBPS Vx,Hx,Wx     | SUBPD Vx,Hx,Wx    | SUBSS Vd,Hd,Wd LIG    | SUBSD Vq,Hq,Wq LIG
            5D | MINPS Vx,Hx,Wx     | MINPD Vx,Hx,Wx    | MINSS Vd,Hd,Wd LIG    | MINSD Vq,Hq,Wq LIG
            5E | DIVPS Vx,Hx,Wx     | DIVPD Vx,Hx,Wx    | DIVSS Vd,Hd,Wd LIG    | DIVSD Vq,Hq,Wq LIG
            5F | MAXPS Vx,Hx,Wx     | MAXPD Vx,Hx,Wx    | MAXSS Vd,Hd,Wd LIG    | MAXSD Vq,Hq,Wq LIG
            60 |                    | PUNPCKLBW Vx,Hx,Wx
            61 |                    | PUNPCKLWD Vx,Hx,Wx
            62 |                    | PUNPCKLDQ Vx,Hx,Wx
            63 |                    | PACKSSWB Vx,Hx,Wx
            64 |                    | PCMPGTB Vx,Hx,Wx
            65 |                    | PCMPGTW Vx,Hx,Wx
            66 |                    | PCMPGTD Vx,Hx,Wx
            67 |                    | PACKUSWB Vx,Hx,Wx
            68 |                    | PUNPCKHBW Vx,Hx,Wx
            69 |                    | PUNPCKHWD Vx,Hx,Wx
            6A |                    | PUNPCKHDQ Vx,Hx,Wx
            6B |                    | PACKSSDW Vx,Hx,Wx
            6C |                    | PUNPCKLQDQ Vx,Hx,Wx
            6D |                    | PUNPCKHQDQ Vx,Hx,Wx
            6E |                    | MOVD/MOVQ Vdq,Ey
            6F |                    | MOVDQA Vx,Wx      | MOVDQU Vx,Wx
            70 |                    | PSHUFD Vx,Wx,Ib   | PSHUFHW Vx,Wx,Ib      | PSHUFLW Vx,Wx,Ib
            71/2 |                    | PSRLW Hx,Ux,Ib
            71/4 |                    | PSRAW Hx,Ux,Ib
            71/6 |                    | PSLLW Hx,Ux,Ib
            72/2 |                    | PSRLD Hx,Ux,Ib
            72/4 |                    | PSRAD Hx,Ux,Ib
            72/6 |                    | PSLLD Hx,Ux,Ib
            73/2 |                    | PSRLQ Hx,Ux,Ib
            73/3 |                    | PSRLDQ Hx,Ux,Ib
            73/6 |                    | PSLLQ Hx,Ux,Ib
            73/7 |                    | PSLLDQ Hx,Ux,Ib
            74 |                    | PCMPEQB Vx,Hx,Wx
            75 |                    | PCMPEQW Vx,Hx,Wx
            76 |                    | PCMPEQD Vx,Hx,Wx
            77 | VZEROUPPER L0
            77 | VZEROALL L1
            7C |                    | HADDPD Vx,Hx,Wx   |                       | HADDPS Vx,Hx,Wx
            7D |                    | HSUBPD Vx,Hx,Wx   |                       | HSUBPS Vx,Hx,Wx
            7E |                    | MOVD/MOVQ Ey,Vdq  | MOVQ Vq,Wq
            7F |                    | MOVDQA Wx,Vx      | MOVDQU Wx,Vx
            AE/2m | LDMXCSR Md
            AE/3m | STMXCSR Md
            C2 | CMPPS Vx,Hx,Wx,Ib  | CMPPD Vx,Hx,Wx,Ib | CMPSS Vd,Hd,Wd,Ib LIG | CMPSD_SSE Vq,Hq,Wq,Ib LIG
            C4 |                    | PINSRW Vdq,Hdq,Ey/w,Ib
            C5 |                    | PEXTRW Gy,Udq,Ib
            C6 | SHUFPS Vx,Hx,Wx,Ib | SHUFPD Vx,Hx,Wx,Ib
            D0 |                    | ADDSUBPD Vx,Hx,Wx |                       | ADDSUBPS Vx,Hx,Wx
            D1 |                    | PSRLW Vx,Hx,Wdq
            D2 |                    | PSRLD Vx,Hx,Wdq
            D3 |                    | PSRLQ Vx,Hx,Wdq
            D4 |                    | PADDQ Vx,Hx,Wx
            D5 |                    | PMULLW Vx,Hx,Wx
            D6 |                    | MOVQ Wq,Vq
            D7 |                    | PMOVMSKB Gy,Ux
            D8 |                    | PSUBUSB Vx,Hx,Wx
            D9 |                    | PSUBUSW Vx,Hx,Wx
            DA |                    | PMINUB Vx,Hx,Wx
            DB |                    | PAND Vx,Hx,Wx
            DC |                    | PADDUSB Vx,Hx,Wx
            DD |                    | PADDUSW Vx,Hx,Wx
            DE |                    | PMAXUB Vx,Hx,Wx
            DF |                    | PANDN Vx,Hx,Wx
            E0 |                    | PAVGB Vx,Hx,Wx
            E1 |                    | PSRAW Vx,Hx,Wdq
            E2 |                    | PSRAD Vx,Hx,Wdq
            E3 |                    | PAVGW Vx,Hx,Wx
            E4 |                    | PMULHUW Vx,Hx,Wx
            E5 |                    | PMULHW Vx,Hx,Wx
            E6 |                    | CVTTPD2DQ Vdq,Wx  | CVTDQ2PD Vx,Wdq/hx    | CVTPD2DQ Vdq,Wx
            E7 |                    | MOVNTDQ Mx,Vx
            E8 |                    | PSUBSB Vx,Hx,Wx
            E9 |                    | PSUBSW Vx,Hx,Wx
            EA |                    | PMINSW Vx,Hx,Wx
            EB |                    | POR Vx,Hx,Wx
            EC |                    | PADDSB Vx,Hx,Wx
            ED |                    | PADDSW Vx,Hx,Wx
            EE |                    | PMAXSW Vx,Hx,Wx
            EF |                    | PXOR Vx,Hx,Wx
            F0 |                    |                   |                       | LDDQU Vx,Mx
            F1 |                    | PSLLW Vx,Hx,Wdq
            F2 |                    | PSLLD Vx,Hx,Wdq
            F3 |                    | PSLLQ Vx,Hx,Wdq
            F4 |                    | PMULUDQ Vx,Hx,Wx
            F5 |                    | PMADDWD Vx,Hx,Wx
            F6 |                    | PSADBW Vx,Hx,Wx
            F7 |                    | MASKMOVDQU Vdq,Udq
            F8 |                    | PSUBB Vx,Hx,Wx
            F9 |                    | PSUBW Vx,Hx,Wx
            FA |                    | PSUBD Vx,Hx,Wx
            FB |                    | PSUBQ Vx,Hx,Wx
            FC |                    | PADDB Vx,Hx,Wx
            FD |                    | PADDW Vx,Hx,Wx
            FE |                    | PADDD Vx,Hx,Wx
            """;

    static final String ROWS_0F38 =
            """
            00 |                | PSHUFB Vx,Hx,Wx
            01 |                | PHADDW Vx,Hx,Wx
            02 |                | PHADDD Vx,Hx,Wx
            03 |                | PHADDSW Vx,Hx,Wx
            04 |                | PMADDUBSW Vx,Hx,Wx
            05 |                | PHSUBW Vx,Hx,Wx
            06 |                | PHSUBD Vx,Hx,Wx
            07 |                | PHSUBSW Vx,Hx,Wx
            08 |                | PSIGNB Vx,Hx,Wx
            09 |                | PSIGNW Vx,Hx,Wx
            0A |                | PSIGND Vx,Hx,Wx
            0B |                | PMULHRSW Vx,Hx,Wx
            0C |                | VPERMILPS Vx,Hx,Wx W0
            0D |                | VPERMILPD Vx,Hx,Wx W0
            0E |                | VTESTPS Vx,Wx W0
            0F |                | VTESTPD Vx,Wx W0
            13 |                | VCVTPH2PS Vx,Wdq/hx W0
            16 |                | VPERMPS Vqq,Hqq,Wqq W0 L1
            17 |                | PTEST Vx,Wx
            18 |                | VBROADCASTSS Vx,Wd W0
            19 |                | VBROADCASTSD Vqq,Wq W0 L1
            1A |                | VBROADCASTF128 Vqq,Mdq W0 L1
            1C |                | PABSB Vx,Wx
            1D |                | PABSW Vx,Wx
            1E |                | PABSD Vx,Wx
            20 |                | PMOVSXBW Vx,Wdq/hx
            21 |                | PMOVSXBD Vx,Wdq/kx
            22 |                | PMOVSXBQ Vx,Wdq/ex
            23 |                | PMOVSXWD Vx,Wdq/hx
            24 |                | PMOVSXWQ Vx,Wdq/kx
            25 |                | PMOVSXDQ Vx,Wdq/hx
            28 |                | PMULDQ Vx,Hx,Wx
            29 |                | PCMPEQQ Vx,Hx,Wx
            2A |                | MOVNTDQA Vx,Mx
            2B |                | PACKUSDW Vx,Hx,Wx
            2C |                | VMASKMOVPS Vx,Hx,Mx W0
            2D |                | VMASKMOVPD Vx,Hx,Mx W0
            2E |                | VMASKMOVPS Mx,Hx,Vx W0
            2F |                | VMASKMOVPD Mx,Hx,Vx W0
            30 |                | PMOVZXBW Vx,Wdq/hx
            31 |                | PMOVZXBD Vx,Wdq/kx
            32 |                | PMOVZXBQ Vx,Wdq/ex
            33 |                | PMOVZXWD Vx,Wdq/hx
            34 |                | PMOVZXWQ Vx,Wdq/kx
            35 |                | PMOVZXDQ Vx,Wdq/hx
            36 |                | VPERMD Vqq,Hqq,Wqq W0 L1
            37 |                | PCMPGTQ Vx,Hx,Wx
            38 |                | PMINSB Vx,Hx,Wx
            39 |                | PMINSD Vx,Hx,Wx
            3A |                | PMINUW Vx,Hx,Wx
            3B |                | PMINUD Vx,Hx,Wx
            3C |                | PMAXSB Vx,Hx,Wx
            3D |                | PMAXSD Vx,Hx,Wx
            3E |                | PMAXUW Vx,Hx,Wx
            3F |                | PMAXUD Vx,Hx,Wx
            40 |                | PMULLD Vx,Hx,Wx
            41 |                | PHMINPOSUW Vdq,Wdq
            45 |                | VPSRLVD Vx,Hx,Wx W0
            45 |                | VPSRLVQ Vx,Hx,Wx W1
            46 |                | VPSRAVD Vx,Hx,Wx W0
            47 |                | VPSLLVD Vx,Hx,Wx W0
            47 |                | VPSLLVQ Vx,Hx,Wx W1
            58 |                | VPBROADCASTD Vx,Wd W0
            59 |                | VPBROADCASTQ Vx,Wq W0
            5A |                | VBROADCASTI128 Vqq,Mdq W0 L1
            78 |                | VPBROADCASTB Vx,Wb W0
            79 |                | VPBROADCASTW Vx,Ww W0
            8C |                | VPMASKMOVD Vx,Hx,Mx W0
            8C |                | VPMASKMOVQ Vx,Hx,Mx W1
            8E |                | VPMASKMOVD Mx,Hx,Vx W0
            8E |                | VPMASKMOVQ Mx,Hx,Vx W1
            90 |                | VPGATHERDD Vx,Xd/x,Hx W0
            90 |                | VPGATHERDQ Vx,Xq/dq,Hx W1
            91 |                | VPGATHERQD Vdq,Xd/x,Hdq W0
            91 |                | VPGATHERQQ Vx,Xq/x,Hx W1
            92 |                | VGATHERDPS Vx,Xd/x,Hx W0
            92 |                | VGATHERDPD Vx,Xq/dq,Hx W1
            93 |                | VGATHERQPS Vdq,Xd/x,Hdq W0
            93 |                | VGATHERQPD Vx,Xq/x,Hx W1
            96 |                | VFMADDSUB132PS Vx,Hx,Wx W0
            96 |                | VFMADDSUB132PD Vx,Hx,Wx W1
            97 |                | VFMSUBADD132PS Vx,Hx,Wx W0
            97 |                | VFMSUBADD132PD Vx,Hx,Wx W1
            98 |                | VFMADD132PS Vx,Hx,Wx W0
            98 |                | VFMADD132PD Vx,Hx,Wx W1
            99 |                | VFMADD132SS Vd,Hd,Wd W0 LIG
            99 |                | VFMADD132SD Vq,Hq,Wq W1 LIG
            9A |                | VFMSUB132PS Vx,Hx,Wx W0
            9A |                | VFMSUB132PD Vx,Hx,Wx W1
            9B |                | VFMSUB132SS Vd,Hd,Wd W0 LIG
            9B |                | VFMSUB132SD Vq,Hq,Wq W1 LIG
            9C |                | VFNMADD132PS Vx,Hx,Wx W0
            9C |                | VFNMADD132PD Vx,Hx,Wx W1
            9D |                | VFNMADD132SS Vd,Hd,Wd W0 LIG
            9D |                | VFNMADD132SD Vq,Hq,Wq W1 LIG
            9E |                | VFNMSUB132PS Vx,Hx,Wx W0
            9E |                | VFNMSUB132PD Vx,Hx,Wx W1
            9F |                | VFNMSUB132SS Vd,Hd,Wd W0 LIG
            9F |                | VFNMSUB132SD Vq,Hq,Wq W1 LIG
            A6 |                | VFMADDSUB213PS Vx,Hx,Wx W0
            A6 |                | VFMADDSUB213PD Vx,Hx,Wx W1
            A7 |                | VFMSUBADD213PS Vx,Hx,Wx W0
            A7 |                | VFMSUBADD213PD Vx,Hx,Wx W1
            A8 |                | VFMADD213PS Vx,Hx,Wx W0
            A8 |                | VFMADD213PD Vx,Hx,Wx W1
            A9 |                | VFMADD213SS Vd,Hd,Wd W0 LIG
            A9 |                | VFMADD213SD Vq,Hq,Wq W1 LIG
            AA |                | VFMSUB213PS Vx,Hx,Wx W0
            AA |                | VFMSUB213PD Vx,Hx,Wx W1
            AB |                | VFMSUB213SS Vd,Hd,Wd W0 LIG
            AB |                | VFMSUB213SD Vq,Hq,Wq W1 LIG
            AC |                | VFNMADD213PS Vx,Hx,Wx W0
            AC |                | VFNMADD213PD Vx,Hx,Wx W1
            AD |                | VFNMADD213SS Vd,Hd,Wd W0 LIG
            AD |                | VFNMADD213SD Vq,Hq,Wq W1 LIG
            AE |                | VFNMSUB213PS Vx,Hx,Wx W0
            AE |                | VFNMSUB213PD Vx,Hx,Wx W1
            AF |                | VFNMSUB213SS Vd,Hd,Wd W0 LIG
            AF |                | VFNMSUB213SD Vq,Hq,Wq W1 LIG
            B6 |                | VFMADDSUB231PS Vx,Hx,Wx W0
            B6 |                | VFMADDSUB231PD Vx,Hx,Wx W1
            B7 |                | VFMSUBADD231PS Vx,Hx,Wx W0
            B7 |                | VFMSUBADD231PD Vx,Hx,Wx W1
            B8 |                | VFMADD231PS Vx,Hx,Wx W0
            B8 |                | VFMADD231PD Vx,Hx,Wx W1
            B9 |                | VFMADD231SS Vd,Hd,Wd W0 LIG
            B9 |                | VFMADD231SD Vq,Hq,Wq W1 LIG
            BA |                | VFMSUB231PS Vx,Hx,Wx W0
            BA |                | VFMSUB231PD Vx,Hx,Wx W1
            BB |                | VFMSUB231SS Vd,Hd,Wd W0 LIG
            BB |                | VFMSUB231SD Vq,Hq,Wq W1 LIG
            BC |                | VFNMADD231PS Vx,Hx,Wx W0
            BC |                | VFNMADD231PD Vx,Hx,Wx W1
            BD |                | VFNMADD231SS Vd,Hd,Wd W0 LIG
            BD |                | VFNMADD231SD Vq,Hq,Wq W1 LIG
            BE |                | VFNMSUB231PS Vx,Hx,Wx W0
            BE |                | VFNMSUB231PD Vx,Hx,Wx W1
            BF |                | VFNMSUB231SS Vd,Hd,Wd W0 LIG
            BF |                | VFNMSUB231SD Vq,Hq,Wq W1 LIG
            DB |                | AESIMC Vdq,Wdq
            DC |                | AESENC Vx,Hx,Wx
            DD |                | AESENCLAST Vx,Hx,Wx
            DE |                | AESDEC Vx,Hx,Wx
            DF |                | AESDECLAST Vx,Hx,Wx
            F2 | ANDN Gy,By,Ey
            F3/1 | BLSR By,Ey
            F3/2 | BLSMSK By,Ey
            F3/3 | BLSI By,Ey
            F5 | BZHI Gy,Ey,By  |               | PEXT Gy,By,Ey | PDEP Gy,By,Ey
            F6 |                |               |               | MULX Gy,By,Ey
            F7 | BEXTR Gy,Ey,By | SHLX Gy,Ey,By | SARX Gy,Ey,By | SHRX Gy,Ey,By
            """;

    static final String ROWS_0F3A =
            """
            00 |  | VPERMQ Vqq,Wqq,Ib W1 L1
            01 |  | VPERMPD Vqq,Wqq,Ib W1 L1
            02 |  | VPBLENDD Vx,Hx,Wx,Ib W0
            04 |  | VPERMILPS Vx,Wx,Ib W0
            05 |  | VPERMILPD Vx,Wx,Ib W0
            06 |  | VPERM2F128 Vqq,Hqq,Wqq,Ib W0 L1
            08 |  | ROUNDPS Vx,Wx,Ib
            09 |  | ROUNDPD Vx,Wx,Ib
            0A |  | ROUNDSS Vd,Hd,Wd,Ib LIG
            0B |  | ROUNDSD Vq,Hq,Wq,Ib LIG
            0C |  | BLENDPS Vx,Hx,Wx,Ib
            0D |  | BLENDPD Vx,Hx,Wx,Ib
            0E |  | PBLENDW Vx,Hx,Wx,Ib
            0F |  | PALIGNR Vx,Hx,Wx,Ib
            14 |  | PEXTRB Ey/b,Vdq,Ib
            15 |  | PEXTRW Ey/w,Vdq,Ib
            16 |  | PEXTRD Ey,Vdq,Ib W0
            16 |  | PEXTRQ Ey,Vdq,Ib W1 o64
            17 |  | EXTRACTPS Ey/d,Vdq,Ib
            18 |  | VINSERTF128 Vqq,Hqq,Wdq,Ib W0 L1
            19 |  | VEXTRACTF128 Wdq,Vqq,Ib W0 L1
            1D |  | VCVTPS2PH Wdq/hx,Vx,Ib W0
            20 |  | PINSRB Vdq,Hdq,Ey/b,Ib
            21 |  | INSERTPS Vdq,Hdq,Wd,Ib
            22 |  | PINSRD Vdq,Hdq,Ey,Ib W0
            22 |  | PINSRQ Vdq,Hdq,Ey,Ib W1 o64
            38 |  | VINSERTI128 Vqq,Hqq,Wdq,Ib W0 L1
            39 |  | VEXTRACTI128 Wdq,Vqq,Ib W0 L1
            40 |  | DPPS Vx,Hx,Wx,Ib
            41 |  | DPPD Vdq,Hdq,Wdq,Ib
            42 |  | MPSADBW Vx,Hx,Wx,Ib
            44 |  | PCLMULQDQ Vx,Hx,Wx,Ib
            46 |  | VPERM2I128 Vqq,Hqq,Wqq,Ib W0 L1
            4A |  | BLENDVPS Vx,Hx,Wx,Tx W0
            4B |  | BLENDVPD Vx,Hx,Wx,Tx W0
            4C |  | PBLENDVB Vx,Hx,Wx,Tx W0
            60 |  | PCMPESTRM Vdq,Wdq,Ib
            61 |  | PCMPESTRI Vdq,Wdq,Ib
            62 |  | PCMPISTRM Vdq,Wdq,Ib
            63 |  | PCMPISTRI Vdq,Wdq,Ib
            DF |  | AESKEYGENASSIST Vdq,Wdq,Ib
            F0 |  |  |  | RORX Gy,Ey,Ib
            """;
}
