// Wrong fusion plans, one for each thing that the checker holds against a plan: it has to be found, and by that name.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>

#include "graph/expr.h"
#include "graph/text.h"
#include "passes/fusion/plan.h"

namespace sinter {
namespace {

// A softmax whose columns' sums update a parameter: a row group with a rider.
const char* const rows = R"(sinter 1
%x = variable : f32[n, 100]
%g = parameter : f32[100]
%1 = max %x {axes=[1]} : f32[n]
%2 = broadcast %1 {shape=[n, 100], axes=[0]} : f32[n, 100]
%3 = subtract %x, %2 : f32[n, 100]
%4 = exp %3 : f32[n, 100]
%5 = sum %4 {axes=[1]} : f32[n]
%6 = broadcast %5 {shape=[n, 100], axes=[0]} : f32[n, 100]
%7 = divide %4, %6 : f32[n, 100]
%8 = sum %7 {axes=[0]} : f32[100]
%9 = add %g, %8 : f32[100]
%10 = sqrt %9 : f32[100]
return %7, %10
)";
// Two products, the second with an epilogue, and rows of columns that read both.
const char* const products = R"(sinter 1
%x = variable : f32[32, 64]
%w = variable : f32[64, 48]
%b = variable : f32[48]
%1 = negate %w : f32[64, 48]
%2 = contract %x, %1 {lhs_contracted=[1], rhs_contracted=[0]} : f32[32, 48]
%3 = broadcast %b {shape=[32, 48], axes=[1]} : f32[32, 48]
%4 = add %2, %3 : f32[32, 48]
%5 = contract %4, %w {lhs_contracted=[1], rhs_contracted=[1]} : f32[32, 64]
%6 = exp %5 : f32[32, 64]
%7 = sum %5 {axes=[0]} : f32[64]
%8 = exp %7 : f32[64]
%9 = broadcast %8 {shape=[32, 64], axes=[1]} : f32[32, 64]
%10 = divide %6, %9 : f32[32, 64]
return %10
)";
// What rides is finished, and read backwards by a loop.
const char* const backwards = R"(sinter 1
%x = variable : f32[n, 100]
%v = variable : f32[100]
%1 = sum %x {axes=[1]} : f32[n]
%2 = broadcast %1 {shape=[n, 100], axes=[0]} : f32[n, 100]
%3 = subtract %x, %2 : f32[n, 100]
%4 = exp %3 : f32[n, 100]
%5 = sum %4 {axes=[0]} : f32[100]
%6 = multiply %5, %v : f32[100]
%7 = exp %6 : f32[100]
%8 = reverse %7 {axes=[0]} : f32[100]
%9 = add %8, %7 : f32[100]
return %4, %9
)";

// Squares, whose transposes cover the same loops.
const char* const squares = R"(sinter 1
%x = variable : f32[8, 8]
%w = variable : f32[8, 8]
%1 = exp %x : f32[8, 8]
%2 = sum %1 {axes=[1]} : f32[8]
%3 = broadcast %2 {shape=[8, 8], axes=[0]} : f32[8, 8]
%4 = divide %1, %3 : f32[8, 8]
%5 = exp %w : f32[8, 8]
%6 = contract %5, %4 {lhs_contracted=[1], rhs_contracted=[0]} : f32[8, 8]
return %4, %5, %6
)";

// A root that rides, computed in rows of two axes: the rows' sums are the softmax's, the rider's the columns'.
const char* const two_axes = R"(sinter 1
%x = variable : f32[8, 4, 2]
%1 = exp %x : f32[8, 4, 2]
%2 = sum %1 {axes=[1, 2]} : f32[8]
%3 = broadcast %2 {shape=[8, 4, 2], axes=[0]} : f32[8, 4, 2]
%4 = divide %1, %3 : f32[8, 4, 2]
%5 = sqrt %x : f32[8, 4, 2]
%6 = multiply %4, %5 : f32[8, 4, 2]
%7 = sum %5 {axes=[0]} : f32[4, 2]
return %6, %7
)";

