// What every kernel's emission stands on: the function being written, its arguments and sizes, loops, memory, and bodies at a point.
//
// A value is *uniform* where its LLVM type is scalar: it is the same in all lanes. Bodies keep uniform values scalar for as long as they
// can, so that what does not depend on the vector loop is computed once; `Emitter::widen` splats one where a vector is needed.
// Booleans are i1 in registers and one byte, 0 or 1, in memory.
#pragma once
#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

#include "codegen/kernel.h"
#include "codegen/llvm/target.h"

namespace sinter {

using Values = std::vector<llvm::Value*>;

constexpr int64_t line_bytes = 64;  // of a cache

// One kernel's function while it is written. Instructions go where `builder` stands.
class Emitter {
 public:
  // Starts `void name(ptr arguments, ptr sizes, i64 chunk, i64 worker)` in `module` and stands in its body, with all arguments' pointers
  // and all sizes loaded. Both references must outlive the emitter.
  Emitter(llvm::Module& module, const Kernel& kernel, const Target& target, const std::string& name);
  void finish();  // returns from the function; call once, last

  llvm::IRBuilder<> builder;
  const Kernel& kernel;
  const Target& target;
  llvm::Function* function = nullptr;

  // An *index* is an integer of the width of the target's addresses: loop counters, sizes, strides.
  llvm::Value* chunk() const;                   // an index
  llvm::Value* worker() const;                  // an index
  llvm::Value* argument(uint32_t number) const; // the pointer to its first element. Two may be equal: outputs may lie in place of inputs.
  DType dtype_of(uint32_t argument) const { return kernel.arguments[argument].dtype; }

  // --- numbers -----------------------------------------------------------------------------------------------------------------
  llvm::Type* index_type() const;
  DType index_dtype() const;                    // the integers that are as wide
  llvm::Value* number(int64_t) const;           // a constant index; UserError where the target's addresses are too narrow for it
  llvm::Value* dim(const Dim&) const;           // an index; InternalError where it is symbolic and not among kernel.sizes
  llvm::Value* size_value(const Dim&) const;    // the same as i64, to compute with
  llvm::Value* add(llvm::Value*, llvm::Value*); // of indices, without signed overflow; these fold x+0, x*0, x*1
  // Of a loop's index, or its sum with another, by a constant: a value that the loop carries, and each turn adds to.
  llvm::Value* multiply(llvm::Value*, llvm::Value*);
  llvm::Value* divide(llvm::Value*, llvm::Value*);          // of nonnegative indices, the divisor not zero
  llvm::Value* modulo(llvm::Value*, llvm::Value*);          // likewise
  llvm::Value* ceil_divide(llvm::Value*, int64_t divisor);  // of a nonnegative index
  llvm::Value* smaller(llvm::Value*, llvm::Value*);         // signed minimum
  // offset + sum of strides[i] * indices[i]; where an index is null its term is left out.
  llvm::Value* affine(const Affine&, const Values& indices);
  // Divides a flattened index into the indices of `extents`, outermost first.
  Values unflatten(llvm::Value* flat, const std::vector<Dim>& extents);
  // The steps of this chunk: [chunk * grain, min(extent, (chunk + 1) * grain)); constants where there can only be one chunk.
  std::pair<llvm::Value*, llvm::Value*> chunk_range(llvm::Value* extent);

  // --- control -----------------------------------------------------------------------------------------------------------------
  // for (index = begin; index < end; index += step) body(index). Straight code where it is known to run once.
  void loop(llvm::Value* begin, llvm::Value* end, int64_t step, const std::function<void(llvm::Value* index)>& body);
  // The same with values that each turn takes from the one before and hands on (sums in registers); returns the last ones.
  Values loop(llvm::Value* begin, llvm::Value* end, int64_t step, const Values& initial,
              const std::function<Values(llvm::Value* index, const Values& carried)>& body);
  void when(llvm::Value* condition, const std::function<void()>& then, const std::function<void()>& otherwise = {});
  // then() where the condition holds, else `otherwise`, value by value.
  Values when(llvm::Value* condition, const Values& otherwise, const std::function<Values()>& then);

  // --- types and vectors -------------------------------------------------------------------------------------------------------
  llvm::Type* type(DType, unsigned lanes = 1);         // in registers; scalar for 1 lane
  llvm::Type* memory_type(DType, unsigned lanes = 1);
  llvm::Value* zero(DType, unsigned lanes = 1);
  llvm::Value* widen(llvm::Value*, unsigned lanes);    // a splat where uniform (a scalar stays scalar for 1 lane)
  llvm::Value* lane_numbers(unsigned lanes);           // indices <0, 1, …>
  llvm::Value* lanes_below(llvm::Value* count, unsigned lanes);  // the mask of lanes whose number is < count (a signed index)
  static unsigned lanes_of(llvm::Value*);              // 1 for a scalar

