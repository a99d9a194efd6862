// A graph's native code as one object file.
#include <algorithm>
#include <cctype>
#include <numeric>

#include <fmt/format.h>

#include "codegen/llvm/jit.h"
#include "codegen/llvm/module.h"

namespace sinter {
namespace {

// A C identifier that is no kernel's, and none of what objects refer to by themselves.
void check_symbol(const std::string& symbol, std::string_view whose) {
  bool is_name = !symbol.empty() && !std::isdigit(static_cast<unsigned char>(symbol[0])) &&
                 std::all_of(symbol.begin(), symbol.end(), [](unsigned char c) { return c < 128 && (std::isalnum(c) || c == '_'); });
  if (!is_name || symbol.starts_with(kernel_prefix)) throw UserError(fmt::format("{} needs a C name that does not begin with {}, not '{}'", whose, kernel_prefix, symbol));
  if (symbol == "memcpy" || symbol == "memmove" || symbol == "memset" || symbol.starts_with("__"))
    throw UserError(fmt::format("{} needs a name that is not the C library's or the compiler's, not '{}'", whose, symbol));
}

}  // namespace

std::string emit_object(const std::vector<Kernel>& kernels, const std::vector<CallStep>& steps, const Target& target, const std::string& symbol) {
  check_steps(steps, kernels.size());
  check_symbol(symbol, "the function of an object");
  for (const CallStep& step : steps) {
    ensure(!step.call || step.linked, "an object calls custom operations by their names");
    if (!step.linked) continue;
    check_symbol(step.linked->symbol, "the function of a custom operation that is called ahead of time");
    if (step.linked->symbol == symbol) throw UserError(fmt::format("the object's function has the name of the custom operation '{}'; give it another", symbol));
  }
  auto machine = machine_for(target);
  std::vector<size_t> numbers(kernels.size());
  std::iota(numbers.begin(), numbers.end(), size_t{0});
  Generated generated = make_within_stack(numbers, target, [&](std::span<const Target> targets) {
    llvm::LLVMContext context;
    auto module = empty_module(context, *machine, symbol);
    for (size_t i : numbers) add_kernel(*module, kernels[i], targets[i], kernel_symbol(i));
    add_graph(*module, steps, target, symbol);
    for (llvm::Function& function : *module)
      if (!function.isDeclaration() && function.getName() != symbol) function.setLinkage(llvm::GlobalValue::InternalLinkage);
    optimize(*module, *machine);
    return generate(*module, *machine);
  });
  return {generated.bytes.data(), generated.bytes.size()};
}

}  // namespace sinter
