// Loop groups, and what every kind of lowering shares: which loop is the vector loop, and how much is worth a chunk.
#include "codegen/lower_kinds.h"

#include <algorithm>
#include <numeric>

namespace sinter {

std::vector<Affine*> affines_of(std::initializer_list<Body*> bodies) {
  std::vector<Affine*> all;
  for (Body* body : bodies) for_each_affine(*body, [&](Affine& a) { all.push_back(&a); });
  return all;
}

void permute_loops(std::vector<Dim>& extents, const std::vector<Affine*>& functions, const std::vector<size_t>& order) {
  auto permuted = [&](const std::vector<Dim>& old) {
    std::vector<Dim> result;
    for (size_t i : order) result.push_back(old[i]);
    return result;
  };
  extents = permuted(extents);
  for (Affine* a : functions) a->strides = permuted(a->strides);
}

std::optional<size_t> contiguous_loop(const std::vector<Body*>& bodies, size_t first, size_t last, int& score) {
  std::vector<int> votes(last, 0);
  auto vote = [&](const Affine& a, int weight) {
    for (size_t l = first; l < last; ++l)
      if (a.strides[l].is(1)) votes[l] += weight;
  };
  for (const Body* body : bodies) {
    for (const BodyInput& input : body->inputs)
      if (auto* load = std::get_if<LoadInput>(&input)) vote(load->position, 2);
    for (const Store& store : body->stores) vote(store.position, 3);
  }
  std::optional<size_t> best;
  score = 0;
  for (size_t l = first; l < last; ++l)
    if (votes[l] >= score && votes[l] > 0) best = l, score = votes[l];
  return best;
}

double operations(const ScalarExpr& expr) {
  double sum = 0;
  for (const ScalarOp& op : expr.ops) sum += op.code == ScalarCode::divide || op.code == ScalarCode::square_root || op.code == ScalarCode::remainder ? 4 : 1;
  return sum;
}

double nanoseconds(const Body& body, const std::vector<KernelArgument>& arguments) {
  double bytes = 0;
  for (const BodyInput& input : body.inputs)
    if (auto* load = std::get_if<LoadInput>(&input)) bytes += static_cast<double>(size_of(arguments[load->argument].dtype));
  for (const Store& store : body.stores) bytes += 2 * static_cast<double>(size_of(arguments[store.argument].dtype));
  return 0.05 * bytes + 0.02 * operations(body.expr);
}

int64_t grain_for(double nanoseconds_a_step) {
  constexpr double worth_a_chunk = 20000;  // several times what waking a sleeping thread costs
  return static_cast<int64_t>(std::clamp(worth_a_chunk / std::max(nanoseconds_a_step, 1e-3), 1.0, 1e12));
}

LoweredGroup lower_loop(const Program& program, const FusionPlan& plan, const Group& group) {
  ArgumentTable arguments;
  BodyMaker maker(program.graph, arguments);
  Walk<BodyMaker> walk(program, plan, group, maker);
  for (NodeId id : group.stored) {
    const Index& at = group.at[member_number(group, id)];
    maker.store(id, flattened(at, program.graph.type(id).shape, group.loops.size()), walk.member(id));
  }
  LoopKernel loop{group.loops, maker.finish(), false};
  std::vector<Affine*> functions = affines_of({&loop.body});
  coalesce(loop.extents, 0, loop.extents.size(), 0, functions);
  int score;
  if (auto vector = contiguous_loop({&loop.body}, 0, loop.extents.size(), score); vector && *vector + 1 < loop.extents.size()) {
    std::vector<size_t> order(loop.extents.size());
    std::iota(order.begin(), order.end(), 0);
    order.erase(order.begin() + static_cast<std::ptrdiff_t>(*vector));
    order.push_back(*vector);
    permute_loops(loop.extents, functions, order);
  }
  if (loop.extents.empty()) {
    loop.extents = {Dim(1)};
    for (Affine* a : functions) a->strides = {Dim(0)};
  }
  double stored = 0, points = 1, inner = 1;
  for (const Store& s : loop.body.stores) stored += static_cast<double>(size_of(arguments.kernel_arguments[s.argument].dtype));
  for (size_t l = 0; l < loop.extents.size(); ++l) points *= nominal(loop.extents[l]), inner *= l > 0 ? nominal(loop.extents[l]) : 1;
  constexpr double past_every_cache = 64e6;
  loop.streaming = stored * points > past_every_cache;
  Kernel kernel{"loop", arguments.kernel_arguments, {}, grain_for(inner * nanoseconds(loop.body, arguments.kernel_arguments)), loop};
  if (loop.extents.size() == 1) kernel.grain = (kernel.grain + 255) / 256 * 256;  // whole vectors, whole cache lines
  kernel.sizes = symbolic_sizes(kernel);
  return {{{std::move(kernel), arguments.arguments, group.members}}, {}};
}

Kernel copy_kernel(const Type& type) {
  Affine position{Dim(0), {Dim(1)}};
  ScalarBuilder builder;
  Scalar element = builder.input(0, type.dtype);
  LoopKernel loop{{product(type.shape)}, {{LoadInput{0, position, {}}}, builder.finish(std::span(&element, 1)), {{1, position, 0}}}, false};
  Kernel kernel{"copy", {{type.dtype, false}, {type.dtype, true}}, {}, 1, loop};
  kernel.grain = (grain_for(nanoseconds(loop.body, kernel.arguments)) + 255) / 256 * 256;
  kernel.sizes = symbolic_sizes(kernel);
  return kernel;
}

LoweredGroup lower(const Program& program, const FusionPlan& plan, const Group& group, const Target& target) {
  switch (group.kind) {
    case GroupKind::loop: return lower_loop(program, plan, group);
    case GroupKind::row: return lower_row(program, plan, group);
    case GroupKind::contraction: return lower_contraction(program, plan, group, target);
    case GroupKind::call: throw InternalError("a custom call has no kernel");
  }
  throw InternalError("a group of no kind");
}

}  // namespace sinter
