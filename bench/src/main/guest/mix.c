/* What small controllers do all day: a linked list sorted by merging, an integer matrix, a number parser. */
#include "bench.h"

enum { ITEMS = 256, SIDE = 24 };

struct item {
    struct item *next;
    int16_t key, index;
};

static struct item items[ITEMS];
static int16_t left[SIDE][SIDE], right[SIDE][SIDE];
static int32_t product[SIDE][SIDE];

static const char text[] = "12,-7,0x1f,3.25,+8e3,junk,-0.5,99999,1e-4,,0xZZ,42,7.,e5,-12e+2";

static struct item *merge(struct item *a, struct item *b, int by_index) {
    struct item head, *tail = &head;
    while (a != NULL && b != NULL) {
        int first = by_index ? a->index <= b->index : a->key <= b->key;
        struct item **smaller = first ? &a : &b;
        tail = tail->next = *smaller;
        *smaller = (*smaller)->next;
    }
    tail->next = a != NULL ? a : b;
    return head.next;
}

static struct item *sort(struct item *list, int by_index) {
    if (list == NULL || list->next == NULL) {
        return list;
    }
    struct item *middle = list;
    for (struct item *end = list->next; end != NULL && end->next != NULL; end = end->next->next) {
        middle = middle->next;
    }
    struct item *rest = middle->next;
    middle->next = NULL;
    return merge(sort(list, by_index), sort(rest, by_index), by_index);
}

static uint64_t list_part(void) {
    uint64_t seed = 3, sum = 0;
    for (int i = 0; i < ITEMS; i++) {
        items[i] = (struct item) {i + 1 < ITEMS ? &items[i + 1] : NULL, next_random(&seed), i};
    }
    struct item *list = sort(items, 0);
    for (struct item *item = list; item != NULL; item = item->next) {
        sum = fold(sum, (uint16_t) item->key);
    }
    list = sort(list, 1);
    return fold(sum, list->index + list->next->index);
}

static uint64_t matrix_part(void) {
    uint64_t sum = 0;
    for (int row = 0; row < SIDE; row++) {
        for (int column = 0; column < SIDE; column++) {
            left[row][column] = row * 168 + column * 7 - 300;
            right[row][column] = (row + 5 * column) ^ 0x55;
        }
    }
    for (int row = 0; row < SIDE; row++) {
        for (int column = 0; column < SIDE; column++) {
            int32_t value = 0;
            for (int k = 0; k < SIDE; k++) {
                value += left[row][k] * right[k][column];
            }
            product[row][column] = value >> 2 & 0xffff;
            sum = fold(sum, product[row][column]);
        }
    }
    return sum;
}

enum state { START, INTEGER, FRACTION, EXPONENT, HEXADECIMAL, INVALID, STATES };

static enum state step(enum state state, char c) {
    int digit = c >= '0' && c <= '9';
    switch (state) {
    case START: return digit ? INTEGER : c == '+' || c == '-' ? START : INVALID;
    case INTEGER: return digit ? INTEGER : c == '.' ? FRACTION : c == 'e' ? EXPONENT : c == 'x' ? HEXADECIMAL : INVALID;
    case FRACTION: return digit ? FRACTION : c == 'e' ? EXPONENT : INVALID;
    case EXPONENT: return digit || c == '+' || c == '-' ? EXPONENT : INVALID;
    case HEXADECIMAL: return digit || (c >= 'a' && c <= 'f') ? HEXADECIMAL : INVALID;
    default: return INVALID;
    }
}

static uint64_t parser_part(void) {
    uint64_t counts[STATES] = {0}, sum = 0;
    for (int round = 0; round < 16; round++) {
        enum state state = START;
        for (const char *c = text; *c != 0; c++) {
            if (*c == ',') {
                counts[state]++;
                state = START;
            } else {
                state = step(state, *c ^ (round & 1 && *c == '7'));
            }
        }
    }
    for (int i = 0; i < STATES; i++) {
        sum = fold(sum, counts[i]);
    }
    return sum;
}

uint64_t mix(void) {
    return fold(fold(list_part(), matrix_part()), parser_part());
}
