/* Builds, walks and frees binary trees: malloc, free, pointers, calls. */
#include "bench.h"

#include <stdlib.h>

enum { DEPTH = 11 };

struct node {
    struct node *left, *right;
    uint64_t value;
};

static struct node *build(int depth, uint64_t value) {
    struct node *node = malloc(sizeof *node);
    if (node == NULL) {
        die("malloc");
    }
    node->value = value;
    node->left = depth > 0 ? build(depth - 1, 2 * value) : NULL;
    node->right = depth > 0 ? build(depth - 1, 2 * value + 1) : NULL;
    return node;
}

static uint64_t take_down(struct node *node) {
    if (node == NULL) {
        return 0;
    }
    uint64_t left = take_down(node->left), right = take_down(node->right);
    uint64_t sum = fold(left + node->value, right);
    free(node);
    return sum;
}

uint64_t tree(void) {
    return take_down(build(DEPTH, 1));
}
