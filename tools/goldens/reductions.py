"""Reductions. What rounds (means, variances, norms, logarithms of sums) is `rounded`."""
from jax.nn import log_softmax, softmax
from jax.scipy.special import logsumexp

from inputs import *

inf, nan = np.inf, np.nan


def rounded(function, x, **arguments):
    """What the function gives for floats: computed in f64, rounded once."""
    return np.asarray(function(x.astype(f64), **arguments)).astype(x.dtype)


def cases():
    special = [(np.array([[1, nan, 3, 5], [-inf, 2, inf, 3], [7, inf, 2, 2]], d),) for d in (f32, f64)]
    small = [(np.where(some(d, 2, 3, 4) == 0, d(1), some(d, 2, 3, 4) % d(3)).astype(d),) for d in (f32, f64, i32, i64)]  # whose products are exact
    over = {"x": [(f32, 2, 3, 4), (f64, 2, 3, 4), (i32, 2, 3, 4), (i64, 2, 3, 4), (boolean, 2, 3, 4), (u32, 2, 3, 4), (f32,)],
            "x, axis=0": [(f32, 70, 3), (i32, 5, 40), (boolean, 5, 4)], "x, axis=1": [(f32, 3, 70), (i32, 5, 40), (boolean, 5, 4), (f64, 2, 3, 4)],
            "x, axis=-1, keepdims=True": [(f32, 3, 70), (i64, 2, 3, 4)], "x, axis=(0, 2)": [(f32, 2, 3, 4), (i32, 4, 3, 35), (boolean, 2, 3, 4)],
            "x, axis=(-1, 0), keepdims=True": [(f32, 2, 3, 4), (i64, 4, 3, 35)], "x, axis=(0, 1, 2), keepdims=True": [(f64, 2, 3, 4)], "x, axis=()": [(f32, 2, 3)]}
    for arguments, wanted in over.items():
        variants = [(some(*one),) for one in wanted]
        yield f"np.sum({arguments})", variants + [v for v in special if "2" not in arguments and arguments != "x"] + ([(np.zeros((0, 3), f32),)] if arguments == "x, axis=0" else [])
        if "2" in arguments or arguments in ("x", "x, axis=-1, keepdims=True"):
            yield f"np.prod({arguments})", small
        for name in ("max", "min"):
            yield f"np.{name}({arguments})", variants + (special if arguments == "x, axis=1" else [])
        for name in ("any", "all"):
            yield f"np.{name}({arguments})", variants + [(np.zeros(one[1:], one[0]),) for one in wanted]
    yield "np.prod(x, axis=0)", [(np.zeros((0, 3), f32),), (np.array([[2, -3], [0.5, 4]], f32),), (np.array([[1 << 20, 3], [1 << 20, 4]], i32),)]
    yield "np.any(x, axis=1)", [(np.zeros((3, 0), boolean),), (np.array([[nan, 0], [0, -0.0]], f32),)]
    for name in ("argmax", "argmin"):
        ties = [(np.array([[3, 1, 3, 1], [1, 1, 1, 1], [-2, 5, 5, -2]], d),) for d in (f32, f64, i32, i64)] + special + each((u8, boolean), 3, 5)
        yield f"np.{name}(x, 0)", ties
        yield f"np.{name}(x, -1)", ties + each((f32,), 3, 70)
    floats = [(some(d, 3, 5, 4),) for d in (f32, f64)]
    for arguments in ("x", "x, axis=1", "x, axis=(0, 2), keepdims=True"):
        for function in ("np.mean", "np.var"):
            yield f"rounded({function}, {arguments})", floats
            yield f"{function}({arguments})", [(some(i32, 3, 5, 4),), (some(u32, 3, 5, 4),)]
    yield "rounded(np.linalg.norm, x.ravel())", floats
    yield "rounded(np.linalg.norm, x, axis=1, keepdims=True)", floats
    yield "rounded(np.linalg.norm, x, axis=(0, 2))", floats
    large = [(some(d, 3, 5) * d(40),) for d in (f32, f64)]
    for axis in (0, -1):
        for function in ("logsumexp", "softmax", "log_softmax"):
            yield f"rounded({function}, x, axis={axis})", floats + large + special
    yield "rounded(logsumexp, x, axis=1, keepdims=True)", floats
