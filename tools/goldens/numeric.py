"""What a number is: whole ones wrap, divide and shift; conversions saturate and wrap."""
from inputs import *

inf, nan = np.inf, np.nan
ints = (i32, i64, u8, u32, u64)


def edges(dtype):
    limits = np.iinfo(dtype)
    values = [limits.min, limits.min + 1, limits.max, limits.max // 2, 0, 1, 2, 7] + ([-1, -2, -7] if limits.min < 0 else [])
    return np.array(values, dtype)


def pairs(dtype):
    """Every edge with every edge."""
    e = edges(dtype)
    return np.repeat(e, len(e)), np.tile(e, len(e))


def cases():
    for operation in ("x + y", "x - y", "x * y", "x // y", "x % y"):
        yield operation, [pairs(d) for d in ints]
    for operation in ("np.maximum(x, y)", "np.minimum(x, y)", "x & y", "x | y", "x ^ y", "x < y", "x <= y", "x > y", "x >= y", "x == y", "x != y"):
        yield operation, [pairs(d) for d in (i32, u64)]
    for operation in ("np.negative(x)", "np.abs(x)", "~x"): yield operation, [(edges(d),) for d in ints]
    yield "np.sign(x)", [(edges(d),) for d in ints]
    yield "lax.div(x, y)", [tuple(np.array(v) for v in zip(*[(a, b) for a, b in zip(*pairs(d)) if b != 0])) for d in ints]
    shifts = [tuple(np.array(v, d) for v in zip(*[(a, s) for a in edges(d) for s in (0, 1, 3, np.dtype(d).itemsize * 8 - 1)])) for d in ints]
    yield "np.left_shift(x, y)", shifts
    yield "np.right_shift(x, y)", shifts
    yield "lax.shift_left(x, y)", [tuple(np.array(v, d) for v in zip(*[(a, s) for a in edges(d) for s in (np.dtype(d).itemsize * 8, 100)])) for d in ints]
    floats = [np.array([7.5, -7.5, 0.5, -0.5, 3, -3, 0.0, 6, 1.25, -1.25], d) for d in (f32, f64)]
    divided = [(np.repeat(f, 6), np.tile(np.array([2, -2, 0.5, 3, -0.75, 4], f.dtype), len(f))) for f in floats]
    limits = [np.array(v, f64) for v in zip(*[(a, b) for a in (1, -1, 0, nan, 5) for b in (0, 0.1, -0.1, inf, -inf, nan)])]
    for function in ("np.floor_divide", "np.remainder"):
        yield f"{function}(x, y)", divided + [limits]
    yield "np.remainder(x, y)", [(np.array([inf, -inf, inf]), np.array([2, 2, inf]))]
    yield "np.add(x, y)", [(some(a, 5), some(b, 5, seed=1)) for a, b in ((boolean, i32), (boolean, f32), (u8, i32), (u8, f32), (u8, u64), (i32, i64), (i32, u32), (u32, u64), (i32, f64), (i64, f64), (u64, f64), (f32, f64), (u32, i64), (i64, f32), (u32, f32))]

    wide = np.array([0, 1, -1, 2.5, -2.5, 254.5, 255.5, 256, -129, 2**31 - 1, 2**31, 2**32, -2**31 - 1, 2**63, 2**64, -2**63, 1e30, -1e30, inf, -inf, nan], f64)
    whole = np.array([0, 1, -1, 255, 256, 257, -129, 2**31 - 1, 2**31, 2**32 + 5, -2**31, -2**31 - 1, 2**53 + 1, 2**63 - 1, -2**63], i64)
    for target in ("bool", "uint8", "int32", "int64", "uint32", "uint64", "float32", "float64"):
        yield f"lax.convert_element_type(x, '{target}')", [(wide.astype(f32),), (wide,), (whole,), (whole.astype(i32),), (whole.astype(u64),), (whole.astype(u32),), (whole.astype(u8),), (some(boolean, 5),)]
        yield f"x.astype('{target}')", [(whole,), (whole.astype(u64),), (whole.astype(i32),), (whole.astype(u8),), (some(boolean, 5),)]
    yield "np.round(x)", [(np.array([0.5, 1.5, 2.5, -0.5, -1.5, 2.4999, 2**23 + 1, inf, nan], d),) for d in (f32, f64)]
    yield "np.trunc(x)", [(wide,)]
    yield "np.where(x, y, z)", [(some(boolean, 3, 1), some(d, 3, 4), some(d, 4, seed=1)) for d in (f32, i32, boolean)] + [(some(boolean, 5), some(i32, 5), some(f64, 5))]
