package org.javisor.interpreter;

import java.util.ArrayList;
import java.util.List;

/**
 * One x87 instruction to be tried, its memory operand at [RSI].
 *
 * @param operand what the memory holds before: a real of 4, 8 or 10 bytes, an integer, packed
 *     decimal, an environment or anything
 * @param tolerance how many units in the last place results may differ
 */
record X87Form(String name, Operand operand, int tolerance, byte[] code) {
    enum Operand {
        ANYTHING,
        REAL4,
        REAL8,
        REAL10,
        INTEGER,
        DECIMAL
    }

    boolean usesMemory() {
        int modrm = code[code.length - 1] & 0xff;
        return code.length > 1 && modrm < 0xc0;
    }

    private static X87Form of(String name, Operand operand, int... code) {
        byte[] bytes = new byte[code.length];
        for (int n = 0; n < code.length; n++) {
            bytes[n] = (byte) code[n];
        }
        return new X87Form(name, operand, 0, bytes);
    }

    private static X87Form of(String name, int... code) {
        return of(name, Operand.ANYTHING, code);
    }

    private static X87Form transcendental(String name, int second) {
        return new X87Form(name, Operand.ANYTHING, 1, new byte[] {(byte) 0xd9, (byte) second});
    }

    static List<X87Form> all() {
        List<X87Form> forms = new ArrayList<>();
        dyadic(forms);
        loadsAndStores(forms);
        registers(forms);
        control(forms);
        forms.add(transcendental("F2XM1", 0xf0));
        forms.add(transcendental("FYL2X", 0xf1));
        forms.add(transcendental("FPTAN", 0xf2));
        forms.add(transcendental("FPATAN", 0xf3));
        forms.add(transcendental("FYL2XP1", 0xf9));
        forms.add(transcendental("FSINCOS", 0xfb));
        forms.add(transcendental("FSIN", 0xfe));
        forms.add(transcendental("FCOS", 0xff));
        return forms;
    }

    private static void dyadic(List<X87Form> forms) {
        String[] names = {"ADD", "MUL", "COM", "COMP", "SUB", "SUBR", "DIV", "DIVR"};
        for (int n = 0; n < 8; n++) {
            String name = names[n];
            int register = 0xc0 | n << 3;
            int memory = n << 3 | 6;
            forms.add(of("F" + name + " m32", Operand.REAL4, 0xd8, memory));
            forms.add(of("F" + name + " m64", Operand.REAL8, 0xdc, memory));
            forms.add(of("FI" + name + " m32", Operand.INTEGER, 0xda, memory));
            forms.add(of("FI" + name + " m16", Operand.INTEGER, 0xde, memory));
            forms.add(of("F" + name + " ST0,ST1", 0xd8, register | 1));
            forms.add(of("F" + name + " ST0,ST0", 0xd8, register));
            if (n != 2 && n != 3) {
                forms.add(of("F" + name + " ST1,ST0 reversed", 0xdc, register | 1));
                forms.add(of("F" + name + "P ST1,ST0 reversed", 0xde, register | 1));
                forms.add(of("F" + name + "P ST0,ST0", 0xde, register));
            }
        }
        forms.add(of("FCOMPP", 0xde, 0xd9));
        forms.add(of("FUCOMPP", 0xda, 0xe9));
        forms.add(of("FUCOM", 0xdd, 0xe1));
        forms.add(of("FUCOMP", 0xdd, 0xe9));
        forms.add(of("FCOMI", 0xdb, 0xf1));
        forms.add(of("FCOMIP", 0xdf, 0xf1));
        forms.add(of("FUCOMI", 0xdb, 0xe9));
        forms.add(of("FUCOMIP", 0xdf, 0xe9));
        forms.add(of("FTST", 0xd9, 0xe4));
        forms.add(of("FXAM", 0xd9, 0xe5));
    }

