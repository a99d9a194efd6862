"""Arrays joined, cut, turned and picked by diagonal; running sums; elementwise compositions."""
from inputs import *

kinds = (f32, i64, boolean)
inf, nan = np.inf, np.nan


def pairs(*both):
    return [tuple(some(d, *sizes, seed=n) for n, sizes in enumerate(both)) for d in kinds]


def cases():
    yield "np.concatenate([x, y])", pairs((2, 3), (4, 3)) + pairs((0, 3), (4, 3)) + pairs((5,), (7,)) + [(some(i32, 3), some(f64, 4)), (some(u8, 3), some(i32, 4))]
    yield "np.concatenate([x, y], -1)", pairs((2, 3, 4), (2, 3, 35))
    yield "np.concatenate([x, y, x, z], 1)", pairs((2, 3), (2, 1), (2, 2))
    yield "np.stack([x, y])", pairs((2, 3), (2, 3)) + pairs((), ())
    yield "np.stack([x, y, x], 1)", pairs((2, 3), (2, 3))
    yield "np.stack([x, y], -1)", pairs((2, 3), (2, 3))
    for part in range(3): yield f"np.split(x, 3, 1)[{part}]", each(kinds, 2, 9)
    for part in range(4): yield f"np.split(x, [2, 5, 5])[{part}]", each(kinds, 7, 3)
    yield "np.split(x, [1, -2], -1)[1]", each(kinds, 2, 9)
    for shift in (0, 2, -2, 20, -9): yield f"np.roll(x, {shift}, 1)", each(kinds, 3, 9)
    yield "np.roll(x, 1, -2)", each(kinds, 3, 9)
    for offset in (-3, -2, 0, 1, 4, 8, 9): yield f"np.diagonal(x, {offset})", each((f32, u8), 3, 9)
    yield "np.diagonal(x, 1, 0, 2)", each(kinds, 3, 2, 4)
    yield "np.diagonal(x, -1, 2, 1)", each(kinds, 2, 3, 4)
    yield "np.diagonal(x, 0, -1, -3)", each(kinds, 3, 2, 4)
    for offset in (-3, -1, 0, 2, 9):
        yield f"np.tril(x, {offset})", each((f32, boolean), 3, 5) + each((i64,), 2, 4, 3)
        yield f"np.triu(x, {offset})", each((f32, boolean), 3, 5) + each((i64,), 2, 4, 3)

    whole = [(np.array([[1, 2, -3, 0.5, 2, -1, 4], [2, 0, 5, 1, -7, 3, 1]], d),) for d in (f32, f64)] + [(np.array([[1, 2, -3, 5, 2, -1, 4], [2, 0, 5, 1, -7, 3, 1]], d),) for d in (i32, i64)]
    special = [(np.array([[1, nan, 3, 5], [-inf, 2, inf, 3], [7, inf, -inf, 2]], d),) for d in (f32, f64)]
    one = [(np.array([[3], [4]], f32),), (np.zeros((2, 0), f32),)]
    for axis in (0, 1, -1):
        yield f"np.cumsum(x, {axis})", whole + special + one + each((boolean, u32), 3, 35)
        yield f"np.cumprod(x, {axis})", whole + special + one + each((boolean,), 3, 12)
        yield f"np.maximum.accumulate(x, {axis})", whole + special + each((u8, f32), 3, 35)
        yield f"np.minimum.accumulate(x, {axis})", whole + special + each((u8, f32), 3, 35)
    yield "lax.cummax(x, 1)", whole + special
    yield "lax.cummin(x, 1, reverse=True)", whole + special
    yield "np.isnan(x)", special + each((i32,), 4)
    yield "np.isinf(x)", special + each((i32,), 4)
    yield "np.isfinite(x)", special + each((i32,), 4)
    yield "np.logical_xor(x, y)", [(some(boolean, 7), some(boolean, 7, seed=1))]
    yield "np.clip(x, y, z)", [(some(d, 9), d(2), d(4)) for d in (f32, i32, u8)] + [(special[0][0], f32(-1), f32(4)), (some(f32, 5), f32(3), f32(1))]
