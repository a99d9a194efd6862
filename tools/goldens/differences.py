"""Where sinter by its contract (graph/ops/README.md) does otherwise than NumPy or JAX: the results here are theirs. tests/goldens/differences.cpp has
the reason of each, and what sinter does."""
from inputs import *

inf, nan = np.inf, np.nan


def cases():
    yield "np.sum(x)", [(some(u8, 40),)]
    yield "np.cumsum(x, 0)", [(some(u8, 4),)]
    yield "x + y", [(np.array([1, 2**31 - 1], i32), np.array([0.5, 0], f32))]
    yield "x + y * 1", [(np.array([1, -1], i64), np.array([2, 2**63 + 1], u64))]
    yield "x + y + y", [(np.array([True, False]), np.array([True, True]))]
    yield "x / y", [(np.array([7, -7, 5], i32), np.array([2, 2, 0], i32))]
    yield "lax.div(x, y)", [(np.array([7, -7], i32), np.array([0, 0], i32))]
    yield "np.right_shift(x, y)", [(np.array([-1, -2**31], i32), np.array([32, 40], i32))]
    yield "np.bitwise_count(x)", [(np.array([7, -1], i32),)]
    yield "np.power(x, y)", [(np.array([3, 2], i32), np.array([2, 10], i32))]
    yield "np.sqrt(x)", [(np.array([4, 9], i32),)]
    yield "np.remainder(x, y)", [(np.array([1e30, 5.5], f64), np.array([7, 2], f64))]
    yield "np.floor_divide(x, y)", [(np.array([inf, -inf, inf]), np.array([0.5, 2, -2]))]
    yield "x.astype('int32')", [(np.array([nan, 1e10, -1e10, inf], f64),)]
    yield "np.take(x, y, 0)", [(np.array([10, 20, 30], f32), np.array([-1, 1], i32))]
    yield "jax.numpy.zeros(3, x.dtype).at[y].add(x)", [(np.array([1, 2], f32), np.array([-1, 1], i32))]
    yield "np.matmul(x, y)", [(np.array([[True, False]]), np.array([[True], [True]]))]
    yield "x[4:2]", [(some(f32, 7),)]
    yield "x[2:9]", [(some(f32, 7),)]
