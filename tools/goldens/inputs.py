"""Arrays that depend on nothing: no random numbers. Floats are multiples of an eighth below 8, so that sums and short products of them are exact in
any order."""
import numpy as np

f32, f64, i32, i64, u8, u32, u64, boolean = np.float32, np.float64, np.int32, np.int64, np.uint8, np.uint32, np.uint64, np.bool_


def some(dtype, *sizes, seed=0):
    """An array of mixed values, positive and negative where the type has them."""
    n = int(np.prod(sizes))
    mixed = (np.arange(n) * 37 + 11 * seed + 5) % 101 - 50
    if dtype == boolean: values = mixed % 3 == 0
    elif dtype in (f32, f64): values = mixed / 8
    elif dtype in (i32, i64): values = mixed
    else: values = mixed + 50
    return values.astype(dtype).reshape(sizes)


def positions(dtype, low, high, *sizes, seed=0):
    """Whole numbers in [low, high)."""
    n = int(np.prod(sizes))
    return ((np.arange(n) * 5 + 3 * seed + 1) % 13 % (high - low) + low).astype(dtype).reshape(sizes)


def each(dtypes, *sizes):
    """Variants of one input: this array, of each type."""
    return [(some(d, *sizes),) for d in dtypes]
