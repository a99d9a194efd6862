#include "passes/memory_plan.h"

#include <catch2/catch.hpp>
#include <ctime>

#include "graph/interpreter.h"
#include "graph/text.h"
#include "runtime/arena_layout.h"
#include "tests/plans/planned.h"

namespace sinter {
namespace {

// Runs the plan on real memory, node by node, the arena laid out as at a call.
Interpreted run(const Planned& p, const NamedTensors& inputs) {
  const Graph& graph = p.program.graph;
  Bindings bindings = bind_inputs(p.program, inputs);
  auto bytes_of = [&](const Type& t) { return element_count(evaluate(t.shape, bindings)) * static_cast<int64_t>(size_of(t.dtype)); };
  std::vector<ArenaRequest> requests;
  for (const PlannedBuffer& b : p.plan.buffers)
    if (b.place == Place::arena) requests.push_back({bytes_of(b.type), b.first, b.last});
  ArenaLayout layout = layout_arena(requests);
  check(requests, layout);
  std::vector<std::byte> arena(static_cast<size_t>(layout.bytes) + 64);
  std::byte* base = arena.data() + (64 - reinterpret_cast<uintptr_t>(arena.data()) % 64) % 64;
  std::vector<Tensor> memory;
  size_t next = 0;
  for (const PlannedBuffer& b : p.plan.buffers) {
    auto sizes = evaluate(b.type.shape, bindings);
    if (b.place == Place::arena) memory.push_back(Tensor::borrow(base + layout.offsets[next++], b.type.dtype, sizes));
    else if (b.place == Place::input) memory.push_back(inputs.at(graph.attributes<VariableAttributes>(b.leaf).name));
    else if (b.place == Place::constant) memory.push_back(graph.constant_value(b.leaf));
    else if (b.place == Place::parameter) memory.push_back(graph.parameter(b.leaf)->value.clone());
    else memory.push_back(full(sizes, 77, b.type.dtype));
  }
  auto value = [&](NodeId id) {  // of what lies in memory, as the node's type; or of a size or a counter
    if (uint32_t b = p.plan.buffer_of[id.index]; b != MemoryPlan::none) return Tensor::borrow(memory[b].raw(), graph.type(id).dtype, evaluate(graph.type(id).shape, bindings));
    return evaluate_node(graph, id, {}, bindings);
  };
  for (const PlannedStep& step : p.plan.steps) {
    if (step.group == PlannedStep::copy) {
      REQUIRE(memory[step.to].bytes() == memory[step.from].bytes());
      std::memcpy(memory[step.to].raw(), memory[step.from].raw(), memory[step.to].bytes());
      continue;
    }
    NodeId id = p.fusion.groups[step.group].members.at(0);
    std::vector<Tensor> operands;
    for (NodeId input : graph.inputs(id)) operands.push_back(value(input));
    Tensor result = evaluate_node(graph, id, operands, bindings);
    std::memcpy(memory[p.plan.buffer_of[id.index]].raw(), result.raw(), result.bytes());
  }
  Interpreted result;
  result.outputs.resize(p.program.outputs.size());
  result.updates.resize(p.program.updates.size());
  for (size_t b = 0; b < memory.size(); ++b) {
    if (p.plan.buffers[b].place == Place::output) result.outputs.at(p.plan.buffers[b].output) = memory[b];
    for (size_t u = 0; u < p.program.updates.size(); ++u)
      if (p.plan.buffers[b].place == Place::parameter && p.plan.buffers[b].leaf == p.program.updates[u].parameter) result.updates[u] = memory[b];
  }
  for (size_t u = 0; u < p.program.updates.size(); ++u)
    if (!result.updates[u].defined()) result.updates[u] = graph.parameter(p.program.updates[u].parameter)->value;  // one that stays as it is
  return result;
}

}  // namespace

TEST_CASE("values that die are written over, the last of them in the output's own buffer", "[memory_plan]") {
  Planned p(R"(sinter 1
%x = variable : f32[n]
%1 = exp %x : f32[n]
%2 = sin %1 : f32[n]
%3 = cos %2 : f32[n]
return %3
)");
  CHECK(p.arena_buffers() == 0);
  for (size_t node : {1, 2, 3}) CHECK(p.buffer(node).place == Place::output);
  CHECK(p.copies() == 0);
}

TEST_CASE("a value that is still needed is not written over", "[memory_plan]") {
  Planned p(R"(sinter 1
%x = variable : f32[n]
%1 = exp %x : f32[n]
%2 = sin %1 : f32[n]
%3 = add %1, %2 : f32[n]
%4 = sum %3 {axes=[0]} : f32[]
return %4
)");
  CHECK(p.plan.buffer_of[1] != p.plan.buffer_of[2]);
  CHECK(p.plan.buffer_of[3] != p.plan.buffer_of[4]);  // not of one size
  CHECK(p.buffer(4).place == Place::output);
}

TEST_CASE("a parameter is updated where it lies, once all others have read it", "[memory_plan]") {
  Planned p(R"(sinter 1
%x = variable : f32[4]
%w = parameter : f32[4]
%2 = multiply %w, %x : f32[4]
%3 = subtract %w, %2 : f32[4]
%4 = exp %2 : f32[4]
update %w = %3
return %4
)");
  CHECK(p.buffer(3).place == Place::parameter);
  CHECK(p.plan.buffer_of[3] == p.plan.buffer_of[1]);
  CHECK(p.copies() == 0);
}

TEST_CASE("later groups read the new value in the parameter", "[memory_plan]") {
  Planned p(R"(sinter 1
%w = parameter : f32[4]
%1 = exp %w : f32[4]
%2 = sin %1 : f32[4]
update %w = %1
return %2
)");
  CHECK(p.buffer(1).place == Place::parameter);
  CHECK(p.copies() == 0);
}

TEST_CASE("an update that cannot be in place is copied at the end", "[memory_plan]") {
  SECTION("the old value is needed once the new one is there") {
    Planned p(R"(sinter 1
%w = parameter : f32[4]
%1 = exp %w : f32[4]
%2 = add %w, %1 : f32[4]
update %w = %1
return %2
)");
    CHECK(p.buffer(1).place == Place::arena);
    CHECK(p.plan.steps.back().to == p.plan.buffer_of[0]);
    CHECK(p.copies() == 1);
  }
  SECTION("the group reads elements after it stored them") {
    Planned p(R"(sinter 1
%w = parameter : f32[4, 4]
%1 = transpose %w {permutation=[1, 0]} : f32[4, 4]
update %w = %1
return
)");
    CHECK(p.copies() == 1);
  }
  SECTION("the value is an output, too") {
    Planned p(R"(sinter 1
%w = parameter : f32[4]
%1 = exp %w : f32[4]
update %w = %1
return %1
)");
    CHECK(p.buffer(1).place == Place::output);
    CHECK(p.copies() == 1);
  }
  SECTION("the value is an input or a constant") {
    Planned p(R"(sinter 1
%x = variable : f32[4]
%v = parameter : f32[4]
%w = parameter : f32[4]
%3 = constant 0x1p+0 : f32[4]
update %v = %x
update %w = %3
return
)");
    CHECK(p.copies() == 2);
  }
}

TEST_CASE("one value for two parameters is stored in the first and copied to the second", "[memory_plan]") {
  Planned p(R"(sinter 1
%v = parameter : f32[4]
%w = parameter : f32[4]
%2 = add %v, %w : f32[4]
update %v = %2
update %w = %2
return
)");
  CHECK(p.buffer(2).place == Place::parameter);
  CHECK(p.copies() == 1);
}

TEST_CASE("parameters that trade places are copied around the circle", "[memory_plan]") {
  Planned two(trading_places);
  CHECK(two.copies() == 3);
  Planned chain(R"(sinter 1
%a = parameter : f32[4]
%b = parameter : f32[4]
%c = parameter : f32[4]
update %b = %a
update %c = %b
return
)");
  CHECK(chain.copies() == 2);
  CHECK(chain.arena_buffers() == 0);
  Planned three(R"(sinter 1
%a = parameter : f32[4]
%b = parameter : f32[4]
%c = parameter : f32[4]
%d = parameter : f32[4]
update %a = %b
update %b = %c
update %c = %a
update %d = %a
return
)");
  CHECK(three.copies() == 5);
  CHECK(three.arena_buffers() == 1);
}

TEST_CASE("the old value of a parameter is returned from before its update", "[memory_plan]") {
  Planned p(R"(sinter 1
%w = parameter : f32[4]
%1 = exp %w : f32[4]
update %w = %1
return %w, %w
)");
  CHECK(p.buffer(1).place == Place::parameter);
  CHECK(p.copies() == 2);
  CHECK(p.plan.steps[0].group == PlannedStep::copy);
}

TEST_CASE("outputs listed twice, reshaped or leaves", "[memory_plan]") {
  Planned p(R"(sinter 1
%x = variable : f32[n, 2]
%1 = exp %x : f32[n, 2]
%2 = reshape %1 {shape=[2*n]} : f32[2*n]
%3 = constant [0x1p+0, 0x1p+1] : f32[2]
return %2, %1, %x, %3
)");
  CHECK(p.copies() == 3);
  CHECK(p.arena_buffers() == 0);
  CHECK(to_string(p.buffer(1).type) == "f32[2*n]");
}

TEST_CASE("plans of random programs hold, and compute what the interpreter does", "[memory_plan]") {
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    CAPTURE(seed);
    Planned p(random_program(seed, static_cast<int>(seed % 50)), {seed % 3 == 0});
    NamedTensors inputs;
    for (const char* name : {"x", "y"})
      if (p.program.graph.named(name).valid()) inputs[name] = uniform({5, 4}, seed + static_cast<uint64_t>(name[0]));
    if (inputs.empty()) inputs.clear();
    bool sized = true;  // a size that no input gives has no value
    try {
      interpret(p.program, inputs);
    } catch (const UserError&) {
      sized = false;
    }
    if (!sized) continue;
    Interpreted expected = interpret(p.program, inputs), found = run(p, inputs);
    for (size_t i = 0; i < expected.outputs.size(); ++i) REQUIRE(same_bits(found.outputs[i], expected.outputs[i]));
    for (size_t i = 0; i < expected.updates.size(); ++i) REQUIRE(same_bits(found.updates[i], expected.updates[i]));
  }
}

