"""Elements that move."""
from inputs import *

kinds = (f32, i64, boolean)


def cases():
    for shape, froms in {(2, 3, 4): [(), (4,), (1,), (3, 1), (1, 1, 4), (2, 1, 1), (2, 3, 4)], (0, 3): [(3,), (0, 1), (1, 1)]}.items():
        yield f"np.broadcast_to(x, {shape})", [(some(f32, *sizes),) for sizes in froms] + each((u8,), 1)
    yield "np.reshape(x, (4, 6))", each(kinds, 2, 3, 4)
    yield "np.reshape(x, (3, -1, 2))", each(kinds, 2, 3, 4)
    yield "np.reshape(x, -1)", [(some(f32, *sizes),) for sizes in [(2, 3, 4), (), (1, 1), (2, 0)]]
    yield "np.reshape(x, ())", each(kinds, 1, 1)
    yield "np.reshape(x, (0, 7))", each((f64,), 3, 0)
    yield "np.transpose(x)", [(some(f32, *sizes),) for sizes in [(), (5,), (3, 5), (2, 3, 4), (2, 0, 3)]] + each((u8,), 2, 3, 4)
    yield "np.transpose(x, (2, 0, 1))", each(kinds, 2, 3, 4)
    yield "np.transpose(x, (0, 2, 1, 3))", each(kinds, 2, 3, 4, 2)
    yield "np.transpose(x, (-1, 0, -2))", each(kinds, 2, 3, 4)
    for index in ("1:4", "::2", "1:6:3", "-3:", ":-2", "-5:-1:2", "::-1", "5:0:-2", "-2:-6:-3", "2::-1", "3:3", "1:4:-1"):
        yield f"x[{index}]", each(kinds, 7)
    yield "x[1:, ::-2, 0:1]", each(kinds, 3, 5, 2)
    yield "x[::-1, ::-1]", each(kinds, 3, 40)
    yield "x[:, -1:-36:-5]", each(kinds, 3, 40)
    yield "x[2:0:-1, 3:37:4]", each(kinds, 3, 40)
    yield "np.flip(x, 0)", each(kinds, 3, 5)
    yield "np.flip(x, -1)", each(kinds, 3, 35)
    yield "np.flip(x, (0, 2))", each(kinds, 2, 3, 4)
    yield "np.flip(x, (0, 1, 2))", each(kinds, 2, 3, 4)
    for widths in ("(1, 2, 0)", "(0, 0, 2)", "(-1, -2, 0)", "(2, -3, 0)", "(-2, 3, 1)", "(-1, -1, 2)", "(-3, 0, 1)", "(0, -5, 1)", "(1, 1, 3)", "(-7, 9, 0)"):
        yield f"lax.pad(x, y, [{widths}])", [(some(d, 5), d(1)) for d in kinds]
    yield "lax.pad(x, y, [(1, 0, 1), (-1, 2, 0), (0, -1, 2)])", [(some(d, 2, 3, 4), d(1)) for d in kinds]
    yield "lax.pad(x, y, [(2, 1, 3), (0, 0, 0)])", [(some(d, 0, 3), d(1)) for d in kinds]
    yield "np.pad(x, ((1, 2), (0, 3)), constant_values=9)", each((f32, i32), 3, 5)
