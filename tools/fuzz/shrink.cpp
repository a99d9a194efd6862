#include "tools/fuzz/shrink.h"

#include <algorithm>

#include "tools/fuzz/clock.h"
#include "tools/fuzz/edit.h"

namespace sinter::fuzz {
namespace {

class Shrinker {
 public:
  Shrinker(Case start, const std::function<bool(const Case&)>& fails, double seconds) : at_(std::move(start)), fails_(fails), end_(now() + seconds) {}

  Case run() {
    bool (Shrinker::*const steps[])() = {&Shrinker::calls, &Shrinker::results, &Shrinker::cuts, &Shrinker::nodes, &Shrinker::sizes, &Shrinker::values};
    for (bool smaller = true; smaller && now() < end_;) {
      smaller = false;
      for (auto step : steps) smaller = (this->*step)() || smaller;
    }
    return std::move(at_);
  }

 private:
  const Graph& graph() const { return at_.program.graph; }
  bool attempt(const std::optional<Case>& smaller) {
    if (!smaller || now() > end_ || !fails_(*smaller)) return false;
    at_ = *smaller;
    return true;
  }

  bool calls() {
    bool any = false;
    for (size_t i = at_.calls.size(); i-- > 0 && at_.calls.size() > 1;) {
      Case one = at_, without = at_;
      one.calls = {at_.calls[i]};
      without.calls.erase(without.calls.begin() + static_cast<std::ptrdiff_t>(i));
      if (attempt(one)) return true;
      any = attempt(without) || any;
    }
    return any;
  }

  // An operand is returned instead of what is made of it.
  bool earlier() {
    bool any = false;
    for (size_t i = 0; i < at_.program.outputs.size(); ++i)
      for (NodeId input : graph().inputs(at_.program.outputs[i])) {
        std::vector<NodeId> outputs = at_.program.outputs;
        outputs[i] = input;
        if (graph().type(input).weak || !attempt(reduced(at_, outputs, at_.program.updates))) continue;
        any = true;
        break;
      }
    return any;
  }

  // One output or update alone; else as few as can be.
  bool results() {
    const std::vector<NodeId> outputs = at_.program.outputs;
    const std::vector<Update> updates = at_.program.updates;
    if (outputs.size() + updates.size() < 2) return earlier();
    for (NodeId o : outputs)
      if (attempt(reduced(at_, {o}, {}))) return true;
    for (const Update& u : updates)
      if (attempt(reduced(at_, {}, {u}))) return true;
    bool any = earlier();
    for (size_t i = at_.program.outputs.size(); i-- > 0 && at_.program.outputs.size() + at_.program.updates.size() > 1;) {
      std::vector<NodeId> fewer = at_.program.outputs;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      any = attempt(reduced(at_, fewer, at_.program.updates)) || any;
    }
    for (size_t i = at_.program.updates.size(); i-- > 0 && at_.program.outputs.size() + at_.program.updates.size() > 1;) {
      std::vector<Update> fewer = at_.program.updates;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      any = attempt(reduced(at_, at_.program.outputs, fewer)) || any;
    }
    return any;
  }

  bool is_operation(size_t i) const { return graph().node(NodeId(i)).op != Op::variable && graph().node(NodeId(i)).op != Op::parameter; }

  // Everything up to a node becomes variables, as late as can be.
  bool cuts() {
    bool any = false;
    for (size_t step = graph().size() / 2; step > 0; step /= 2)
      for (size_t last = step; last < graph().size() && now() < end_; last += step) {
        Edit edit;
        for (size_t i = 0; i < last; ++i)
          if (is_operation(i)) edit.cut.insert(NodeId(i));
        if (edit.cut.empty() || !attempt(edited(at_, edit))) continue;
        any = true;
        last = 0;
      }
    return any;
  }

  // A node gives way to one of its operands, or to a variable. One at a time, from the last.
  bool nodes() {
    bool any = false;
    for (size_t i = graph().size(); i-- > 0 && now() < end_;) {
      if (i >= graph().size() || !is_operation(i)) continue;
      NodeId id(i);
      bool done = false;
      for (NodeId input : std::vector<NodeId>(graph().inputs(id).begin(), graph().inputs(id).end()))
        if (!done && graph().type(input) == graph().type(id)) done = attempt(edited(at_, {{}, {{id, input}}}));
      any = done || any;
      if (!done) any = attempt(edited(at_, {{id}, {}})) || any;
    }
    return any;
  }

  bool sizes() {
    bool any = false;
    if (at_.calls.size() == 1)
      try {
        Bindings bindings = bind_inputs(at_.program, at_.calls[0]);
        if (!bindings.empty()) any = attempt(edited(at_, {{}, {}, [&](const Dim& d) { return Dim(d.evaluate(bindings)); }}));
      } catch (const UserError&) {
      }
    std::vector<int64_t> numbers;
    for (size_t i = 0; i < graph().size(); ++i)
      for (const Dim& d : graph().type(NodeId(i)).shape)
        if (d.is_number() && d.number() > 1 && std::find(numbers.begin(), numbers.end(), d.number()) == numbers.end()) numbers.push_back(d.number());
    std::sort(numbers.rbegin(), numbers.rend());
    for (int64_t from : numbers)
      for (int64_t to : {int64_t{1}, int64_t{2}, int64_t{3}, from / 2, from * 3 / 4, from - 1}) {
        if (to >= from || to < 1 || !attempt(edited(at_, {{}, {}, [&](const Dim& d) { return d.is(from) ? Dim(to) : d; }}))) continue;
        any = true;
        break;
      }
    return any;
  }

  // Each input all ones, or all zeros.
  bool values() {
    bool any = false;
    if (at_.calls.size() != 1) return false;
    for (const auto& [name, tensor] : NamedTensors(at_.calls[0])) {
      if (tensor.size() == 0 || same_bits(tensor, ones(tensor.sizes(), tensor.dtype())) || same_bits(tensor, zeros(tensor.sizes(), tensor.dtype()))) continue;
      for (double value : {1, 0}) {
        Case other = at_;
        other.calls[0][name] = full(tensor.sizes(), value, tensor.dtype());
        if (!attempt(other)) continue;
        any = true;
        break;
      }
    }
    return any;
  }

  Case at_;
  const std::function<bool(const Case&)>& fails_;
  double end_;
};

}  // namespace

Case shrunk(Case start, const std::function<bool(const Case&)>& fails, double seconds) { return Shrinker(std::move(start), fails, seconds).run(); }

}  // namespace sinter::fuzz
