"""Elements picked by number, and added at numbers. NumPy's clip is what sinter does with a position outside; JAX's drop, what it does with one in a
scatter, where its negative positions do not count from the back either."""
import jax

from inputs import *


def scatter_add(positions, updates, size):
    """Rows of zeros, with the updates added to those at the positions."""
    rows = jax.lax.ScatterDimensionNumbers(tuple(range(1, updates.ndim)), (0,), (0,))
    return jax.lax.scatter_add(jax.numpy.zeros((size,) + updates.shape[1:], updates.dtype), positions[:, None], updates, rows, mode="drop")


def cases():
    outside = positions(i64, -3, 9, 4)
    table = [(some(d, 5, 3), p) for d in (f32, i32, boolean) for p in (positions(i32, 0, 5, 4), positions(i64, 0, 5, 2, 3))]
    table += [(some(f32, 5, 3), p) for p in (outside, outside.reshape(2, 2), positions(u8, 0, 5, 4), i32(2), np.zeros((0,), i32), np.array([2**40, -2**40, 4], i64))]
    for axis in (0, 1, -1): yield f"np.take(x, y, {axis}, mode='clip')", table
    yield "np.take(x, y, mode='clip')", table + [(some(f32, 2, 3, 4), positions(i64, 0, 24, 3, 5))]
    yield "np.take(x, y, 1, mode='clip')", [(some(f64, 2, 5, 3), positions(i64, 0, 5, 2, 2))]
    along = [(some(d, 4, 5), positions(i64, 0, 4, 4, 5)) for d in (f32, i64, boolean)] + [(some(f32, 2, 4, 5), positions(i64, 0, 2, 2, 4, 5))]
    for axis in (0, 1, -1): yield f"np.take_along_axis(x, y, {axis})", along
    yield "np.take_along_axis(x, y, 1)", [(some(f32, 4, 5), positions(i64, 0, 5, 4, 2))]
    yield "np.take_along_axis(x, y, 2)", [(some(f32, 2, 3, 5), positions(i64, 0, 5, 1, 3, 2))]
    yield "x[y]", [(some(f32, 6, 4), positions(i32, 0, 6, 2, 3)), (some(f64, 6, 1), positions(u8, 0, 6, 7))]
    yield "np.stack([np.take(a, b, 0, mode='clip') for a, b in zip(x, y)])", [(some(d, 3, 5, 2), p) for d in (f32, i32) for p in (positions(i64, 0, 5, 3, 4), positions(i64, -2, 8, 3, 2, 2))] + [(some(f32, 3, 5), positions(i32, 0, 5, 3))]
    for dtype in ("float32", "int32", "bool"): yield f"jax.nn.one_hot(x, 5, dtype='{dtype}')", [(positions(i64, 0, 5, 7),), (positions(i32, -2, 8, 2, 3),), (positions(u8, 0, 9, 4),), (i32(3),)]
    yield "scatter_add(x, y, 5)", [(positions(i32, -3, 9, 8, seed=1), some(d, 8, 3)) for d in (f32, f64, i32)] + [(positions(i64, 0, 5, 8), some(f32, 8)), (positions(i64, 0, 2, 40), some(f32, 40, 2)), (np.zeros((0,), i64), np.zeros((0, 3), f32))]
    yield "jax.vmap(lambda p, u: scatter_add(p, u, 5))(x, y)", [(positions(i64, -1, 6, 3, 4), some(f32, 3, 4, 2)), (positions(i32, 0, 5, 2, 7), some(i64, 2, 7))]
    yield "jax.ops.segment_sum(y, x, 5)", [(positions(i32, 0, 5, 8), some(f32, 8, 3)), (positions(i64, 0, 5, 8), some(i64, 8))]