// Rows, and then columns, each value over its column's sum.
const char* const columns_of_rows = R"(sinter 1
%x = variable : f32[n, 100]
%1 = exp %x : f32[n, 100]
%2 = sum %1 {axes=[1]} : f32[n]
%3 = broadcast %2 {shape=[n, 100], axes=[0]} : f32[n, 100]
%4 = divide %1, %3 : f32[n, 100]
%5 = sum %4 {axes=[0]} : f32[100]
%6 = broadcast %5 {shape=[n, 100], axes=[1]} : f32[n, 100]
%7 = divide %4, %6 : f32[n, 100]
return %4, %7
)";
// Rows of two axes, of which one is left.
const char* const parts_of_rows = R"(sinter 1
%x = variable : f32[8, 4, 2]
%1 = exp %x : f32[8, 4, 2]
%2 = sum %1 {axes=[1, 2]} : f32[8]
%3 = broadcast %2 {shape=[8, 4, 2], axes=[0]} : f32[8, 4, 2]
%4 = divide %1, %3 : f32[8, 4, 2]
%5 = sum %4 {axes=[0, 2]} : f32[4]
return %4, %5
)";
// One parameter, read by two that ride.
const char* const two_riders = R"(sinter 1
%x = variable : f32[n, 100]
%g = parameter : f32[100]
%1 = exp %x : f32[n, 100]
%2 = sum %1 {axes=[1]} : f32[n]
%3 = broadcast %2 {shape=[n, 100], axes=[0]} : f32[n, 100]
%4 = divide %1, %3 : f32[n, 100]
%5 = sum %1 {axes=[0]} : f32[100]
%6 = add %5, %g : f32[100]
%7 = sum %4 {axes=[0]} : f32[100]
%8 = add %7, %g : f32[100]
return %4, %6, %8
)";
// Values that a row has one of: read in its first stage (%v) and after its last (%w), stored in between (%5) and after the first (%4).
const char* const row_values = R"(sinter 1
%x = variable : f32[n, 100]
%v = variable : f32[n]
%w = variable : f32[n]
%1 = broadcast %v {shape=[n, 100], axes=[0]} : f32[n, 100]
%2 = subtract %x, %1 : f32[n, 100]
%3 = exp %2 : f32[n, 100]
%4 = sum %3 {axes=[1]} : f32[n]
%5 = sqrt %4 : f32[n]
%6 = broadcast %4 {shape=[n, 100], axes=[0]} : f32[n, 100]
%7 = divide %3, %6 : f32[n, 100]
%8 = multiply %w, %5 : f32[n]
return %3, %4, %5, %7, %8
)";
// A reshape that is no affine map of what it reads.
const char* const crossed = R"(sinter 1
%x = variable : f32[6, 4]
%y = variable : f32[4, 6]
%1 = exp %x : f32[6, 4]
%2 = reshape %1 {shape=[4, 6]} : f32[4, 6]
%3 = add %2, %y : f32[4, 6]
return %3
)";

// A custom operation's call, over whose first operand the result may be written: as wide as that, or wider.
Program called(DType result) {
  GraphScope scope;
  Variable x("x", f32, {4}), y("y", f32, {4});
  const CustomOperation servo({.name = "servo",
                               .type = [=](std::span<const Type> operands) { return Type{result, operands[0].shape}; },
                               .in_place_of = 0,
                               .function = [](const sinter_custom_call*) { return 0; }});
  return program_of({exp(custom_call(servo, {exp(x), y}))});
}

struct Plan {
  Program program;
  FusionPlan plan;

  // The first node of that operation, or a later one.
  NodeId the(Op op, int number = 0) const {
    for (size_t v = 0; v < program.graph.size(); ++v)
      if (program.graph.node(NodeId(v)).op == op && number-- == 0) return NodeId(v);
    FAIL("the program has no such node");
    return {};
  }
  NodeId named(const char* name) const { return program.graph.named(name); }
  Group& of(NodeId id) { return plan.groups[static_cast<size_t>(plan.stored_by[id.index])]; }
  size_t number(const Group& group, NodeId id) const {
    size_t i = member_number(group, id);
    REQUIRE(i < group.members.size());
    return i;
  }
  void no_longer_stores(NodeId id) { std::erase(of(id).stored, id), plan.stored_by[id.index] = -1; }
  // Makes the last group a rider of the first.
  void ride() {
    Group rider = plan.groups.back();
    plan.groups.pop_back();
    for (NodeId id : rider.stored) plan.groups[0].stored.push_back(id), plan.stored_by[id.index] = 0;
    plan.groups[0].riders.push_back(std::move(rider));
  }
};

