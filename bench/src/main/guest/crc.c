/* CRC-32 by table over 64 KiB: shifts, byte loads, a dependent chain through memory. */
#include "bench.h"

enum { SIZE = 64 << 10 };

static uint32_t table[256];
static uint8_t data[SIZE];

static void prepare(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++) {
            value = value & 1 ? value >> 1 ^ 0xedb88320 : value >> 1;
        }
        table[i] = value;
    }
    uint64_t seed = 1;
    for (int i = 0; i < SIZE; i++) {
        data[i] = next_random(&seed);
    }
}

uint64_t crc(void) {
    if (table[1] == 0) {
        prepare();
    }
    uint32_t value = ~0u;
    for (int i = 0; i < SIZE; i++) {
        value = table[(value ^ data[i]) & 0xff] ^ value >> 8;
    }
    return ~value;
}