    private static void loadsAndStores(List<X87Form> forms) {
        forms.add(of("FLD m32", Operand.REAL4, 0xd9, 0x06));
        forms.add(of("FLD m64", Operand.REAL8, 0xdd, 0x06));
        forms.add(of("FLD m80", Operand.REAL10, 0xdb, 0x2e));
        forms.add(of("FLD ST1", 0xd9, 0xc1));
        forms.add(of("FLD ST7", 0xd9, 0xc7));
        forms.add(of("FST m32", 0xd9, 0x16));
        forms.add(of("FSTP m32", 0xd9, 0x1e));
        forms.add(of("FST m64", 0xdd, 0x16));
        forms.add(of("FSTP m64", 0xdd, 0x1e));
        forms.add(of("FSTP m80", 0xdb, 0x3e));
        forms.add(of("FST ST3", 0xdd, 0xd3));
        forms.add(of("FSTP ST3", 0xdd, 0xdb));
        forms.add(of("FSTP ST0", 0xdd, 0xd8));
        forms.add(of("FSTP ST2, alias", 0xdf, 0xd2));
        forms.add(of("FILD m16", Operand.INTEGER, 0xdf, 0x06));
        forms.add(of("FILD m32", Operand.INTEGER, 0xdb, 0x06));
        forms.add(of("FILD m64", Operand.INTEGER, 0xdf, 0x2e));
        forms.add(of("FIST m16", 0xdf, 0x16));
        forms.add(of("FIST m32", 0xdb, 0x16));
        forms.add(of("FISTP m16", 0xdf, 0x1e));
        forms.add(of("FISTP m32", 0xdb, 0x1e));
        forms.add(of("FISTP m64", 0xdf, 0x3e));
        forms.add(of("FISTTP m16", 0xdf, 0x0e));
        forms.add(of("FISTTP m32", 0xdb, 0x0e));
        forms.add(of("FISTTP m64", 0xdd, 0x0e));
        forms.add(of("FBLD", Operand.DECIMAL, 0xdf, 0x26));
        forms.add(of("FBSTP", 0xdf, 0x36));
    }

    private static void registers(List<X87Form> forms) {
        String[] constants = {"FLD1", "FLDL2T", "FLDL2E", "FLDPI", "FLDLG2", "FLDLN2", "FLDZ"};
        for (int n = 0; n < constants.length; n++) {
            forms.add(of(constants[n], 0xd9, 0xe8 + n));
        }
        forms.add(of("FCHS", 0xd9, 0xe0));
        forms.add(of("FABS", 0xd9, 0xe1));
        forms.add(of("FSQRT", 0xd9, 0xfa));
        forms.add(of("FRNDINT", 0xd9, 0xfc));
        forms.add(of("FSCALE", 0xd9, 0xfd));
        forms.add(of("FPREM", 0xd9, 0xf8));
        forms.add(of("FPREM1", 0xd9, 0xf5));
        forms.add(of("FXTRACT", 0xd9, 0xf4));
        forms.add(of("FXCH ST1", 0xd9, 0xc9));
        forms.add(of("FXCH ST2, alias", 0xdd, 0xca));
        forms.add(of("FFREE", 0xdd, 0xc1));
        forms.add(of("FFREEP", 0xdf, 0xc1));
        forms.add(of("FINCSTP", 0xd9, 0xf7));
        forms.add(of("FDECSTP", 0xd9, 0xf6));
        forms.add(of("FNOP", 0xd9, 0xd0));
        String[] conditions = {"B", "E", "BE", "U"};
        for (int n = 0; n < 4; n++) {
            forms.add(of("FCMOV" + conditions[n], 0xda, 0xc1 | n << 3));
            forms.add(of("FCMOVN" + conditions[n], 0xdb, 0xc1 | n << 3));
        }
    }

    private static void control(List<X87Form> forms) {
        forms.add(of("FNINIT", 0xdb, 0xe3));
        forms.add(of("FNCLEX", 0xdb, 0xe2));
        forms.add(of("FNSTCW", 0xd9, 0x3e));
        forms.add(of("FLDCW", 0xd9, 0x2e));
        forms.add(of("FNSTSW m16", 0xdd, 0x3e));
        forms.add(of("FNSTSW AX", 0xdf, 0xe0));
        forms.add(of("FNSTENV", 0xd9, 0x36));
        forms.add(of("FNSTENV, 16 bits", 0x66, 0xd9, 0x36));
        forms.add(of("FLDENV", 0xd9, 0x26));
        forms.add(of("FLDENV, 16 bits", 0x66, 0xd9, 0x26));
        forms.add(of("FNSAVE", 0xdd, 0x36));
        forms.add(of("FNSAVE, 16 bits", 0x66, 0xdd, 0x36));
        forms.add(of("FRSTOR", 0xdd, 0x26));
        forms.add(of("FRSTOR, 16 bits", 0x66, 0xdd, 0x26));
        forms.add(of("WAIT", 0x9b));
    }
}
