// The pass manager: what it does for every pass, and what it catches.
#include "passes/manager.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <ctime>
#include <functional>

#include "graph/builder.h"
#include "graph/text.h"
#include "passes/cse.h"
#include "passes/dce.h"
#include "passes/pipeline.h"
#include "passes/rewriter.h"
#include "passes/structural_hash.h"
#include "tests/raises.h"

using namespace sinter;

namespace {

Program program_of_text(const std::string& body) { return parse("sinter 1\n" + body + "\n", "test.graph"); }

Program small_program() { return program_of_text("%x = variable : f32[n]\n%1 = exp %x\n%2 = exp %1\n%3 = add %1, %2\nreturn %3\n"); }

PassResult nothing(const Program& program) { return {program, false}; }

// Drops an exp, one a run: what takes several rounds.
PassResult drop_one_exp(const Program& program) {
  Rewriter rewriter(program);
  bool changed = false;
  rewriter.each([&](NodeId old) {
    if (changed || rewriter.from().node(old).op != Op::exp) return NodeId();
    changed = true;
    return rewriter.moved(rewriter.from().inputs(old)[0]);
  });
  return std::move(rewriter).finish(changed);
}

PassResult lie(const Program& program) {
  PassResult result = drop_one_exp(program);
  result.changed = false;
  return result;
}

PassResult claim_too_much(const Program& program) { return {program, true}; }

PassResult break_type(const Program& program) {
  PassResult result{program, true};
  NodeId x(0);
  result.program.outputs[0] = result.program.graph.append(Op::exp, std::span(&x, 1), NoAttributes{}, Type::of(f64, {7}), {});
  return result;
}

std::string internal_error(const std::function<void()>& f) {
  try {
    f();
  } catch (const InternalError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("rows of one group run until none changes anything") {
  const PipelineRow rows[] = {{{"once", nothing}, ""}, {{"drop", drop_one_exp}, "", 1}, {{"nothing", nothing}, "", 1}, {{"last", nothing}, "", 2}};
  std::vector<std::string> seen;
  PassOptions options;
  options.dump = [&](const PassDump& dump) { seen.push_back(std::string(dump.pass) + std::to_string(dump.round) + (dump.changed ? "!" : "")); };
  PassRun run = run_passes(small_program(), rows, options);
  CHECK(seen == std::vector<std::string>{"once1", "drop1!", "nothing1", "drop2!", "nothing2", "drop3", "nothing3", "last1"});
  CHECK(print(run.program) == "sinter 1\n%x = variable : f32[n]\n%1 = add %x, %x : f32[n]\nreturn %1\n");
  REQUIRE(run.timings.size() == 4);
  CHECK(run.timings[1].pass == "drop");
  CHECK(run.timings[1].runs == 3);
  CHECK(run.timings[1].changes == 2);
  CHECK(run.timings[1].nodes_before == 4);
  CHECK(run.timings[1].nodes_after == 2);
  CHECK(run.timings[1].seconds > 0);
}

TEST_CASE("a group that never settles stops") {
  const PipelineRow rows[] = {{{"restless", claim_too_much}, "", 1}};
  CHECK(run_passes(small_program(), rows).timings[0].runs == 16);
}

TEST_CASE("stop after, disable") {
  const PipelineRow rows[] = {{{"drop", drop_one_exp}, "", 1}, {{"cse", cse}, "", 1}, {{"dce", dce}, ""}};
  PassOptions options;
  options.stop_after = "drop";
  PassRun run = run_passes(small_program(), rows, options);
  CHECK(run.timings.size() == 1);
  CHECK(run.timings[0].runs == 1);
  options.stop_after.clear();
  options.disabled = {"drop", "dce"};
  run = run_passes(small_program(), rows, options);
  REQUIRE(run.timings.size() == 1);
  CHECK(run.timings[0].pass == "cse");
  options.disabled = {"drop"};
  options.stop_after = "drop";
  CHECK(run_passes(small_program(), rows, options).timings.empty());
  options.stop_after = "drip";
  CHECK(raised([&] { run_passes(small_program(), rows, options); }).message == "there is no pass 'drip'; there are drop, cse, dce");
  options.stop_after.clear();
  options.disabled = {"cs"};
  CHECK(raised([&] { run_passes(small_program(), rows, options); }).message == "there is no pass 'cs'; there are drop, cse, dce");
}

TEST_CASE("a pass that lies, or breaks the program, is caught") {
  const PipelineRow lying[] = {{{"liar", lie}, ""}}, breaking[] = {{{"breaker", break_type}, ""}};
  CHECK(internal_error([&] {
          run_passes(small_program(), lying);
        }).find("the pass 'liar' says that it changed nothing, but the program is another") != std::string::npos);
  std::string error = internal_error([&] { run_passes(small_program(), breaking); });
  CHECK(error.find("the pass 'breaker' broke the program") != std::string::npos);
  CHECK(error.find("node %4 = exp %x : f64[7]: its type is f32[n]") != std::string::npos);
  PassOptions unverified;
  unverified.verify = false;
  CHECK_NOTHROW(run_passes(small_program(), breaking, unverified));
  CHECK(internal_error([&] { run_passes(small_program(), lying, unverified); }) != "");
  CHECK(internal_error([&] { run_passes(break_type(small_program()).program, {}); }) != "");
}

TEST_CASE("the hash says whether two programs are one") {
  auto hash = [](const std::string& text) { return structural_hash(program_of_text(text)); };
  const std::string x = "%x = variable : f32[n]\n%y = variable : f32[n]\n";
  uint64_t base = hash(x + "%1 = exp %x\n%2 = exp %y\n%3 = subtract %1, %2\nreturn %3");
  CHECK(base ==
        hash(x + "%2 = exp %y  # a.cpp:1\n%1 = exp %x\n%4 = add %1, %2\n%3 = subtract %1, %2\nreturn %3"));  // order, origins, what is not reached
  CHECK(base != hash(x + "%1 = exp %x\n%2 = exp %y\n%3 = subtract %2, %1\nreturn %3"));
  CHECK(base != hash(x + "%1 = exp %x\n%2 = exp %y\n%3 = add %1, %2\nreturn %3"));
  CHECK(base != hash(x + "%1 = exp %x\n%2 = exp %y\n%3 = subtract %1, %2\nreturn %3, %3"));
  CHECK(base != hash("%x = variable : f32[m]\n%y = variable : f32[m]\n%1 = exp %x\n%2 = exp %y\n%3 = subtract %1, %2\nreturn %3"));
  CHECK(hash(x + "%1 = exp %x\n%2 = exp %x\n%3 = add %1, %2\nreturn %3") !=
        hash(x + "%1 = exp %x\n%3 = add %1, %1\nreturn %3"));  // equal is not the same
  CHECK(hash("%1 = constant 0x0p+0 : f32[]\nreturn %1") != hash("%1 = constant -0x0p+0 : f32[]\nreturn %1"));
  CHECK(hash("%1 = constant 0 : i32[]\nreturn %1") != hash("%1 = constant 0 : u32[]\nreturn %1"));
  const std::string w = "%w = parameter : f32[2]\n%v = parameter : f32[2]\n";
  CHECK(hash(w + "update %w = %v\nreturn") != hash(w + "update %v = %w\nreturn"));
  CHECK(hash(w + "update %w = %v\nreturn") != hash(w + "return %w, %v"));
}

TEST_CASE("the pipeline's rows say why they are where they are") {
  for (const PipelineRow& row : pipeline()) CHECK(row.why_here.size() > 10);
}

TEST_CASE("twenty thousand nodes go through the pipeline in linear time") {
  Program program;
  Graph& graph = program.graph;
  auto grow = [&](int nodes) {
    program = {};
    NodeId x = build_variable(graph, "x", Type::of(f32, {"n", 4})), one = build_constant(graph, Tensor::scalar(1.0), true), at = x;
    for (int i = 0; i < nodes / 8; ++i) {
      NodeId c = build_constant(graph, full({4}, i % 7));
      at = build(graph, Op::add, {build(graph, Op::multiply, {at, one}), c});
      at = build(graph, Op::transpose, {build(graph, Op::transpose, {at}, TransposeAttributes{})}, TransposeAttributes{});
      at = build(graph, Op::maximum, {at, x});
    }
    program.outputs = {at};
  };
  // Of the processor's own time, which other processes do not stretch.
  auto seconds = [&] {
    double least = 1e9;
    for (int i = 0; i < 3; ++i) {
      std::clock_t start = std::clock();
      optimize(program);
      least = std::min(least, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
    }
    return least;
  };
  grow(2000);
  double small = seconds();
  grow(20000);
  CHECK(graph.size() > 18000);
  double large = seconds();
  CHECK(large < 40 * small + 0.05);  // ten times the nodes; quadratic would be a hundred
}
