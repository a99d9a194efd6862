// What users write: variables, parameters, constants and expressions of them. Every function takes Operands, which are made from
// expressions and literals and note the user's file and line on the way.
// A graph is one thread's at a time, to build in it and to compile from it: two graphs, or what was compiled, may be used side by side.
#pragma once
#include <concepts>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "graph/graph.h"

namespace sinter {

// A handle on a node: keeps its graph alive. Copying is cheap. Undefined by default.
class Expr {
 public:
  Expr() = default;
  Expr(std::shared_ptr<Graph> graph, NodeId id) : graph_(std::move(graph)), id_(id) {}
  bool defined() const { return graph_ != nullptr; }
  const std::shared_ptr<Graph>& graph() const { return graph_; }
  NodeId id() const { return id_; }
  bool is_template() const;      // depends on a Variable declared with no type
  const Type& type() const;      // UserError where undefined or a template
  DType dtype() const { return type().dtype; }
  const Shape& shape() const { return type().shape; }

 private:
  std::shared_ptr<Graph> graph_;
  NodeId id_;
};

// An expression or a literal, with the line that wrote it. Literals take the type of what they meet.
class Operand {
 public:
  Operand(const Expr& expr, Here where = Here::current()) : value_(expr), where_(where) {}
  template <class T>
    requires std::is_arithmetic_v<T>
  Operand(T literal, Here where = Here::current()) : value_(tensor(literal)), where_(where) {}

  Here where() const { return where_; }
  std::shared_ptr<Graph> graph() const;                      // null for a literal
  Expr in(const std::shared_ptr<Graph>&) const;              // UserError where it belongs to another graph, or is undefined
  Expr expr() const;                                         // literals join the current graph

 private:
  template <class T>
  static Tensor tensor(T literal) {
    if constexpr (std::is_same_v<T, bool>) return Tensor::scalar(literal);
    else if constexpr (std::is_integral_v<T>) return std::in_range<int64_t>(literal) ? Tensor::scalar(static_cast<int64_t>(literal)) : Tensor::scalar(static_cast<uint64_t>(literal));
    else return Tensor::scalar(static_cast<double>(literal));
  }
  std::variant<Expr, Tensor> value_;
  Here where_;
};

// A placeholder fed at each call. Without a type it makes what it reaches a template, typed at the call.
class Variable : public Expr {
 public:
  explicit Variable(const std::string& name, Here where = Here::current());
  Variable(const std::string& name, DType, Shape, Here where = Here::current());
};

// A value that functions share and training steps update. Owns its storage, which begins as a copy of `initial`, or as that itself where nobody else has
// its elements; copies of a Parameter name the same one.
class Parameter : public Expr {
 public:
  Parameter(const std::string& name, Tensor initial, Here where = Here::current());
  const std::string& name() const { return storage()->name; }
  Tensor read(Here where = Here::current()) const;             // a copy, taken between steps
  void set(const Tensor&, Here where = Here::current()) const;  // UserError where type or sizes differ
  const std::shared_ptr<ParameterStorage>& storage(Here = Here::current()) const;  // UserError where this was moved from

 private:
  std::shared_ptr<ParameterStorage> storage_;
};

class Constant : public Expr {
 public:
  template <class T>
    requires std::is_arithmetic_v<T>
  Constant(T literal, Here where = Here::current()) : Expr(Operand(literal, where).expr()) {}
  Constant(const Tensor& value, Here where = Here::current());  // the elements are copied
};

// The thread's current graph, which Variables join, while this lives: a new one, or the one of an expression.
class GraphScope {
 public:
  GraphScope();
  explicit GraphScope(std::shared_ptr<Graph>);
  ~GraphScope();
  GraphScope(const GraphScope&) = delete;
  GraphScope& operator=(const GraphScope&) = delete;

 private:
  std::shared_ptr<Graph> entered_;
  std::weak_ptr<Graph> before_;
};
std::shared_ptr<Graph> current_graph();

// While this lives, what the thread builds comes from these lines instead of its own: a composition names its caller's line, a gradient
// its forward operation's. The outermost composition wins, whose name, where it has one, begins the errors of what it builds.
class OriginScope {
 public:
  explicit OriginScope(const Operand& caller, std::string_view composition = "");
  explicit OriginScope(std::vector<Location> lines);
  ~OriginScope();
  OriginScope(const OriginScope&) = delete;
  OriginScope& operator=(const OriginScope&) = delete;

