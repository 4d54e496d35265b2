#!/usr/bin/env python3
"""Cases with their answers for tests/unit/test_stats_reference.c, found another way: every division of the pooled
values is written down and counted in fractions. Where SciPy is installed its answers must agree, or the exit code is 1.

One case a line, numbers in C's hexadecimal notation so that nothing is rounded:
  rank N M A.. B.. : U P P_LARGER P_SMALLER P_SMALLEST EXACT
  shift N M LEVEL A.. B.. : ESTIMATE LOW HIGH REACHED
  holm COUNT P.. : ADJUSTED..
  order N M A_TIMES.. B_TIMES.. A.. B.. : TAU P_DRIFT
"""
import itertools
import math
import random
import statistics
import sys
from fractions import Fraction

try:
    from scipy import stats as scipy_stats
except ImportError:
    scipy_stats = None

EXACT_PRODUCT = 400
NORMAL = statistics.NormalDist()


def agree(ours, theirs, what):
    if not math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-12):
        sys.exit(f"{what}: {ours} here, {theirs} by SciPy")


def pairs_won(a, b):
    return sum(Fraction((y > x) - (y < x) + 1, 2) for x in a for y in b)


def every_u(pool, m):
    """U of every way to call m of the pooled values the second set."""
    for chosen in itertools.combinations(range(len(pool)), m):
        inside = set(chosen)
        yield pairs_won([v for i, v in enumerate(pool) if i not in inside], [pool[i] for i in chosen])


def exact_rank(a, b):
    u, all_u = pairs_won(a, b), list(every_u(a + b, len(b)))

    def tails(v):
        return Fraction(sum(w >= v for w in all_u), len(all_u)), Fraction(sum(w <= v for w in all_u), len(all_u))

    larger, smaller = tails(u)
    two_sided = [min(Fraction(1), 2 * min(tails(v))) for v in set(all_u)]
    return u, min(Fraction(1), 2 * min(larger, smaller)), larger, smaller, min(two_sided)


def normal_rank(a, b):
    n, m, pool = len(a), len(b), a + b
    ties = sum(pool.count(v) ** 2 - 1 for v in pool)  # t^3 - t, a share from each of the t values
    deviation = math.sqrt(n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1))))

    def tails(v):
        return tuple(1 - NORMAL.cdf((side * (float(v) - n * m / 2) - 0.5) / deviation) for side in (1, -1))

    ordered = sorted(pool)
    extremes = pairs_won(ordered[:n], ordered[n:]), pairs_won(ordered[m:], ordered[:m])
    u = pairs_won(a, b)
    larger, smaller = tails(u)
    return u, min(1, 2 * min(larger, smaller)), larger, smaller, min(1, *(2 * min(tails(v)) for v in extremes))


def rank(a, b):
    exact = len(a) * len(b) <= EXACT_PRODUCT
    answer = [float(v) for v in (exact_rank if exact else normal_rank)(a, b)]
    if scipy_stats and len(set(a + b)) > 1 and (not exact or len(set(a + b)) == len(a + b)):
        method = "exact" if exact else "asymptotic"
        for alternative, value in (("two-sided", answer[1]), ("greater", answer[2]), ("less", answer[3])):
            agree(value, scipy_stats.mannwhitneyu(b, a, alternative=alternative, method=method).pvalue, "rank test")
    line("rank", [len(a), len(b)], a + b, answer + [exact])


def shift(a, b, level):
    differences = sorted(y - x for x in a for y in b)
    all_u = list(every_u(list(range(len(a) + len(b))), len(b)))
    ends = range(1, (len(differences) + 1) // 2 + 1)
    covered = [1 - 2 * Fraction(sum(u < k for u in all_u), len(all_u)) for k in ends]
    wide_enough = [k for k, c in enumerate(covered) if c >= level - 1e-9]
    k = wide_enough[-1] if wide_enough else 0
    interval = [differences[k], differences[-1 - k], float(covered[k])]
    line("shift", [len(a), len(b), level], a + b, [statistics.median(differences)] + interval)


def holm(p):
    order, adjusted, largest = sorted(range(len(p)), key=lambda i: p[i]), [0.0] * len(p), 0.0
    for place, i in enumerate(order):
        largest = max(largest, min(1.0, (len(p) - place) * p[i]))
        adjusted[i] = largest
    line("holm", [len(p)], p, adjusted)


def s_within(times, values):
    return sum(((t > u) - (t < u)) * ((x > y) - (x < y))
               for (t, x), (u, y) in itertools.combinations(zip(times, values), 2))


def order(a, b, times):
    """S of every order of both sets; with ties, in values or times, the normal distribution of that variance."""
    s = s_within(times[0], a) + s_within(times[1], b)
    each = [[s_within(t, q) for q in itertools.permutations(v)] for t, v in zip(times, (a, b))]
    if all(len(set(v)) == len(v) for v in (a, b, *times)):
        p = sum(abs(x + y) >= abs(s) for x in each[0] for y in each[1]) / (len(each[0]) * len(each[1]))
    else:
        variance = sum(sum(x * x for x in one) / len(one) for one in each)
        p = min(1, 2 * (1 - NORMAL.cdf((abs(s) - 1) / math.sqrt(variance)))) if s != 0 else 1
    pairs = math.comb(len(a), 2) + math.comb(len(b), 2)
    if scipy_stats and len(b) == 1 and len(set(times[0])) == len(set(a)) == len(a) > 1:
        agree(p, scipy_stats.kendalltau(times[0], a, method="exact").pvalue, "Kendall's p")
    line("order", [len(a), len(b)], list(times[0]) + list(times[1]) + a + b, [s / pairs, p])


def line(kind, counts, values, answers):
    print(kind, *(float(v).hex() for v in counts + values + answers))


def draw(count, step):
    """step > 0 rounds to it, so that values are equal."""
    values = [random.gauss(0, 1) for _ in range(count)]
    return [round(v / step) * step for v in values] if step else values


def main():
    random.seed(int(sys.argv[1]))
    for n, m in itertools.product(range(1, 8), repeat=2):
        if n + m > 10:
            continue
        for step in (0, 0.5, 2):
            rank(draw(n, step), [v + random.choice((0, 1)) for v in draw(m, step)])
            shift(draw(n, step), draw(m, step), random.choice((0.5, 0.8, 0.9, 0.95, 0.99)))
    for n, m in ((21, 20), (25, 40), (3, 150), (401, 1), (60, 60)):
        for step in (0, 0.5):
            rank(draw(n, step), [v + 0.3 for v in draw(m, step)])
    for count in (1, 2, 5, 6, 30):
        holm([random.choice((0.01, random.random() ** 3)) for _ in range(count)])
    for n, m in ((2, 1), (3, 1), (6, 1), (4, 4), (5, 3)):
        times = random.sample(range(100), n), random.sample(range(100), m)
        order(draw(n, 0), draw(m, 0), times)
        order(draw(n, 1), draw(m, 1), times)
        order(draw(n, 1), draw(m, 1), [[t // 60 for t in one] for one in times])


main()
