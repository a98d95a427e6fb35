# Plain Python without C extensions: what an interpreter of byte code does all day.
import sys


def queens(n, row=0, columns=0, left=0, right=0):
    if row == n:
        return 1
    count = 0
    free = ~(columns | left | right) & ((1 << n) - 1)
    while free:
        bit = free & -free
        free ^= bit
        count += queens(n, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1)
    return count


class Body:
    def __init__(self, x, y, vx, vy, mass):
        self.x, self.y, self.vx, self.vy, self.mass = x, y, vx, vy, mass

    def attract(self, other, time):
        dx, dy = other.x - self.x, other.y - self.y
        distance = (dx * dx + dy * dy + 0.01) ** 1.5
        self.vx += other.mass * dx / distance * time
        self.vy += other.mass * dy / distance * time


def bodies(steps):
    all_bodies = [Body(i, i * i % 7, 0.1 * i, -0.2 * i, 1.0 + i) for i in range(6)]
    for _ in range(steps):
        for body in all_bodies:
            for other in all_bodies:
                if body is not other:
                    body.attract(other, 0.001)
        for body in all_bodies:
            body.x += body.vx * 0.001
            body.y += body.vy * 0.001
    return "%.9f" % sum(body.x + body.y for body in all_bodies)


def words(count):
    seen = {}
    state = 12345
    for _ in range(count):
        state = (state * 1103515245 + 12345) % 2147483648
        word = "w" + str(state % 997)
        seen[word] = seen.get(word, 0) + 1
    longest = sorted(seen.items(), key=lambda item: (-item[1], item[0]))
    return ",".join("%s=%d" % item for item in longest[:5])


def primes(limit):
    flags = [True] * limit
    for i in range(2, int(limit**0.5) + 1):
        if flags[i]:
            for j in range(i * i, limit, i):
                flags[j] = False
    return sum(i for i in range(2, limit) if flags[i])


scale = int(sys.argv[1])
for _ in range(scale):
    result = (queens(8), bodies(150), words(30000), primes(60000))
print(*result)