void is_found(const Program& program, const std::string& says, const std::function<void(Plan&)>& spoil) {
  Plan p{program, {}};
  p.plan = fuse(p.program);
  REQUIRE_NOTHROW(check(p.program, p.plan));
  spoil(p);
  INFO(to_string(p.program, p.plan));
  CHECK_THROWS_WITH(check(p.program, p.plan), Catch::Contains(says));
  CHECK_THROWS_AS(check(p.program, p.plan), InternalError);
}

void is_found(const char* text, const std::string& says, const std::function<void(Plan&)>& spoil) { is_found(parse(text, "wrong.graph"), says, spoil); }

GroupRead& read_of(Group& group, NodeId id) {
  auto found = std::find_if(group.reads.begin(), group.reads.end(), [&](const GroupRead& r) { return r.value == id; });
  REQUIRE(found != group.reads.end());
  return *found;
}

}  // namespace

TEST_CASE("a plan that stores a value not at all, twice, or somewhere else is found", "[fusion]") {
  is_found(products, "is stored by two groups", [](Plan& p) { p.plan.groups[1].stored.push_back(p.plan.groups[0].stored[0]); });
  is_found(products, "is stored by a group that does not compute it", [](Plan& p) { p.plan.groups[0].stored.push_back(p.the(Op::sum)); });
  is_found(products, "is not said to be stored by the group that stores it", [](Plan& p) { p.plan.stored_by[p.the(Op::add).index] = -1; });
  is_found(products, "is stored and recomputed", [](Plan& p) { p.plan.recomputed[p.the(Op::add).index] = true; });
  is_found(products, "is said to be stored by a group that does not store it", [](Plan& p) { p.plan.stored_by[p.the(Op::sum).index] = 2; });
  is_found(products, "leaves the program and is not stored", [](Plan& p) { p.no_longer_stores(p.the(Op::divide)); });
  is_found(products, "is neither stored nor recomputed, and read", [](Plan& p) {
    p.no_longer_stores(p.the(Op::exp));
    p.plan.groups[2].reads.pop_back();
  });
  is_found(products, "is neither stored nor recomputed, and read", [](Plan& p) { p.plan.recomputed[p.the(Op::negate).index] = false; });
  is_found(rows, "is stored by a rider and not said to be by its host", [](Plan& p) {
    p.program.outputs.pop_back();
    p.no_longer_stores(p.the(Op::sqrt));
  });
}

TEST_CASE("a plan that does not say what is read, or in what order, is found", "[fusion]") {
  is_found(products, "is read before a group has stored it", [](Plan& p) {
    std::swap(p.plan.groups[0], p.plan.groups[1]);
    for (size_t g : {0u, 1u})
      for (NodeId id : p.plan.groups[g].stored) p.plan.stored_by[id.index] = static_cast<int32_t>(g);
  });
  is_found(products, "is said to be read and is not", [](Plan& p) { p.plan.groups[2].reads.push_back({p.named("b"), {}}); });
  is_found(products, "is read and is not said to be", [](Plan& p) { p.plan.groups[1].reads.pop_back(); });
  is_found(rows, "is read in a stage before it is done", [](Plan& p) {
    Group& group = p.plan.groups[0];
    group.stage[p.number(group, p.the(Op::divide))] = 1;
  });
  is_found(rows, "is out of order in its group", [](Plan& p) {
    Group& group = p.plan.groups[0];
    std::swap(group.members[0], group.members[1]), std::swap(group.at[0], group.at[1]), std::swap(group.stage[0], group.stage[1]);
  });
}

