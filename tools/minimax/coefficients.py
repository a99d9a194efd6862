"""Prints every coefficient and split constant of graph/scalar_math/. Usage: coefficients.py [part of a name]

The f32 coefficients of exp_wide, r_coth_r and erf are tune.cpp's, which starts from the fits printed here.
"""
import sys

from minimax import *

log2 = mp.log(2)
slack = mpf("1.0001")  # rounding to an integer may take the upper of two nearly equal rests


def relative(f):
    return lambda x: 1 / abs(f(x))


def exponential(degree, half_width, bits):
    return fit(mp.exp, relative(mp.exp), -half_width * slack, half_width * slack, range(2, degree + 1), bits, [(0, mpf(1)), (1, mpf(1))])


def exponential_minus_1(degree, bits):
    return fit(mp.expm1, relative(mp.expm1), -log2 / 2 * slack, log2 / 2 * slack, range(2, degree + 1), bits, [(1, mpf(1))])


def r_coth_r(degree, bits, turn, largest, **more):
    """c = r coth(r) for tanh (tanh.cpp says how): |x| = 2 m log(2) + r, with m the nearest integer to x / (2 turn).

    The result is r / c for m = 0. There small r allow c no error at all beyond its rounding, larger ones some. For m > 0, r exceeds `turn` by
    more each time, and what an error of c does to the result, which is near 1, counts."""
    def weight(u):
        r, m = mp.sqrt(u), 0
        while r > (2 * m + 1) * turn - 2 * m * log2:
            m += 1
        if m == 0:
            return (8 if r < 0.26 else 2 if r < 0.56 else 0.5) / c(u)
        a = (mpf(16) ** m - 1) / 2
        d = a * (c(u) + r) + c(u)
        return abs(d - (c(u) - r) * (a + 1)) / d ** 2

    c = lambda u: mp.sqrt(u) * mp.coth(mp.sqrt(u))
    last = mp.nint(largest / (2 * turn))
    return fit(c, weight, 0, ((2 * last + 1) * turn - 2 * last * log2) ** 2, range(1, degree + 1), bits, [(0, mpf(1))], **more)


def erf_exponent(center, low, high, powers, bits, **more):
    """-log(erfc(t)) - t near 0, or -log(erfc(center + u)); its error weighs as it changes erf, relatively."""
    g = lambda t: -mp.log(mp.erfc(t))
    if center == 0:
        return fit(lambda t: g(t) - t, lambda t: 1 / mp.expm1(g(t)), low, high, powers, bits, **more)
    return fit(lambda u: g(u + center), lambda u: 1 / mp.expm1(g(u + center)), low - center, high - center, powers, bits, **more)


def sine(half_width, bits, degree, factor=1):
    f = lambda x: mp.sin(factor * x)
    fixed = [(1, mpf(1))] if factor == 1 else []
    return fit(f, relative(f), 0, half_width, range(3 if fixed else 1, degree + 1, 2), bits, fixed)


def odd(f, high, degree, **more):
    return fit(f, relative(f), 0, high, range(3, degree + 1, 2), 53, [(1, mpf(1))], **more)


def erfc_factor(t):
    """(1 + 2 x) exp(x^2) erfc(x) at t = (x - 3.75) / (x + 3.75)."""
    x = mpf("3.75") * (1 + t) / (1 - t)
    return (1 + 2 * x) * mp.exp(x * x) * mp.erfc(x)


narrow_root = (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1) * slack  # of f / (2 + f), sqrt(1/2) <= 1 + f <= sqrt(2)
third = mpf(1) / 3

