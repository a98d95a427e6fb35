/*
 * Compresses 64 KiB and unpacks them again. A token byte below 128 is that many + 1 literals; any other
 * stands for a match of its low 7 bits + 4 bytes, at a 16-bit distance that follows.
 */
#include "bench.h"

#include <string.h>

enum { SIZE = 64 << 10, HASH_BITS = 12, MIN_MATCH = 4, MAX_MATCH = 127 + MIN_MATCH, MAX_LITERALS = 128 };

static uint8_t input[SIZE], packed[SIZE + SIZE / 64], unpacked[SIZE];
static uint16_t recent[1 << HASH_BITS];

static void prepare(void) {
    static const char *words[] = {"page ", "fault ", "interrupt ", "the ", "table ", "of ", "register ", "\n"};
    uint64_t seed = 4;
    int filled = 0;
    while (filled < SIZE) {
        uint64_t random = next_random(&seed);
        const char *word = words[random >> 40 & 7];
        for (; *word != 0 && filled < SIZE; word++) {
            input[filled++] = *word;
        }
        if ((random & 7) == 0 && filled < SIZE) {
            input[filled++] = random >> 16;
        }
    }
}

static uint32_t load32(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static int put_literals(int out, int from, int to) {
    while (from < to) {
        int count = to - from < MAX_LITERALS ? to - from : MAX_LITERALS;
        packed[out++] = count - 1;
        memcpy(packed + out, input + from, count);
        out += count;
        from += count;
    }
    return out;
}

static int compress(void) {
    int in = 0, out = 0, literals = 0;
    memset(recent, 0, sizeof recent);
    while (in + MIN_MATCH <= SIZE) {
        uint32_t hash = load32(input + in) * 2654435761u >> (32 - HASH_BITS);
        int candidate = recent[hash];
        recent[hash] = in;
        if (candidate >= in || load32(input + candidate) != load32(input + in)) {
            in++;
            continue;
        }
        int length = MIN_MATCH;
        while (length < MAX_MATCH && in + length < SIZE && input[candidate + length] == input[in + length]) {
            length++;
        }
        out = put_literals(out, literals, in);
        packed[out++] = 128 | (length - MIN_MATCH);
        packed[out++] = in - candidate;
        packed[out++] = (in - candidate) >> 8;
        literals = in += length;
    }
    return put_literals(out, literals, SIZE);
}

static int decompress(int length) {
    int in = 0, out = 0;
    while (in < length) {
        int token = packed[in++];
        if (token < 128) {
            memcpy(unpacked + out, packed + in, token + 1);
            in += token + 1;
            out += token + 1;
        } else {
            int distance = packed[in] | packed[in + 1] << 8;
            in += 2;
            for (int left = (token & 127) + MIN_MATCH; left > 0; left--, out++) {
                unpacked[out] = unpacked[out - distance];
            }
        }
    }
    return out;
}

uint64_t lz(void) {
    if (input[0] == 0) {
        prepare();
    }
    int length = compress();
    int same = decompress(length) == SIZE && memcmp(input, unpacked, SIZE) == 0;
    uint64_t sum = same;
    for (int i = 0; i < length; i += 61) {
        sum = fold(sum, packed[i]);
    }
    return fold(sum, length);
}
