#include "tests/goldens/goldens.h"

using namespace sinter;
using namespace sinter::goldens;

TEST_CASE("what is moved goes where NumPy and JAX move it") {
  using I = const Inputs&;
  check("movement", {
    {"np.broadcast_to(x, (2, 3, 4))", [](I i) { return broadcast_to(i.x, {2, 3, 4}); }},
    {"np.broadcast_to(x, (0, 3))", [](I i) { return broadcast_to(i.x, {0, 3}); }},
    {"np.reshape(x, (4, 6))", [](I i) { return reshape(i.x, {4, 6}); }},
    {"np.reshape(x, (3, -1, 2))", [](I i) { return reshape(i.x, {3, -1, 2}); }},
    {"np.reshape(x, -1)", [](I i) { return reshape(i.x, {-1}); }},
    {"np.reshape(x, ())", [](I i) { return reshape(i.x, {}); }},
    {"np.reshape(x, (0, 7))", [](I i) { return reshape(i.x, {0, 7}); }},
    {"np.transpose(x)", [](I i) { return transpose(i.x); }},
    {"np.transpose(x, (2, 0, 1))", [](I i) { return transpose(i.x, {2, 0, 1}); }},
    {"np.transpose(x, (0, 2, 1, 3))", [](I i) { return transpose(i.x, {0, 2, 1, 3}); }},
    {"np.transpose(x, (-1, 0, -2))", [](I i) { return transpose(i.x, {-1, 0, -2}); }},
    {"x[1:4]", [](I i) { return slice(i.x, {1}, {4}); }},
    {"x[::2]", [](I i) { return slice(i.x, {0}, {7}, {2}); }},
    {"x[1:6:3]", [](I i) { return slice(i.x, {1}, {6}, {3}); }},
    {"x[-3:]", [](I i) { return slice(i.x, {-3}, {7}); }},
    {"x[:-2]", [](I i) { return slice(i.x, {0}, {-2}); }},
    {"x[-5:-1:2]", [](I i) { return slice(i.x, {-5}, {-1}, {2}); }},
    {"x[::-1]", [](I i) { return slice(i.x, {-1}, {-8}, {-1}); }},
    {"x[5:0:-2]", [](I i) { return slice(i.x, {5}, {0}, {-2}); }},
    {"x[-2:-6:-3]", [](I i) { return slice(i.x, {-2}, {-6}, {-3}); }},
    {"x[2::-1]", [](I i) { return slice(i.x, {2}, {-8}, {-1}); }},
    {"x[3:3]", [](I i) { return slice(i.x, {3}, {3}); }},
    {"x[1:4:-1]", [](I i) { return slice(i.x, {1}, {4}, {-1}); }},
    {"x[1:, ::-2, 0:1]", [](I i) { return slice(i.x, {1, 4, 0}, {3, -6, 1}, {1, -2, 1}); }},
    {"x[::-1, ::-1]", [](I i) { return slice(i.x, {2, 39}, {-4, -41}, {-1, -1}); }},
    {"x[:, -1:-36:-5]", [](I i) { return slice(i.x, {0, -1}, {3, -36}, {1, -5}); }},
    {"x[2:0:-1, 3:37:4]", [](I i) { return slice(i.x, {2, 3}, {0, 37}, {-1, 4}); }},
    {"np.flip(x, 0)", [](I i) { return flip(i.x, {0}); }},
    {"np.flip(x, -1)", [](I i) { return flip(i.x, {-1}); }},
    {"np.flip(x, (0, 2))", [](I i) { return flip(i.x, {0, 2}); }},
    {"np.flip(x, (0, 1, 2))", [](I i) { return flip(i.x, {0, 1, 2}); }},
    {"lax.pad(x, y, [(1, 2, 0)])", [](I i) { return pad(i.x, i.y, {1}, {2}); }},
    {"lax.pad(x, y, [(0, 0, 2)])", [](I i) { return pad(i.x, i.y, {0}, {0}, {2}); }},
    {"lax.pad(x, y, [(-1, -2, 0)])", [](I i) { return pad(i.x, i.y, {-1}, {-2}); }},
    {"lax.pad(x, y, [(2, -3, 0)])", [](I i) { return pad(i.x, i.y, {2}, {-3}, {0}); }},
    {"lax.pad(x, y, [(-2, 3, 1)])", [](I i) { return pad(i.x, i.y, {-2}, {3}, {1}); }},
    {"lax.pad(x, y, [(-1, -1, 2)])", [](I i) { return pad(i.x, i.y, {-1}, {-1}, {2}); }},
    {"lax.pad(x, y, [(-3, 0, 1)])", [](I i) { return pad(i.x, i.y, {-3}, {0}, {1}); }},
    {"lax.pad(x, y, [(0, -5, 1)])", [](I i) { return pad(i.x, i.y, {0}, {-5}, {1}); }},
    {"lax.pad(x, y, [(1, 1, 3)])", [](I i) { return pad(i.x, i.y, {1}, {1}, {3}); }},
    {"lax.pad(x, y, [(-7, 9, 0)])", [](I i) { return pad(i.x, i.y, {-7}, {9}); }},
    {"lax.pad(x, y, [(1, 0, 1), (-1, 2, 0), (0, -1, 2)])", [](I i) { return pad(i.x, i.y, {1, -1, 0}, {0, 2, -1}, {1, 0, 2}); }},
    {"lax.pad(x, y, [(2, 1, 3), (0, 0, 0)])", [](I i) { return pad(i.x, i.y, {2, 0}, {1, 0}, {3, 0}); }},
    {"np.pad(x, ((1, 2), (0, 3)), constant_values=9)", [](I i) { return pad(i.x, 9, {1, 0}, {2, 3}); }},
  }, {Family::movement});
}
