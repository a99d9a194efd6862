// What a node knows beside its inputs. One fields() a struct drives equality, hash, print and parse.
#pragma once
#include <string>
#include <variant>
#include <vector>

#include "graph/custom_operation.h"
#include "graph/dim.h"
#include "graph/dtype.h"

namespace sinter {

using Axes = std::vector<int64_t>;
bool contains(const Axes&, int64_t axis);

struct NoAttributes {
  template <class Self, class F>
  static void fields(Self&, F&&) {}
};
struct VariableAttributes {
  std::string name;
  template <class Self, class F>
  static void fields(Self& self, F&& f) { f("name", self.name); }
};
struct ParameterAttributes {
  std::string name;  // of an entry of Graph::parameters
  template <class Self, class F>
  static void fields(Self& self, F&& f) { f("name", self.name); }
};
struct ConstantAttributes {
  uint32_t index = 0;  // into Graph::constants, where equal values have equal indices
  template <class Self, class F>
  static void fields(Self& self, F&& f) { f("index", self.index); }
};
struct DimensionAttributes {
  Dim value;
  template <class Self, class F>
  static void fields(Self& self, F&& f) { f("value", self.value); }
};
struct ShapeAttributes {  // reshape: at most one size may be -1, "what is left"
  Shape shape;
  template <class Self, class F>
  static void fields(Self& self, F&& f) { f("shape", self.shape); }
};
struct IotaAttributes {
  Shape shape;
  int64_t axis = 0;
  DType dtype = i32;
  template <class Self, class F>
  static void fields(Self& self, F&& f) { f("shape", self.shape), f("axis", self.axis), f("dtype", self.dtype); }
};
struct BroadcastAttributes {  // input axis i becomes axis axes[i] of `shape`
  Shape shape;
  Axes axes;
  template <class Self, class F>
  static void fields(Self& self, F&& f) { f("shape", self.shape), f("axes", self.axes); }
};
struct TransposeAttributes {  // output axis i is input axis permutation[i]
  Axes permutation;
  template <class Self, class F>
  static void fields(Self& self, F&& f) { f("permutation", self.permutation); }
};
struct SliceAttributes {  // start, start + step, … before stop; the builder makes negative starts, stops and steps what they stand for
  Shape starts, stops;
  Axes steps;
  template <class Self, class F>
  static void fields(Self& self, F&& f) { f("starts", self.starts), f("stops", self.stops), f("steps", self.steps); }
};
struct ReverseAttributes {
  Axes axes;  // sorted
  template <class Self, class F>
  static void fields(Self& self, F&& f) { f("axes", self.axes); }
};
struct PadAttributes {  // elements added before, after, and between each two; the builder makes negative ones a slice
  Shape low, high;
  Axes interior;
  template <class Self, class F>
  static void fields(Self& self, F&& f) { f("low", self.low), f("high", self.high), f("interior", self.interior); }
};
struct ReduceAttributes {
  Axes axes;         // sorted; negative ones, and `all`, only before the builder has seen the rank
  bool all = false;
  bool keep = false;  // keep the reduced axes with size 1
  template <class Self, class F>
  static void fields(Self& self, F&& f) { f("axes", self.axes), f("all", self.all), f("keep", self.keep); }
};
struct ContractionAttributes {  // the result's axes: batch, then lhs's free ones, then rhs's
  Axes lhs_batch, rhs_batch, lhs_contracted, rhs_contracted;
  template <class Self, class F>
  static void fields(Self& self, F&& f) {
    f("lhs_batch", self.lhs_batch), f("rhs_batch", self.rhs_batch), f("lhs_contracted", self.lhs_contracted), f("rhs_contracted", self.rhs_contracted);
  }
};
struct GatherAttributes {  // how many leading axes the operands share; the next one is indexed
  int64_t batch = 0;
  template <class Self, class F>
  static void fields(Self& self, F&& f) { f("batch", self.batch); }
};
struct ScatterAttributes {  // the same of the result, and its size along the indexed axis
  int64_t batch = 0;
  Dim size;
  template <class Self, class F>
  static void fields(Self& self, F&& f) { f("batch", self.batch), f("size", self.size); }
};
struct ConvertAttributes {
  DType dtype = f32;
  bool weak = false;  // of a literal, which stays one
  template <class Self, class F>
  static void fields(Self& self, F&& f) { f("dtype", self.dtype), f("weak", self.weak); }
};

struct CustomCallAttributes {
  CustomOperation operation;
  template <class Self, class F>
  static void fields(Self& self, F&& f) { f("operation", self.operation); }
};

using Attributes = std::variant<NoAttributes, VariableAttributes, ParameterAttributes, ConstantAttributes, DimensionAttributes, ShapeAttributes,
                                IotaAttributes, BroadcastAttributes, TransposeAttributes, SliceAttributes, ReverseAttributes, PadAttributes,
                                ReduceAttributes, ContractionAttributes, GatherAttributes, ScatterAttributes, ConvertAttributes,
                                CustomCallAttributes>;

bool same(const Attributes&, const Attributes&);
size_t hash(const Attributes&);
std::string to_string(const Attributes&);  // {axes=[0], keep=true}; "" where there is nothing to say

}  // namespace sinter