TEST_CASE("a transactional plan keeps the parameters' old values until every group has run", "[memory_plan]") {
  Planned p(training, {true});
  CHECK(p.buffer(6).place == Place::arena);
  CHECK(p.copies() == 1);
  CHECK(p.plan.steps.back().to == p.plan.buffer_of[1]);
  CHECK(to_string(p.program, p.fusion, p.plan).starts_with("steps, the parameters' copies last\n"));

  Planned in_place(training);
  REQUIRE_FALSE(in_place.plan.transactional);
  MemoryPlan claims = in_place.plan;  // right in all but what it says of itself
  claims.transactional = true;
  CHECK(is_refused(in_place, claims));

  Planned early(R"(sinter 1
%x = variable : f32[4]
%w = parameter : f32[4]
%v = parameter : f32[4]
%3 = exp %w : f32[4]
update %v = %x
update %w = %3
return
)", {true});
  REQUIRE(early.copies() == 2);
  MemoryPlan wrong = early.plan;  // %v is copied at once
  auto copy = std::find_if(wrong.steps.begin(), wrong.steps.end(), [&](const PlannedStep& s) {
    return s.group == PlannedStep::copy && wrong.buffers[s.to].leaf == NodeId(2);
  });
  REQUIRE(copy != wrong.steps.end());
  std::rotate(wrong.steps.begin(), copy, copy + 1);
  for (PlannedBuffer& b : wrong.buffers)
    if (b.place == Place::arena) b.first = 1, b.last = 2;
  CHECK(is_refused(early, wrong));
  wrong.transactional = false;
  CHECK_FALSE(is_refused(early, wrong));
}

