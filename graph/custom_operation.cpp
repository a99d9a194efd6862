#include "graph/custom_operation.h"

#include <fmt/format.h>

#include "graph/tensor.h"

namespace sinter {

// The C header numbers element types as DType does.
static_assert(sinter_bool == static_cast<int>(boolean) && sinter_u8 == static_cast<int>(u8) && sinter_i32 == static_cast<int>(i32) &&
              sinter_i64 == static_cast<int>(i64) && sinter_u32 == static_cast<int>(u32) && sinter_u64 == static_cast<int>(u64) &&
              sinter_f32 == static_cast<int>(f32) && sinter_f64 == static_cast<int>(f64));

CustomOperation::CustomOperation(CustomRules rules, Here where) {
  auto refuse = [&](std::string_view what) { throw UserError(fmt::format("the custom operation '{}' {}", rules.name, what), where); };
  if (rules.name.empty()) refuse("needs a name");
  for (char c : rules.name)
    if ((c >= 0 && c < ' ') || c == '"' || c == '\\' || c == 0x7f) refuse("has a quote, a backslash or a control character in its name");
  if (!rules.type) refuse("needs a type rule: what its result is, given its operands' types");
  if (!rules.function) refuse("needs a function that computes it");
  rules_ = std::make_shared<const CustomRules>(std::move(rules));
}

CustomOperation CustomOperation::without_function(const std::string& name, const Type& result) {
  CustomRules rules;
  rules.name = name;
  rules.type = [result](std::span<const Type>) { return result; };
  CustomOperation made;
  made.rules_ = std::make_shared<const CustomRules>(std::move(rules));
  return made;
}

const std::string& CustomOperation::name() const {
  static const std::string none;
  return rules_ ? rules_->name : none;
}

size_t CustomOperation::hash() const { return can_be_called() ? std::hash<const void*>()(rules_.get()) : std::hash<std::string>()(name()); }

bool CustomOperation::operator==(const CustomOperation& other) const {
  return can_be_called() || other.can_be_called() ? rules_ == other.rules_ : name() == other.name();
}

const CustomRules& CustomOperation::rules() const {
  ensure(rules_ != nullptr, "a custom operation has rules");
  return *rules_;
}

int32_t CustomOperation::call(std::span<const sinter_array> operands, const sinter_array& result, std::exception_ptr& thrown) const noexcept {
  const sinter_custom_call call{operands.data(), static_cast<int32_t>(operands.size()), result, rules_->data};
  try {
    return rules_->function(&call);
  } catch (...) {
    thrown = std::current_exception();
    return -1;
  }
}

void CustomOperation::refuse(int32_t code, const std::exception_ptr& thrown, const Location& where) const {
  if (!thrown) throw UserError(fmt::format("custom_call: '{}' failed with the code {}", name(), code), where);
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    if (auto* user = dynamic_cast<const UserError*>(&error); user && user->where() == where) throw;
    std::throw_with_nested(UserError(fmt::format("custom_call: '{}' failed: {}", name(), error.what()), where));
  } catch (...) {
    std::throw_with_nested(UserError(fmt::format("custom_call: '{}' failed with an exception that is no std::exception", name()), where));
  }
}

namespace {
sinter_array array_of(const Tensor& t) {
  return {const_cast<void*>(t.raw()), t.sizes().data(), static_cast<int32_t>(t.sizes().size()), static_cast<int32_t>(t.dtype())};
}
}  // namespace

Tensor evaluate(const CustomOperation& operation, std::span<const Tensor> operands, DType dtype, std::vector<int64_t> sizes, const Location& where) {
  Tensor result(dtype, std::move(sizes));
  std::vector<sinter_array> arrays;
  for (const Tensor& t : operands) arrays.push_back(array_of(t));
  std::exception_ptr thrown;
  if (int32_t code = operation.call(arrays, array_of(result), thrown); code != 0) operation.refuse(code, thrown, where);
  return result;
}

}  // namespace sinter