TEST_CASE("a group whose lists, kind or loops do not fit what it computes is found", "[fusion]") {
  is_found(rows, "a group's lists have one length", [](Plan& p) { p.plan.groups[0].at.pop_back(); });
  is_found(rows, "a group's lists have one length", [](Plan& p) { p.plan.groups[0].stage.push_back(0); });
  is_found(rows, "a group's lists have one length", [](Plan& p) { p.plan.groups[0].reduced.push_back(false); });
  is_found(rows, "has an index of another rank", [](Plan& p) { p.plan.groups[0].at[0].axes.push_back(p.plan.groups[0].at[0].axes[0]); });
  is_found(rows, "has an index of another rank", [](Plan& p) { p.plan.groups[0].at[0].bounds.push_back({p.plan.groups[0].at[0].axes[0], Dim(1)}); });
  is_found(rows, "is a reduction in a group without rows", [](Plan& p) { p.plan.groups[0].kind = GroupKind::loop; });
  is_found(backwards, "a contraction group has one contraction, others none", [](Plan& p) { p.of(p.the(Op::add)).kind = GroupKind::contraction; });
  is_found(products, "is a contraction in a group of another", [](Plan& p) { p.plan.groups[0].kind = GroupKind::row; });
  is_found(products, "is a contraction in a group of another", [](Plan& p) { p.plan.groups[1].hero = p.the(Op::exp); });
  is_found(products, "is a contraction without a loop for each of its axes", [](Plan& p) {
    Group& group = p.plan.groups[0];
    group.loops = {32 * 48}, group.reduced = {false};
  });
  is_found(products, "is a contraction whose axes are not its loops", [](Plan& p) {
    for (Index& at : p.plan.groups[0].at) std::swap(at.axes[0], at.axes[1]);
  });
  is_found(rows, "is not computed once at each point of its group", [](Plan& p) {
    Group& group = p.plan.groups[0];
    group.at[p.number(group, p.the(Op::divide))].axes[1].strides[1] = Dim(0);
  });
  is_found(squares, "is read within its group elsewhere than it is computed", [](Plan& p) {
    Group& group = p.plan.groups[0];
    Index& at = group.at[p.number(group, p.the(Op::exp))];
    std::swap(at.axes[0], at.axes[1]);
  });
  is_found(squares, "reduces what are not the group's reduced loops", [](Plan& p) {  // the row in two loops
    Group& group = p.plan.groups[0];
    group.loops = {8, 4, 2}, group.reduced = {false, true, true};
    for (Index& at : group.at)
      for (Affine& axis : at.axes) axis.strides = {axis.strides[0], axis.strides[1] * Dim(2), axis.strides[1]};
  });
  is_found(squares, "does not reduce all of the group's reduced loops", [](Plan& p) {
    Group& group = p.plan.groups[0];
    group.loops.push_back(1), group.reduced.push_back(true);
    for (Index& at : group.at)
      for (Affine& axis : at.axes) axis.strides.push_back(0);
  });
  is_found(squares, "is computed by the contraction that reads it", [](Plan& p) {
    Group& group = p.of(p.the(Op::contract));
    group.members.insert(group.members.begin(), p.the(Op::exp, 1)), group.at.insert(group.at.begin(), identity({8, 8})), group.stage.insert(group.stage.begin(), 0);
  });
}

TEST_CASE("riders that cannot ride are found", "[fusion]") {
  is_found(rows, "a rider is a row group without riders", [](Plan& p) { p.plan.groups[0].riders[0].kind = GroupKind::loop; });
  is_found(rows, "a rider is a row group without riders", [](Plan& p) { p.plan.groups[0].riders[0].riders = p.plan.groups[0].riders; });
  is_found(backwards, "riders ride with rows", [](Plan& p) { p.of(p.the(Op::add)).riders = p.plan.groups[0].riders; });
  is_found(rows, "is a rider's reduction, and waits for another", [](Plan& p) {
    Group& rider = p.plan.groups[0].riders[0];
    for (uint32_t& stage : rider.stage) ++stage;
  });
  is_found(rows, "rides with a group that does not compute its operand", [](Plan& p) {
    // The rider moves to a group of its own making, which computes something else.
    Group& group = p.plan.groups[0];
    NodeId operand = p.the(Op::divide);
    size_t i = p.number(group, operand);
    group.members.erase(group.members.begin() + static_cast<std::ptrdiff_t>(i)), group.at.erase(group.at.begin() + static_cast<std::ptrdiff_t>(i));
    group.stage.erase(group.stage.begin() + static_cast<std::ptrdiff_t>(i));
    p.program.outputs.erase(p.program.outputs.begin());
    p.no_longer_stores(operand);
  });
  is_found(columns_of_rows, "is computed by a rider, and not once a row", [](Plan& p) { p.ride(); });
  is_found(parts_of_rows, "rides and reduces a part of a row", [](Plan& p) { p.ride(); });

  // What each reader computes anew may be anywhere, for all that its edges say; its rider needs it in the rows.
  auto rode_at = [](Plan& p, const std::vector<std::vector<int>>& strides) {
    Group& group = p.plan.groups[0];
    REQUIRE(group.riders.size() == 1);
    NodeId root = p.the(Op::sqrt);
    p.plan.recomputed[root.index] = true;
    Index& at = group.at[p.number(group, root)];
    for (size_t a = 0; a < strides.size(); ++a) at.axes[a].strides.assign(strides[a].begin(), strides[a].end());
  };
  is_found(two_axes, "rides and does not reduce all rows", [&](Plan& p) { rode_at(p, {{0, 0, 0}, {4, 1, 0}, {0, 0, 1}}); });
  is_found(two_axes, "rides and reduces a part of a loop", [&](Plan& p) { rode_at(p, {{1, 1, 0}, {0, -3, 0}, {0, 0, 1}}); });
}