TEST_CASE("a value is written over only where every way of reading it allows that, and once", "[memory_plan]") {
  Program program = parse(R"(sinter 1
%x = variable : f32[n, n]
%1 = exp %x : f32[n, n]
%2 = reshape %1 {shape=[n, n]} : f32[n, n]
%3 = transpose %2 {permutation=[1, 0]} : f32[n, n]
%4 = add %1, %3 : f32[n, n]
%5 = multiply %1, %3 : f32[n, n]
%6 = sum %4 {axes=[0]} : f32[n]
%7 = sum %5 {axes=[0]} : f32[n]
return %6, %7
)", "test");
  NodeId x(0), exp(1), reshaped(2), a(4), b(5), c(6), d(7);
  auto plan = [&](std::vector<GroupRead> reads) {
    return Planned(program, fusion_of(program, {group({{x, {}}}, {exp}), group(std::move(reads), {a, b}), group({{a, {}}}, {c}), group({{b, {}}}, {d})}));
  };
  Planned neither = plan({{exp, {a}}, {reshaped, {}}});
  CHECK(neither.arena_buffers() == 3);
  Planned other = plan({{exp, {a, b}}, {reshaped, {b}}});
  CHECK(other.arena_buffers() == 2);
  CHECK(other.plan.buffer_of[5] == other.plan.buffer_of[1]);
  Planned once = plan({{exp, {a, b}}, {reshaped, {b, a}}});
  CHECK(once.arena_buffers() == 2);

  MemoryPlan together = neither.plan;  // two values in one place
  together.buffer_of[5] = together.buffer_of[4];
  CHECK(is_refused(neither, together));
}