  // --- memory: `pointer` is the first lane's; elements need be aligned to their own size only ------------------------------------
  llvm::Value* element(llvm::Value* pointer, DType, llvm::Value* index);  // the pointer `index` elements further on
  llvm::Value* zeros(size_t bytes);                    // a pointer to that many constant zeros, aligned for any vector
  // Contiguous lanes; those that the mask turns off are not touched, and 0.
  llvm::Value* load(llvm::Value* pointer, DType, unsigned lanes = 1, llvm::Value* mask = nullptr);
  // Lane l lies l * stride elements on.
  llvm::Value* load_strided(llvm::Value* pointer, DType, llvm::Value* stride, unsigned lanes, llvm::Value* mask = nullptr);
  // A uniform value is splatted. `streaming` bypasses the cache, and needs the pointer aligned to the whole vector.
  void store(llvm::Value* pointer, DType, llvm::Value* value, unsigned lanes = 1, llvm::Value* mask = nullptr, bool streaming = false);
  // Asks for the cache line there, which need not exist. `level`: the nearest cache that it is to come to, 1 or 2.
  void prefetch(llvm::Value* pointer, uint32_t level);
  void store_strided(llvm::Value* pointer, DType, llvm::Value* value, llvm::Value* stride, unsigned lanes, llvm::Value* mask = nullptr);

  // --- arithmetic --------------------------------------------------------------------------------------------------------------
  // a*b + c: one rounding where the target has it, else two. Uniform operands are splatted if any is not.
  llvm::Value* fma(llvm::Value* a, llvm::Value* b, llvm::Value* c);
  // maximum and minimum of graph/scalar.h: NaN where either is, +0 and -0 in the order that `scalar::maximum` gives them.
  llvm::Value* maximum(DType, llvm::Value*, llvm::Value*);
  llvm::Value* minimum(DType, llvm::Value*, llvm::Value*);
  // One operation of graph/scalar.h (no leaf), with exactly its semantics. `from` is the type of its first operand. Uniform operands are
  // splatted if any is not; the result is uniform where all are.
  llvm::Value* scalar(const ScalarOp&, DType from, const Values& operands);

 private:
  struct OpenLoop {
    llvm::PHINode* index;
    llvm::Value* begin;
    int64_t step;
    std::vector<std::pair<int64_t, llvm::PHINode*>> products;  // the index times a constant
  };
  llvm::Value* product(llvm::Value* index, int64_t factor);  // null where that is no open loop's index

  std::vector<OpenLoop> open_;  // outermost first
  llvm::Value *chunk_ = nullptr, *worker_ = nullptr;
  Values arguments_, sizes_, size_values_;
};

// Where in its loops a body is evaluated.
struct Point {
  Values indices;              // one a loop; null where not known yet
  unsigned lanes = 1;
  int vector_loop = -1;        // lane l is at indices[vector_loop] + first_lane + l; -1 where lanes == 1
  int64_t first_lane = 0;
  llvm::Value* mask = nullptr; // <lanes x i1>; null where all lanes are on. Also for lanes == 1: i1.
  Values rows;                 // what RowInputs are, by slot; null where not known yet
  llvm::Value* accumulator = nullptr;
};

// What is known of a body's values so far: of each input and operation its value, null where that depends on an index not yet known.
// Copy it to go on from one state to several points.
struct BodyState {
  Values inputs, ops;
  Values load_pointers, store_pointers;   // advanced over the loops whose indices are known
  std::vector<bool> advanced;             // by loop: whether that was done
};

// Computes here all that the point's known indices (and row values) determine and the state does not hold yet, loads included. Called once
// a loop level, with the inner indices null, it hoists; with all known it finishes. Hoisting a load is right whatever the arguments'
// aliasing, because points are independent, provided the loops inside run at least once.
// An index once known to a state must not change. In each call on one state (or a copy) lanes and vector_loop must be the same, or everything known
// so far must be uniform.
void evaluate_body(Emitter&, const Body&, const Point&, BodyState&);
// The expression's outputs once all is known. Uniform ones are scalar.
Values outputs_of(const Body&, const BodyState&);
// Stores `outputs` as the body says. `streaming` as in Emitter::store.
void store_outputs(Emitter&, const Body&, const Point&, BodyState&, const Values& outputs, bool streaming = false);
// Lanes for a body: as many elements of its widest type as a vector register holds.
unsigned lanes_for(const Target&, const Body&, const std::vector<KernelArgument>&);

// The kinds: each writes the kernel's whole function but its return.
void emit_loop(Emitter&, const LoopKernel&);
void emit_row(Emitter&, const RowKernel&);
void emit_pack(Emitter&, const PackKernel&);
void emit_contraction(Emitter&, const ContractionKernel&);

}  // namespace sinter
