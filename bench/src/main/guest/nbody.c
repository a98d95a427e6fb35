/* Five bodies under gravity, 200 steps: double precision with division and square root. */
#include "bench.h"

#include <math.h>
#include <string.h>

enum { BODIES = 5, STEPS = 200 };

struct body {
    double position[3], velocity[3], mass;
};

static const struct body initial[BODIES] = {
    {{0, 0, 0}, {0, 0, 0}, 39.5},
    {{4.8, -1.2, -0.1}, {0.6, 2.8, -0.02}, 0.038},
    {{8.3, 4.1, -0.4}, {-1.0, 1.8, 0.008}, 0.011},
    {{12.9, -15.1, -0.2}, {1.1, 0.9, -0.01}, 0.0017},
    {{15.4, -25.9, 0.2}, {0.98, 0.6, -0.03}, 0.002},
};

static void advance(struct body *bodies, double dt) {
    for (int i = 0; i < BODIES; i++) {
        for (int j = i + 1; j < BODIES; j++) {
            double d[3], square = 0;
            for (int axis = 0; axis < 3; axis++) {
                d[axis] = bodies[i].position[axis] - bodies[j].position[axis];
                square += d[axis] * d[axis];
            }
            double magnitude = dt / (square * sqrt(square));
            for (int axis = 0; axis < 3; axis++) {
                bodies[i].velocity[axis] -= d[axis] * bodies[j].mass * magnitude;
                bodies[j].velocity[axis] += d[axis] * bodies[i].mass * magnitude;
            }
        }
    }
    for (int i = 0; i < BODIES; i++) {
        for (int axis = 0; axis < 3; axis++) {
            bodies[i].position[axis] += dt * bodies[i].velocity[axis];
        }
    }
}

uint64_t nbody(void) {
    struct body bodies[BODIES];
    memcpy(bodies, initial, sizeof bodies);
    for (int step = 0; step < STEPS; step++) {
        advance(bodies, 0.01);
    }
    uint64_t sum = 0, bits;
    for (int i = 0; i < BODIES; i++) {
        memcpy(&bits, &bodies[i].position[i % 3], sizeof bits);
        sum = fold(sum, bits);
    }
    return sum;
}
