package org.javisor.chipset;

import org.javisor.device.PitState;

/**
 * One of the 8254's three counters (Intel 8254 data sheet, order 231164), without time or lock of
 * its own: every method takes the present tick of the 1.193182 MHz input clock. Nothing ticks; the
 * count and OUT are computed from when the count was loaded.
 */
final class PitCounter {
    private int mode;
    private boolean bcd;
    private int access = 3;
    private int count;
    private int nextCount;

    /**
     * The tick at which the count was loaded; while the gate holds it up, the ticks counted so far
     * instead.
     */
    private long base;

    private boolean counting;
    private boolean triggered;
    private boolean gate;
    private int writeLow = -1;
    private boolean readHigh;
    private int latched = -1;
    private int latchedStatus = -1;

    PitCounter(boolean gate) {
        this.gate = gate;
    }

    void reset(boolean gateLevel) {
        restore(
                new PitState.Counter(
                        0, false, 3, 0, 0, 0, false, false, gateLevel, -1, false, -1, -1),
                0);
    }

    /** A control word meant for this counter that is not a latch command. */
    void setMode(int control) {
        access = control >> 4 & 3;
        int selected = control >> 1 & 7;
        mode = selected > 5 ? selected - 4 : selected;
        bcd = (control & 1) != 0;
        count = 0;
        nextCount = 0;
        base = 0;
        counting = false;
        triggered = false;
        writeLow = -1;
        readHigh = false;
        latched = -1;
        latchedStatus = -1;
    }

    void write(int value, long now) {
        switch (access) {
            case 1 -> load(value, now);
            case 2 -> load(value << 8, now);
            default -> {
                if (writeLow < 0) {
                    writeLow = value;
                    if (mode == 0 && counting) {
                        // In mode 0 the first byte stops the counting.
                        stop(now);
                    }
                } else {
                    int whole = value << 8 | writeLow;
                    writeLow = -1;
                    load(whole, now);
                }
            }
        }
    }

    private void load(int written, long now) {
        int ticks = fromRegister(written);
        settle(now);
        boolean waits =
                switch (mode) {
                    case 1, 5 -> true;
                    case 2, 3 -> count != 0;
                    default -> false;
                };
        if (waits) {
            // Modes 1 and 5 load with the next trigger, 2 and 3 at the end of the period.
            if (count == 0) {
                count = ticks;
            } else {
                nextCount = ticks;
            }
            return;
        }
        count = ticks;
        nextCount = 0;
        base = 0;
        counting = false;
        if (gate) {
            start(now);
        }
    }

    void setGate(boolean level, long now) {
        if (level == gate) {
            return;
        }
        settle(now);
        gate = level;
        switch (mode) {
            case 0, 4 -> {
                if (count == 0) {
                    return;
                }
                if (!level) {
                    stop(now);
                } else if (writeLow < 0 || mode == 4) {
                    start(now);
                }
            }
            case 1, 5 -> {
                if (level && count != 0) {
                    triggered = true;
                    reload(now);
                }
            }
            default -> {
                if (level && count != 0) {
                    reload(now);
                } else {
                    stop(now);
                }
            }
        }
    }

    private void reload(long now) {
        if (nextCount != 0) {
            count = nextCount;
            nextCount = 0;
        }
        base = now;
        counting = true;
    }

    private void start(long now) {
        if (!counting) {
            base = now - base;
            counting = true;
        }
    }

    private void stop(long now) {
        if (counting) {
            base = now - base;
            counting = false;
        }
    }

    private long elapsed(long now) {
        return counting ? now - base : base;
    }

    /** Carries out a reload that was due at the end of a period. */
    void settle(long now) {
        if (nextCount != 0 && counting && (mode == 2 || mode == 3) && now - base >= count) {
            base += count;
            count = nextCount;
            nextCount = 0;
        }
    }

    boolean out(long now) {
        settle(now);
        long elapsed = elapsed(now);
        return switch (mode) {
            case 0 -> count != 0 && elapsed >= count;
            case 1 -> !triggered || elapsed >= count;
            case 2 -> !counting || elapsed % count != count - 1;
            case 3 -> !counting || elapsed % count < (count + 1) / 2;
            default -> count == 0 || mode == 5 && !triggered || elapsed != count;
        };
    }

    /**
     * The tick after {@code now} at which OUT next rises, or -1 if it will not without the guest's
     * doing.
     */
    long nextRise(long now) {
        settle(now);
        if (!counting || count == 0) {
            return -1;
        }
        long elapsed = now - base;
        return switch (mode) {
            case 0, 1 -> elapsed < count ? base + count : -1;
            case 2, 3 -> base + (elapsed / count + 1) * count;
            default -> elapsed <= count ? base + count + 1 : -1;
        };
    }

    boolean periodic() {
        return mode == 2 || mode == 3;
    }

    void latchCount(long now) {
        if (latched < 0) {
            latched = current(now);
        }
    }

    void latchStatus(long now) {
        if (latchedStatus < 0) {
            boolean nullCount = count == 0 || nextCount != 0;
            latchedStatus =
                    (out(now) ? 0x80 : 0)
                            | (nullCount ? 0x40 : 0)
                            | access << 4
                            | mode << 1
                            | (bcd ? 1 : 0);
        }
    }

    int read(long now) {
        if (latchedStatus >= 0) {
            int status = latchedStatus;
            latchedStatus = -1;
            return status;
        }
        int value = latched >= 0 ? latched : current(now);
        boolean high = access == 2 || access == 3 && readHigh;
        if (access == 3) {
            readHigh = !readHigh;
        }
        if (access != 3 || high) {
            latched = -1;
        }
        return high ? value >> 8 & 0xff : value & 0xff;
    }

    /** The counting element as a register value. */
    private int current(long now) {
        if (count == 0) {
            return 0;
        }
        settle(now);
        long elapsed = elapsed(now);
        long left =
                switch (mode) {
                    case 2 -> count - elapsed % count;
                    // Counts down by two, twice a period.
                    case 3 -> (count & ~1) - 2 * elapsed % Math.max(count & ~1, 2);
                    case 1, 5 -> triggered ? count - elapsed : count;
                    default -> count - elapsed;
                };
        return toRegister(left);
    }

    private int fromRegister(int written) {
        if (!bcd) {
            return written == 0 ? 0x10000 : written;
        }
        int decimal = 0;
        for (int digit = 12; digit >= 0; digit -= 4) {
            decimal = decimal * 10 + (written >> digit & 0xf);
        }
        return decimal == 0 ? 10_000 : decimal;
    }

    /** After the end the counter wraps round and goes on, from FFFFh or 9999. */
    private int toRegister(long left) {
        if (!bcd) {
            return (int) left & 0xffff;
        }
        int rest = Math.floorMod(left, 10_000);
        return rest / 1000 << 12 | rest / 100 % 10 << 8 | rest / 10 % 10 << 4 | rest % 10;
    }

    PitState.Counter save(long now) {
        settle(now);
        return new PitState.Counter(
                mode,
                bcd,
                access,
                count,
                nextCount,
                elapsed(now),
                counting,
                triggered,
                gate,
                writeLow,
                readHigh,
                latched,
                latchedStatus);
    }

    void restore(PitState.Counter state, long now) {
        mode = state.mode();
        bcd = state.bcd();
        access = state.access();
        count = state.count();
        nextCount = state.nextCount();
        counting = state.counting();
        base = counting ? now - state.elapsed() : state.elapsed();
        triggered = state.triggered();
        gate = state.gate();
        writeLow = state.writeLow();
        readHigh = state.readHigh();
        latched = state.latched();
        latchedStatus = state.latchedStatus();
    }
}
