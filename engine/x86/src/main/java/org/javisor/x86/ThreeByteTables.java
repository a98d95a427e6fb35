package org.javisor.x86;

/**
 * The opcodes after 0F 38 and 0F 3A (Intel SDM volume 2, tables ). Format: {@link
 * OpcodeRows}.
 */
final class ThreeByteTables {
    private ThreeByteTables() {}

    static final String ROWS_0F38 =
            """
            00 | PSHUFB Pq,Qq    | PSHUFB Vdq,Wdq
            01 | PHADDW Pq,Qq    | PHADDW Vdq,Wdq
            02 | PHADDD Pq,Qq    | PHADDD Vdq,Wdq
            03 | PHADDSW Pq,Qq   | PHADDSW Vdq,Wdq
            04 | PMADDUBSW Pq,Qq | PMADDUBSW Vdq,Wdq
            05 | PHSUBW Pq,Qq    | PHSUBW Vdq,Wdq
            06 | PHSUBD Pq,Qq    | PHSUBD Vdq,Wdq
            07 | PHSUBSW Pq,Qq   | PHSUBSW Vdq,Wdq
            08 | PSIGNB Pq,Qq    | PSIGNB Vdq,Wdq
            09 | PSIGNW Pq,Qq    | PSIGNW Vdq,Wdq
            0A | PSIGND Pq,Qq    | PSIGND Vdq,Wdq
            0B | PMULHRSW Pq,Qq  | PMULHRSW Vdq,Wdq
            10 | | PBLENDVB Vdq,Wdq,XMM0
            14 | | BLENDVPS Vdq,Wdq,XMM0
            15 | | BLENDVPD Vdq,Wdq,XMM0
            17 | | PTEST Vdq,Wdq
            1C | PABSB Pq,Qq     | PABSB Vdq,Wdq
            1D | PABSW Pq,Qq     | PABSW Vdq,Wdq
            1E | PABSD Pq,Qq     | PABSD Vdq,Wdq
            20 | | PMOVSXBW Vdq,Wq
            21 | | PMOVSXBD Vdq,Wd
            22 | | PMOVSXBQ Vdq,Ww
            23 | | PMOVSXWD Vdq,Wq
            24 | | PMOVSXWQ Vdq,Wd
            25 | | PMOVSXDQ Vdq,Wq
            28 | | PMULDQ Vdq,Wdq
            29 | | PCMPEQQ Vdq,Wdq
            2A | | MOVNTDQA Vdq,Mdq
            2B | | PACKUSDW Vdq,Wdq
            30 | | PMOVZXBW Vdq,Wq
            31 | | PMOVZXBD Vdq,Wd
            32 | | PMOVZXBQ Vdq,Ww
            33 | | PMOVZXWD Vdq,Wq
            34 | | PMOVZXWQ Vdq,Wd
            35 | | PMOVZXDQ Vdq,Wq
            37 | | PCMPGTQ Vdq,Wdq
            38 | | PMINSB Vdq,Wdq
            39 | | PMINSD Vdq,Wdq
            3A | | PMINUW Vdq,Wdq
            3B | | PMINUD Vdq,Wdq
            3C | | PMAXSB Vdq,Wdq
            3D | | PMAXSD Vdq,Wdq
            3E | | PMAXUW Vdq,Wdq
            3F | | PMAXUD Vdq,Wdq
            40 | | PMULLD Vdq,Wdq
            41 | | PHMINPOSUW Vdq,Wdq
            82 | | INVPCID Gn,Mdq n
            C8 | SHA1NEXTE Vdq,Wdq
            C9 | SHA1MSG1 Vdq,Wdq
            CA | SHA1MSG2 Vdq,Wdq
            CB | SHA256RNDS2 Vdq,Wdq,XMM0
            CC | SHA256MSG1 Vdq,Wdq
            CD | SHA256MSG2 Vdq,Wdq
            DB | | AESIMC Vdq,Wdq
            DC | | AESENC Vdq,Wdq
            DD | | AESENCLAST Vdq,Wdq
            DE | | AESDEC Vdq,Wdq
            DF | | AESDECLAST Vdq,Wdq
            F0 MOVBE Gv,Mv
            F1 MOVBE Mv,Gv
            F0 | | | - | CRC32 Gd,Eb b
            F1 | | | - | CRC32 Gd,Ev
            F6 | | ADCX Gy,Ey | ADOX Gy,Ey
            F8 | | MOVDIR64B Gn,Mk
            F9 | MOVDIRI My,Gy
            """;

    static final String ROWS_0F3A =
            """
            08 | | ROUNDPS Vdq,Wdq,Ib
            09 | | ROUNDPD Vdq,Wdq,Ib
            0A | | ROUNDSS Vd,Wd,Ib
            0B | | ROUNDSD Vq,Wq,Ib
            0C | | BLENDPS Vdq,Wdq,Ib
            0D | | BLENDPD Vdq,Wdq,Ib
            0E | | PBLENDW Vdq,Wdq,Ib
            0F | PALIGNR Pq,Qq,Ib | PALIGNR Vdq,Wdq,Ib
            14 | | PEXTRB Ey/b,Vdq,Ib
            15 | | PEXTRW Ey/w,Vdq,Ib
            16 | | PEXTRD/PEXTRQ Ey,Vdq,Ib
            17 | | EXTRACTPS Ey/d,Vdq,Ib
            20 | | PINSRB Vdq,Ey/b,Ib
            21 | | INSERTPS Vdq,Wd,Ib
            22 | | PINSRD/PINSRQ Vdq,Ey,Ib
            40 | | DPPS Vdq,Wdq,Ib
            41 | | DPPD Vdq,Wdq,Ib
            42 | | MPSADBW Vdq,Wdq,Ib
            44 | | PCLMULQDQ Vdq,Wdq,Ib
            60 | | PCMPESTRM Vdq,Wdq,Ib
            61 | | PCMPESTRI Vdq,Wdq,Ib
            62 | | PCMPISTRM Vdq,Wdq,Ib
            63 | | PCMPISTRI Vdq,Wdq,Ib
            CC | SHA1RNDS4 Vdq,Wdq,Ib
            DF | | AESKEYGENASSIST Vdq,Wdq,Ib
            """;
}
