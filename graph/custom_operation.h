// An operation of the user's own: a host function, with the rules that the graph needs to type, differentiate and place its result.
//
// What it is held to:
// - It is a value as all of the graph is: a function of its operands and nothing else. Equal calls may be made once, calls that nothing needs
//   not at all, and there is no order between calls but that of what they read. It is never called while compiling: no constant is made of it.
// - Its operands lie in memory, row-major, whatever made them; it is a kernel by itself, into which nothing is fused, and runs on the thread
//   that calls, in the floating-point environment of kernels. Where it stands in a loop of many calls, it is called as often.
// - A code other than 0, or an exception, ends the call that runs: it reaches the caller as a UserError at the line that built the node, the
//   exception nested in it, or as it is where it is a UserError at that line; parameters that the call updates are refused until set, as after
//   a stop.
// - It may make calls of its own, and read and set parameters, but for those that the call updates, and set none that the call reads: that is a
//   UserError. Other parameters are locked after the call's own: where a step on another thread updates both one that the call holds and one
//   that is touched here, the two may wait for each other for ever, so let that not run meanwhile.
#pragma once
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "graph/custom_call.h"
#include "graph/type.h"

namespace sinter {

class Expr;
struct GradientRule;
class Tensor;

struct CustomRules {
  std::string name = {};                                       // in the text form and in messages, and the C function that objects are linked with
  std::function<Type(std::span<const Type> operands)> type = {};  // of the result; throws a UserError, with no location, where they do not fit
  // One expression an operand, of its type, undefined where nothing flows. Without a rule, asking for a gradient through it is a UserError.
  std::function<std::vector<Expr>(const GradientRule&)> gradient = {};
  std::optional<size_t> in_place_of = {};                      // the operand over which the result may be written, where both have as many bytes
  std::function<int32_t(const sinter_custom_call*)> function = {};  // a C function of that type, or anything that is called like one
  void* data = nullptr;                                        // handed to it
};

// A handle on the rules: copies are the same operation, and two that were made apart are two, whatever their names, but that of those without
// a function there is one a name.
class CustomOperation {
 public:
  CustomOperation() = default;  // none
  explicit CustomOperation(CustomRules rules, Here = Here::current());  // UserError without a name, a type rule or a function
  // Of a name and a type alone, as read from a text where nothing of that name was given: it prints, and may be in a graph that passes rewrite,
  // but not in one that is run.
  static CustomOperation without_function(const std::string& name, const Type& result);

  const std::string& name() const;
  bool can_be_called() const { return rules_ && rules_->function; }
  const CustomRules& rules() const;  // InternalError where there are none
  size_t hash() const;
  bool operator==(const CustomOperation&) const;

  // Its function, through which nothing is thrown: what it threw is put into `thrown`, and the code is not 0 then.
  int32_t call(std::span<const sinter_array> operands, const sinter_array& result, std::exception_ptr& thrown) const noexcept;
  // What call() failed with, as the UserError that reaches the user.
  [[noreturn]] void refuse(int32_t code, const std::exception_ptr& thrown, const Location& where) const;

 private:
  std::shared_ptr<const CustomRules> rules_;
};

// The operation's result, in a buffer of its own; where its function fails, a UserError at `where`.
Tensor evaluate(const CustomOperation&, std::span<const Tensor> operands, DType, std::vector<int64_t> sizes, const Location& where);

}  // namespace sinter