 private:
  std::vector<Location> lines_;
  OriginScope* before_;
  friend Origins origins_at(Graph&, Here);
  friend Location line_at(Here);
};
Origins origins_at(Graph&, Here where);  // the scope's lines, or `where` outside any
Location line_at(Here where);            // the first of them: what an error of a composition names

// The node `op` on these operands.
Expr make(Op, std::initializer_list<Operand>, Attributes = NoAttributes{});

// A parameter and the expression that replaces it after each call.
struct ParameterUpdate {
  Parameter parameter;
  Expr value;
};
using Updates = std::vector<ParameterUpdate>;

// The part of the graph that these reach. UserError where they are of several graphs, an update's type is not its parameter's, or a
// parameter is updated twice.
Program program_of(const std::vector<Expr>& outputs, const Updates& = {}, Here = Here::current());
std::string print(const Expr&, Here = Here::current());  // what it is computed by, as text: print(program_of({e})) of graph/text.h

Expr operator+(Operand, Operand);
Expr operator-(Operand, Operand);
Expr operator*(Operand, Operand);
Expr operator/(Operand, Operand);
Expr operator-(Operand);
Expr operator<(Operand, Operand);
Expr operator<=(Operand, Operand);
Expr operator>(Operand, Operand);
Expr operator>=(Operand, Operand);
Expr operator==(Operand, Operand);
Expr operator!=(Operand, Operand);
Expr operator&&(Operand, Operand);
Expr operator||(Operand, Operand);
Expr operator!(Operand);
// Of integers and bool: bits. As in NumPy, a % b has b's sign.
Expr operator%(Operand, Operand);
Expr operator&(Operand, Operand);
Expr operator|(Operand, Operand);
Expr operator^(Operand, Operand);
Expr operator~(Operand);
Expr operator<<(Operand, Operand);
Expr operator>>(Operand, Operand);

Expr abs(Operand);
Expr sign(Operand);
Expr floor(Operand);
Expr ceil(Operand);
Expr trunc(Operand);
Expr round(Operand);                                // the even one of two as near
Expr exp(Operand);
Expr exp2(Operand);
Expr expm1(Operand);
Expr log(Operand);
Expr log2(Operand);
Expr log10(Operand);
Expr log1p(Operand);
Expr sqrt(Operand);
Expr rsqrt(Operand);
Expr cbrt(Operand);
Expr sin(Operand);
Expr cos(Operand);
Expr tan(Operand);
Expr asin(Operand);
Expr acos(Operand);
Expr atan(Operand);
Expr sinh(Operand);
Expr cosh(Operand);
Expr tanh(Operand);
Expr asinh(Operand);
Expr acosh(Operand);
Expr atanh(Operand);
Expr sigmoid(Operand);
Expr softplus(Operand);                             // log(1 + exp(x))
Expr erf(Operand);
Expr erfc(Operand);
Expr lgamma(Operand);                               // of the magnitude of the gamma function
Expr tgamma(Operand);                               // the gamma function itself
Expr digamma(Operand);                              // the derivative of lgamma
Expr logb(Operand);                                 // the exponent, a whole number: floor(log2(|x|))
Expr bitwise_count(Operand);                        // in the operand's type
Expr floor_divide(Operand, Operand);
Expr remainder(Operand, Operand);                   // NumPy's: with the divisor's sign
Expr hypot(Operand, Operand);
Expr atan2(Operand y, Operand x);
Expr copysign(Operand magnitude, Operand sign);
Expr nextafter(Operand from, Operand towards);
Expr pow(Operand, Operand);
Expr maximum(Operand, Operand);
Expr minimum(Operand, Operand);
Expr select(Operand condition, Operand then, Operand otherwise);
Expr convert(Operand, DType);

Expr broadcast_to(Operand, Shape);                  // NumPy's: trailing axes align
Expr broadcast(Operand, Shape, Axes axes);          // input axis i becomes axis axes[i]
Expr reshape(Operand, Shape);                       // one size may be -1
Expr transpose(Operand, Axes permutation = {});     // empty: reversed
Expr slice(Operand, Shape starts, Shape stops, Axes steps = {});  // NumPy's: negative bounds count from the back, negative steps go back
Expr flip(Operand, Axes axes);                      // their elements in the opposite order
Expr pad(Operand, Operand value, Shape low, Shape high, Axes interior = {});  // negative widths take away
Expr iota(Shape, int64_t axis = 0, DType = i32, Here = Here::current());  // 0, 1, 2 … along an axis
// Sizes: i64 scalars that take the type of what they meet, as a literal does.
Expr dimension(Dim, Here = Here::current());
Expr size(Operand);                                 // number of elements
Expr size(Operand, Axes axes);                      // product of these sizes

// Over all axes, or over some; `keep` leaves them with size 1. Sums of small integers are i64.
Expr sum(Operand);
Expr sum(Operand, Axes axes, bool keep = false);
Expr prod(Operand);
Expr prod(Operand, Axes axes, bool keep = false);
Expr max(Operand);
Expr max(Operand, Axes axes, bool keep = false);
Expr min(Operand);
Expr min(Operand, Axes axes, bool keep = false);

Expr matmul(Operand, Operand);                      // NumPy's, with its batching
Expr same_shape(Operand a, Operand b);              // a; UserError where b has another shape, of templates at the call
Expr contract(Operand, Operand, ContractionAttributes);
Expr stop_gradient(Operand);
// x [batch..., n, rest...] at the positions [batch..., k...] along the axis n: [batch..., k..., rest...]. A position outside is the nearest inside.
Expr gather(Operand x, Operand positions, int64_t batch = 0);
// [batch..., size, rest...] of zeros, to which the updates [batch..., k..., rest...] are added at the positions; those outside are dropped.
Expr scatter_add(Operand positions, Operand updates, Dim size, int64_t batch = 0);

// What a function of the user's own makes of the operands: graph/custom_operation.h.
Expr custom_call(const CustomOperation&, const std::vector<Operand>& operands, Here = Here::current());

template <class... F>
std::vector<Expr> GradientRule::each(F&&... make_one) const {
  size_t i = 0;
  std::vector<Expr> result;
  (result.push_back(wanted[i++] ? make_one() : Expr()), ...);
  return result;
}

}  // namespace sinter
