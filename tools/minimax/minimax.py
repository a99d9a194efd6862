"""Weighted minimax polynomials with coefficients rounded to a float format, by Remez's exchange in high precision (mpmath).

fit() minimises max |weight(x) (target(x) - sum c_k x^k)| over [low, high]. It rounds one coefficient at a time, the lowest power first,
and fits the others again after each, so that later coefficients make up for the rounding of earlier ones.
"""
from itertools import product

from mpmath import cos, lu_solve, matrix, mp, mpf, pi

mp.prec = 200


def rounded(value, bits):
    """`value` to the nearest float of `bits` significant bits."""
    with mp.workprec(bits):
        return +mpf(value)


def grid_of(low, high, count):
    """Chebyshev points, without those so close to 0 that a relative error means nothing there."""
    low, high = mpf(low), mpf(high)
    points = [(low + high) / 2 + (low - high) / 2 * cos(pi * mpf(k) / (count - 1)) for k in range(count)]
    return [x for x in points if abs(x) > (high - low) * mpf(2) ** -9]


def extrema_of(errors, count):
    """One extremum of each run of equal sign; then, from the ends or as pairs inside, the smallest are dropped down to `count`."""
    extrema = []
    for i, e in enumerate(errors):
        if extrema and (errors[extrema[-1]] > 0) == (e > 0):
            if abs(e) > abs(errors[extrema[-1]]):
                extrema[-1] = i
        elif e != 0:
            extrema.append(i)
    while len(extrema) > count:
        if len(extrema) == count + 1:
            extrema.pop(0 if abs(errors[extrema[0]]) < abs(errors[extrema[-1]]) else -1)
        else:
            k = min(range(len(extrema) - 1), key=lambda j: min(abs(errors[extrema[j]]), abs(errors[extrema[j + 1]])))
            del extrema[k:k + 2]
    return extrema


def remez(values, weights, grid, powers, rounds=30):
    """The coefficients of `powers`, and the error they leave. values[i], weights[i] are of the target at grid[i]."""
    # Divide by the lowest power: where it is odd the error has a sign change at 0 that is no alternation.
    terms, lowest = len(powers), powers[0]
    values = [v / x ** lowest for v, x in zip(values, grid)]
    weights = [w * abs(x) ** lowest for w, x in zip(weights, grid)]
    basis = [[x ** (p - lowest) for p in powers] for x in grid]
    points = [round(k * (len(grid) - 1) / terms) for k in range(terms + 1)]
    best = None
    for _ in range(rounds):
        system, right = matrix(terms + 1, terms + 1), matrix(terms + 1, 1)
        for row, at in enumerate(points):
            for column in range(terms):
                system[row, column] = basis[at][column]
            system[row, terms] = (-1) ** row / weights[at]
            right[row] = values[at]
        solution = lu_solve(system, right)
        coefficients, level = list(solution[:terms]), abs(solution[terms])
        errors = [(v - sum(c * b for c, b in zip(coefficients, row))) * w for v, w, row in zip(values, weights, basis)]
        worst = max(abs(e) for e in errors)
        if best is None or worst < best[1]:
            best = (coefficients, worst)
        points = extrema_of(errors, terms + 1)
        if worst <= level * mpf("1.0005") or len(points) < terms + 1:
            break
    return best


def fit(target, weight, low, high, powers, bits, fixed=(), refit=True, search=None):
    """{power: coefficient}, its error, the error before rounding. fixed is [(power, value)], taken as given.

    refit=False rounds all coefficients at once: for a constant term on an interval with 0 inside, where the rest cannot mend it.
    search={power: places} tries the neighbours of a rounded coefficient so many places away, and keeps the best fit.
    """
    grid = grid_of(low, high, 600)
    values, weights = [target(x) for x in grid], [weight(x) for x in grid]
    start = [v - sum(c * x ** p for p, c in fixed) for v, x in zip(values, grid)]
    first, ideal = remez(start, weights, grid, list(powers))
    best = None
    search = search or {}
    for steps in product(*[range(-places, places + 1) for places in search.values()]):
        step = dict(zip(search, steps))
        known, residual, left, coefficients = dict(fixed), start, list(powers), first
        while left:
            if refit and len(left) < len(powers):
                coefficients, _ = remez(residual, weights, grid, left)
            power = left.pop(0)
            value = rounded(coefficients[0], bits)
            known[power] = value + step.get(power, 0) * mpf(2) ** (mp.floor(mp.log(abs(value), 2)) + 1 - bits)
            residual = [v - known[power] * x ** power for v, x in zip(residual, grid)]
            coefficients = coefficients[1:]
        error = max(abs(r * w) for r, w in zip(residual, weights))
        if best is None or error < best[1]:
            best = (known, error, ideal)
    return best


def show(name, result):
    """Prints the coefficients, highest power first, as C++ takes them."""
    known, error, ideal = result
    print(f"{name}: error 2^{float(mp.log(error, 2)):.2f}, before rounding 2^{float(mp.log(ideal, 2)):.2f}")
    for power in sorted(known, reverse=True):
        print(f"    x^{power:<3} {float(known[power]).hex():24} {mp.nstr(known[power], 17)}")


def parts(value, sizes):
    """`value` as a sum of floats of so many bits each: truncated, so that products with short integers are exact; the last one rounded."""
    out = []
    for bits in sizes[:-1]:
        unit = mpf(2) ** (mp.floor(mp.log(abs(value), 2)) - bits + 1)
        out.append(mp.floor(value / unit) * unit)
        value -= out[-1]
    return [float(c).hex() for c in out + [rounded(value, sizes[-1])]]
