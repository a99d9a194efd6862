#include "tests/goldens/goldens.h"

using namespace sinter;
using namespace sinter::goldens;

TEST_CASE("elements are picked, and added, at the numbers that NumPy and JAX take") {
  using I = const Inputs&;
  check("indexing", {
    {"np.take(x, y, 0, mode='clip')", [](I i) { return take(i.x, i.y, 0); }},
    {"np.take(x, y, 1, mode='clip')", [](I i) { return take(i.x, i.y, 1); }},
    {"np.take(x, y, -1, mode='clip')", [](I i) { return take(i.x, i.y, -1); }},
    {"np.take(x, y, mode='clip')", [](I i) { return take(i.x, i.y); }},
    {"np.take_along_axis(x, y, 0)", [](I i) { return take_along_axis(i.x, i.y, 0); }},
    {"np.take_along_axis(x, y, 1)", [](I i) { return take_along_axis(i.x, i.y, 1); }},
    {"np.take_along_axis(x, y, -1)", [](I i) { return take_along_axis(i.x, i.y, -1); }},
    {"np.take_along_axis(x, y, 2)", [](I i) { return take_along_axis(i.x, i.y, 2); }},
    {"x[y]", [](I i) { return embedding(i.x, i.y); }},
    {"np.stack([np.take(a, b, 0, mode='clip') for a, b in zip(x, y)])", [](I i) { return gather(i.x, i.y, 1); }},
    {"jax.nn.one_hot(x, 5, dtype='float32')", [](I i) { return one_hot(i.x, 5); }},
    {"jax.nn.one_hot(x, 5, dtype='int32')", [](I i) { return one_hot(i.x, 5, i32); }},
    {"jax.nn.one_hot(x, 5, dtype='bool')", [](I i) { return one_hot(i.x, 5, boolean); }},
    {"scatter_add(x, y, 5)", [](I i) { return scatter_add(i.x, i.y, 5); }},
    {"jax.vmap(lambda p, u: scatter_add(p, u, 5))(x, y)", [](I i) { return scatter_add(i.x, i.y, 5, 1); }},
    {"jax.ops.segment_sum(y, x, 5)", [](I i) { return scatter_add(i.x, i.y, 5); }},
  }, {Family::indexing});
}
