// What random programs are made of, and the processes they run in.
#include <catch2/catch.hpp>
#include <csignal>
#include <set>
#include <unistd.h>

#include "graph/text.h"
#include "tools/fuzz/child.h"
#include "tools/fuzz/program.h"

using namespace sinter;

TEST_CASE("one seed gives one program and one set of inputs") {
  for (uint64_t seed : {1, 2, 3}) {
    fuzz::RandomProgram a = fuzz::random_program(seed), b = fuzz::random_program(seed), other = fuzz::random_program(seed + 10);
    CHECK(print(a.program) == print(b.program));
    CHECK(print(a.program) != print(other.program));
    for (const Bindings& sizes : a.bindings) {
      NamedTensors once = a.inputs(sizes), again = b.inputs(sizes);
      for (const auto& [name, tensor] : once) CHECK(same_bits(tensor, again.at(name)));
    }
  }
}

TEST_CASE("every row of the op table, data type, rank and kind of result is drawn") {
  std::set<Op> ops;
  std::set<DType> types;
  std::set<size_t> ranks;
  bool empty = false, updates = false, twice = false, leaf = false;
  for (uint64_t seed = 1; seed <= 600; ++seed) {
    Program program = fuzz::random_program(seed).program;
    const Graph& graph = program.graph;
    for (size_t i = 0; i < graph.size(); ++i) {
      const Type& type = graph.type(NodeId(i));
      ops.insert(graph.node(NodeId(i)).op), types.insert(type.dtype), ranks.insert(type.shape.size());
      for (const Dim& d : type.shape) empty = empty || d.is(0);
    }
    std::set<NodeId> outputs(program.outputs.begin(), program.outputs.end());
    twice = twice || outputs.size() < program.outputs.size();
    updates = updates || !program.updates.empty();
    for (NodeId o : outputs) leaf = leaf || graph.node(o).op == Op::variable || graph.node(o).op == Op::parameter;
  }
  for (const OpInfo& row : op_table()) {
    INFO(row.name);
    CHECK(ops.contains(row.op) == (row.family != Family::sugar));
  }
  CHECK(types.size() == std::size(all_dtypes));
  CHECK(ranks.size() == 7);
  CHECK((empty && updates && twice && leaf));
}

TEST_CASE("a child's words, its death and its silence are results") {
  fuzz::ChildResult well = fuzz::in_child([](fuzz::Progress& p) { return p.at = 7, std::string(100000, 'x'); }, 60);
  CHECK_FALSE(well.died);
  CHECK(well.text == std::string(100000, 'x'));
  CHECK(well.progress.at == 7);
  fuzz::ChildResult threw = fuzz::in_child([](fuzz::Progress&) -> std::string { throw UserError("no"); }, 60);
  CHECK_FALSE(threw.died);
  CHECK(threw.text == "no");
  fuzz::ChildResult killed = fuzz::in_child([](fuzz::Progress& p) { return p.at = 9, raise(SIGKILL), std::string(); }, 60);
  CHECK(killed.died);
  CHECK(killed.progress.at == 9);
  CHECK(killed.text.starts_with("killed by signal 9"));
  fuzz::ChildResult silent = fuzz::in_child([](fuzz::Progress&) { return pause(), std::string(); }, 0.1);
  CHECK(silent.died);
  CHECK(silent.text.starts_with("no result"));
}