fits = {
    "exp_narrow f32": lambda: exponential(6, log2 / 2, 24),
    "exp_narrow f64": lambda: exponential(11, log2 / 2, 53),
    "exp_wide f32": lambda: exponential(7, log2, 24),
    "exp_wide f64": lambda: exponential(13, log2, 53),
    "expm1_tail f32": lambda: exponential_minus_1(7, 24),
    "expm1_tail f64, erf tail f64": lambda: exponential_minus_1(12, 53),
    "erf tail f32": lambda: exponential_minus_1(6, 24),
    "r_coth_r f32": lambda: r_coth_r(5, 24, mpf("0.85"), 9, search={1: 1, 2: 2}),
    "r_coth_r f64": lambda: r_coth_r(10, 53, mpf("0.75"), 19),
    "softplus f32": lambda: fit(lambda z: mp.log1p(z) - z, relative(mp.log1p), 0, 1, range(2, 11), 24),
    "log f32": lambda: fit(mp.log1p, relative(mp.log1p), mpf("-0.296875"), mpf("0.40625"), range(3, 11), 24, [(1, mpf(1)), (2, mpf(-0.5))],
                           search={3: 1, 4: 1}),
    "log f64": lambda: fit(lambda s: 2 * mp.atanh(s), relative(mp.atanh), 0, narrow_root, range(3, 16, 2), 53, [(1, mpf(2))]),
    "pow f32 log2": lambda: fit(lambda s: 2 * mp.atanh(s) / log2, relative(mp.atanh), 0, narrow_root, range(1, 10, 2), 53),
    "pow f32 exp2": lambda: fit(lambda x: mpf(2) ** x, lambda x: mpf(2) ** -x, -slack, slack, range(1, 8), 24, [(0, mpf(1))], search={1: 1, 2: 1}),
    "pow f64 atanh": lambda: fit(lambda s: mp.atanh(s) - s - s ** 3 / 3, relative(mp.atanh), 0, narrow_root, range(5, 20, 2), 53),
    "erf f32": lambda: erf_exponent(0, 0, 4, range(1, 10), 24, search={1: 1, 2: 2}),
    "erf f64 low": lambda: erf_exponent(0, 0, mpf("1.25"), range(1, 18), 53),
    "erf f64 high": lambda: erf_exponent(mpf("2.5"), mpf("1.25"), 6, range(0, 18), 53, refit=False),
    "erfc": lambda: fit(erfc_factor, relative(erfc_factor), -1, (28 - mpf("3.75")) / (28 + mpf("3.75")), range(24), 53, refit=False),
    "atan": lambda: odd(mp.atan, (mp.sqrt(2) - 1) * slack, 23, refit=False),
    "asin": lambda: odd(mp.asin, slack / 2, 27, refit=False),
    "sinh": lambda: odd(mp.sinh, mpf(1), 15),
    "lgamma near 2": lambda: fit(lambda d: mp.loggamma(2 + d), lambda d: 1 / abs(mp.loggamma(2 + d)), mpf("-0.5"), mpf("0.5"), range(1, 21), 53, refit=False),
    "gamma of 2 + d": lambda: fit(lambda d: mp.gamma(2 + d), relative(lambda d: mp.gamma(2 + d)), mpf("-0.5"), mpf("0.5"), range(1, 20), 53, [(0, mpf(1))], refit=False),
    "gamma sine_of_turns": lambda: odd(lambda x: mp.sin(mp.pi * x) / mp.pi, mpf("0.5"), 17),
    "sine_f32": lambda: sine(mpf("0.508"), 53, 9, mp.pi),
    "sine_f64 odd": lambda: sine(mp.pi / 4 * mpf("1.01"), 53, 13),
    "sine_f64 even": lambda: fit(mp.cos, relative(mp.cos), 0, mp.pi / 4 * mpf("1.01"), range(4, 15, 2), 53, [(0, mpf(1)), (2, mpf(-0.5))]),
}

mp.prec = 400
splits = {
    "log(2), f32": parts(log2, [16, 24]),
    "log(2), f64": parts(log2, [41, 53]),
    "log(2), log f64": parts(log2, [32, 53]),
    "1/3, pow f64": parts(third, [53, 53]),
    "2/log(2), pow f64": parts(2 / log2, [53, 53]),
    "pi/2, sine_f64": parts(mp.pi / 2, [53, 53, 53]),
}
for power in (0, 28, 56, 84):  # what of 1/pi matters to multiples of 2^power, modulo 2
    scaled = mpf(2) ** power / mp.pi
    rest = scaled - 2 * mp.floor(scaled / 2) if power else scaled
    splits[f"1/pi from 2^{power + 23 if power else 0}, sine_f32"] = parts(rest / mpf(2) ** power, [29, 29, 53])
mp.prec = 200

if __name__ == "__main__":
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    for name, compute in fits.items():
        if wanted in name:
            show(name, compute())
    for name, values in splits.items():
        if wanted in name:
            print(f"{name}: {', '.join(values)}")