TEST_CASE("a value said to be replaceable that is not is found", "[fusion]") {
  auto replaced = [](Plan& p, Group& group, NodeId value, NodeId by) { read_of(group, value).replaceable_by = {by}; (void)p; };
  is_found(rows, "replaces what another group, beside its own, has yet to read", [&](Plan& p) { replaced(p, p.plan.groups[0], p.named("g"), p.the(Op::divide)); });
  is_found(rows, "replaces what its group reads, and is not stored there", [&](Plan& p) { replaced(p, p.plan.groups[0], p.named("x"), p.the(Op::exp)); });
  is_found(backwards, "replaces a value that is read elsewhere than it is stored", [&](Plan& p) { replaced(p, p.of(p.the(Op::add)), p.the(Op::exp, 1), p.the(Op::add)); });
  is_found(products, "replaces a value of another size", [&](Plan& p) { replaced(p, p.plan.groups[0], p.named("b"), p.the(Op::add)); });
  is_found(two_riders, "replaces what two riders read", [&](Plan& p) { replaced(p, p.plan.groups[0], p.named("g"), p.the(Op::add, 1)); });
  is_found(row_values, "replaces a value that a later stage may read", [&](Plan& p) { replaced(p, p.plan.groups[0], p.named("x"), p.the(Op::exp)); });
  is_found(row_values, "replaces a value that a later stage reads", [&](Plan& p) { replaced(p, p.plan.groups[0], p.named("w"), p.the(Op::sum)); });
  is_found(row_values, "replaces a row's value that an inner stage reads after it", [&](Plan& p) { replaced(p, p.plan.groups[0], p.named("v"), p.the(Op::sqrt)); });
}

TEST_CASE("a custom call that is not alone, or not given what it reads, is found", "[fusion]") {
  auto group_of = [](Plan& p) -> Group& { return p.of(p.the(Op::custom_call)); };
  const Program alike = called(f32);
  is_found(alike, "a call group computes one custom call", [&](Plan& p) { group_of(p).riders.push_back(group_of(p)); });
  is_found(alike, "is a custom call in a group of other values", [&](Plan& p) { group_of(p).kind = GroupKind::loop; });
  is_found(alike, "is an operand of a custom call, and is not in memory", [&](Plan& p) {
    std::erase_if(group_of(p).reads, [&](const GroupRead& r) { return r.value == p.named("y"); });
  });
  is_found(alike, "is said to be read and is not", [&](Plan& p) { group_of(p).reads.push_back({p.named("x"), {}}); });
  is_found(alike, "is alone in its group", [&](Plan& p) { read_of(group_of(p), p.the(Op::exp)).replaceable_by = {p.the(Op::exp, 1)}; });
  is_found(alike, "replaces an operand which its operation does not say it may", [&](Plan& p) { read_of(group_of(p), p.named("y")).replaceable_by = {p.the(Op::custom_call)}; });
  is_found(called(f64), "replaces a value of another size", [&](Plan& p) { read_of(group_of(p), p.the(Op::exp)).replaceable_by = {p.the(Op::custom_call)}; });
}

TEST_CASE("a group that reads through no index map is found", "[fusion]") {
  is_found(crossed, "is no affine map in its group", [](Plan& p) {
    Group& reader = p.of(p.the(Op::add));
    read_of(reader, p.the(Op::exp)).value = p.named("x");
    p.no_longer_stores(p.the(Op::exp));
    p.plan.recomputed[p.the(Op::exp).index] = true;
    p.plan.groups.erase(p.plan.groups.begin());
    p.plan.stored_by[p.the(Op::add).index] = 0;
  });
}

}  // namespace sinter
