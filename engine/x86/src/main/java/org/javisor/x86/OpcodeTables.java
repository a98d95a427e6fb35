package org.javisor.x86;

/** The opcode maps, one set for 16- and 32-bit code and one for 64-bit code. */
final class OpcodeTables {
    static final int ONE_BYTE = 0;
    static final int ESCAPE_0F = 1;
    static final int ESCAPE_0F38 = 2;
    static final int ESCAPE_0F3A = 3;

    private static final int MAPS = 4;

    static final Map[] LEGACY = new Map[MAPS];
    static final Map[] LONG_MODE = new Map[MAPS];

    static {
        for (int i = 0; i < MAPS; i++) {
            LEGACY[i] = new Map();
            LONG_MODE[i] = new Map();
        }
        rows(ONE_BYTE).read(OneByteTable.arithmetic());
        rows(ONE_BYTE).read(OneByteTable.ROWS);
        rows(ONE_BYTE).read(X87Table.ROWS);
        rows(ESCAPE_0F).read(TwoByteTable.SYSTEM_AND_INTEGER);
        rows(ESCAPE_0F).read(TwoByteTable.SIMD);
        rows(ESCAPE_0F38).read(ThreeByteTables.ROWS_0F38);
        rows(ESCAPE_0F3A).read(ThreeByteTables.ROWS_0F3A);
    }

    private OpcodeTables() {}

    private static OpcodeRows rows(int map) {
        return new OpcodeRows(new Map[] {LEGACY[map]}, new Map[] {LONG_MODE[map]});
    }

    /**
     * The maps of VEX encodings: one for each of 0F, 0F38 and 0F3A, and of the values of VEX.W and
     * VEX.L. Apart, because a guest without them need not wait for them to be built.
     */
    static final class Vex {
        static final Map[] LEGACY = new Map[12];
        static final Map[] LONG_MODE = new Map[12];

        static {
            for (int i = 0; i < 12; i++) {
                LEGACY[i] = new Map();
                LONG_MODE[i] = new Map();
            }
            rows(ESCAPE_0F).read(VexTables.ROWS_0F);
            rows(ESCAPE_0F38).read(VexTables.ROWS_0F38);
            rows(ESCAPE_0F3A).read(VexTables.ROWS_0F3A);
        }

        private Vex() {}

        static int index(int map, boolean wide, boolean long256) {
            return (map - 1) * 4 | (wide ? 2 : 0) | (long256 ? 1 : 0);
        }

        private static OpcodeRows rows(int map) {
            int from = index(map, false, false);
            return new OpcodeRows(
                    java.util.Arrays.copyOfRange(LEGACY, from, from + 4),
                    java.util.Arrays.copyOfRange(LONG_MODE, from, from + 4));
        }
    }

    /**
     * 256 opcodes by mandatory prefix (0 none, 1 66h, 2 F3h, 3 F2h), where needed by ModRM byte as
     * well.
     */
    static final class Map {
        /** By ModRM.reg for memory forms; then by the low six bits of ModRM for register forms. */
        private static final int BY_MODRM = 8 + 64;

        /** Null where undefined; of length 1 where the ModRM byte does not matter. */
        private final Opcode[][] cells = new Opcode[4 * 256][];

        /**
         * The opcodes of one cell; null, or empty of meaning where an element is null: undefined.
         */
        Opcode[] cell(int prefix, int code) {
            return cells[prefix << 8 | code];
        }

        static Opcode byModrm(Opcode[] cell, int modrm) {
            return cell[modrm < 0xc0 ? modrm >> 3 & 7 : 8 + (modrm & 0x3f)];
        }

        /**
         * Sets the forms whose low six ModRM bits lie in a range, or all if {@code first} is
         * negative.
         */
        void put(
                int prefix,
                int code,
                int first,
                int last,
                boolean memory,
                boolean register,
                Opcode opcode) {
            int at = prefix << 8 | code;
            Opcode[] cell = cells[at];
            if (first < 0 && memory && register) {
                cells[at] = opcode == null ? null : new Opcode[] {opcode};
                return;
            }
            if (cell == null || cell.length == 1) {
                Opcode[] wider = new Opcode[BY_MODRM];
                if (cell != null) {
                    java.util.Arrays.fill(wider, cell[0]);
                }
                cell = wider;
                cells[at] = cell;
            }
            int from = Math.max(first, 0);
            int to = first < 0 ? 0x3f : last;
            if (memory) {
                java.util.Arrays.fill(cell, from >> 3, (to >> 3) + 1, opcode);
            }
            if (register) {
                java.util.Arrays.fill(cell, 8 + from, 8 + to + 1, opcode);
            }
        }
    }
}