TEST_CASE("a value is written over only by one of its size", "[memory_plan]") {
  Program program = parse(R"(sinter 1
%x = variable : f32[5, 4]
%1 = exp %x : f32[5, 4]
%2 = slice %1 {starts=[0, 0], stops=[1, 4], steps=[1, 1]} : f32[1, 4]
%3 = sin %2 : f32[1, 4]
%4 = sum %3 {axes=[0]} : f32[4]
return %4
)", "test");
  NodeId x(0), exp(1), sin(3), sum(4);
  Planned p(program, fusion_of(program, {group({{x, {}}}, {exp}), group({{exp, {sin}}}, {sin}), group({{sin, {}}}, {sum})}));
  CHECK(p.arena_buffers() == 2);
}

TEST_CASE("a memory plan for people", "[memory_plan]") {
  Planned p(training);
  std::string text = to_string(p.program, p.fusion, p.plan);
  CAPTURE(text);
  CHECK(text.find("contraction group 0: %x@0, %w@1 -> %2@2\n") != std::string::npos);
  CHECK(text.find("@2: f32[n, 4], 16*n bytes, arena 0..2, holds %2, %3\n") != std::string::npos);
  CHECK(text.find("@1: f32[4, 4], 64 bytes, parameter %w, holds %w, %6\n") != std::string::npos);
}

TEST_CASE("a memory plan of ten thousand groups takes milliseconds", "[memory_plan]") {
  Program program = random_program(1, 10000);
  for (size_t i = program.graph.size(); i-- > program.graph.size() - 200;) program.outputs.push_back(NodeId(i));
  FusionPlan fusion = naive_plan(program);
  Schedule s = schedule(program, fusion);
  const std::clock_t start = std::clock();  // the time of this process: what else runs is none of it
  MemoryPlan plan = plan_memory(program, fusion, s);
  double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  check(program, fusion, plan);
  CHECK(seconds < 2);
}

}  // namespace sinter
