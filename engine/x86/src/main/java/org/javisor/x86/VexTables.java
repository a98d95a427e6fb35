package org.javisor.x86;

/**
 * The opcodes after a VEX prefix: BMI1 and BMI2, which take general registers (Intel SDM volume 2,
 * table ). The columns are VEX.pp. AVX is not here and decodes as undefined. Format:
 * {@link OpcodeRows}.
 */
final class VexTables {
    private VexTables() {}

    static final String ROWS_0F38 =
            """
            F2 | ANDN Gy,By,Ey
            F3/1 | BLSR By,Ey
            F3/2 | BLSMSK By,Ey
            F3/3 | BLSI By,Ey
            F5 | BZHI Gy,Ey,By | | PEXT Gy,By,Ey | PDEP Gy,By,Ey
            F6 | | | | MULX Gy,By,Ey
            F7 | BEXTR Gy,Ey,By | SHLX Gy,Ey,By | SARX Gy,Ey,By | SHRX Gy,Ey,By
            """;

    static final String ROWS_0F3A =
            """
            F0 | | | | RORX Gy,Ey,Ib
            """;
}
