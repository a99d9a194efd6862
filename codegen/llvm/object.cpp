// A graph's native code as one object file.
#include <algorithm>
#include <cctype>

#include "codegen/llvm/jit.h"
#include "codegen/llvm/module.h"

namespace sinter {
namespace {

// A C identifier that is no kernel's.
void check_symbol(const std::string& symbol) {
  bool is_name = !symbol.empty() && !std::isdigit(static_cast<unsigned char>(symbol[0])) &&
                 std::all_of(symbol.begin(), symbol.end(), [](unsigned char c) { return c < 128 && (std::isalnum(c) || c == '_'); });
  if (!is_name || symbol.starts_with(kernel_prefix)) throw UserError("the function of an object needs a C name that does not begin with kernel_, not '" + symbol + "'");
}

}  // namespace

std::string emit_object(const std::vector<Kernel>& kernels, const std::vector<CallStep>& steps, const Target& target, const std::string& symbol) {
  check_steps(steps, kernels.size());
  check_symbol(symbol);
  auto machine = machine_for(target);
  std::vector<Target> targets(kernels.size(), target);
  for (;;) {
    llvm::LLVMContext context;
    auto module = empty_module(context, *machine, symbol);
    for (size_t i = 0; i < kernels.size(); ++i) add_kernel(*module, kernels[i], targets[i], kernel_symbol(i));
    add_graph(*module, steps, target, symbol);
    for (llvm::Function& function : *module)
      if (!function.isDeclaration() && function.getName() != symbol) function.setLinkage(llvm::GlobalValue::InternalLinkage);
    optimize(*module, *machine);
    Generated generated = generate(*module, *machine);
    if (generated.too_large.empty()) return {generated.bytes.data(), generated.bytes.size()};
    // The graph's own function keeps nothing on the stack.
    for (size_t i = 0; i < kernels.size(); ++i)
      if (std::find(generated.too_large.begin(), generated.too_large.end(), kernel_symbol(i)) != generated.too_large.end()) narrow(targets[i]);
  }
}

}  // namespace sinter
