// Kernels compiled in parallel, linked into this process by ORC.
#include "codegen/llvm/jit.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <numeric>
#include <thread>

#include <llvm/ExecutionEngine/JITLink/JITLinkMemoryManager.h>
#include <llvm/ExecutionEngine/Orc/Core.h>
#include <llvm/ExecutionEngine/Orc/ExecutionUtils.h>
#include <llvm/ExecutionEngine/Orc/ExecutorProcessControl.h>
#include <llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>

#include "codegen/llvm/module.h"
#include "codegen/llvm/sanitize.h"
#include "runtime/cpu_count.h"

namespace sinter {
namespace {

using Clock = std::chrono::steady_clock;
using Object = llvm::SmallVector<char, 0>;

double since(Clock::time_point& mark) {
  auto now = Clock::now();
  double seconds = std::chrono::duration<double>(now - mark).count();
  mark = now;
  return seconds;
}

// LLVM's errors end here.
void check(llvm::Error error, const char* what) {
  if (error) throw InternalError(std::string(what) + ": " + llvm::toString(std::move(error)));
}
template <class T>
T check(llvm::Expected<T> value, const char* what) {
  if (!value) check(value.takeError(), what);
  return std::move(*value);
}

// Linked code. Its pages go with it.
class Linked {
 public:
  explicit Linked(std::vector<Object>& objects)
      : session_(check(llvm::orc::SelfExecutorProcessControl::Create(), "ORC runs code in this process")), layer_(session_) {
    session_.setErrorReporter([this](llvm::Error error) { reported_ += llvm::toString(std::move(error)) + "\n"; });
    library_ = &session_.createBareJITDylib("graph");
    if (instruments) {
      auto allow = [](const llvm::orc::SymbolStringPtr& symbol) { return is_sanitizers_own(*symbol); };
      library_->addGenerator(check(llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess('\0', allow), "a sanitizer's functions are found"));
    }
    for (size_t i = 0; i < objects.size(); ++i) {
      auto buffer = llvm::MemoryBuffer::getMemBuffer(llvm::StringRef(objects[i].data(), objects[i].size()), "object" + std::to_string(i), false);
      check(layer_.add(*library_, std::move(buffer)), "an object is taken in");
    }
  }
  ~Linked() {
    if (auto error = session_.endSession()) llvm::consumeError(std::move(error));
  }
  Linked(const Linked&) = delete;
  Linked& operator=(const Linked&) = delete;

  // No symbol of this process but a sanitizer's is offered: code that calls out (libm, memset) is a bug, and fails to link.
  std::vector<void*> addresses(const std::vector<std::string>& names) {
    llvm::orc::SymbolLookupSet wanted;
    for (const std::string& name : names) wanted.add(session_.intern(name));
    auto found = session_.lookup(llvm::orc::makeJITDylibSearchOrder(library_, llvm::orc::JITDylibLookupFlags::MatchAllSymbols), std::move(wanted));
    if (!found) throw InternalError("compiled code links: " + reported_ + llvm::toString(found.takeError()));
    std::vector<void*> result;
    for (const std::string& name : names) result.push_back((*found)[session_.intern(name)].getAddress().toPtr<void*>());
    return result;
  }

 private:
  std::string reported_;
  llvm::orc::ExecutionSession session_;
  llvm::orc::ObjectLinkingLayer layer_;
  llvm::orc::JITDylib* library_ = nullptr;
};

// Runs work(0 … count - 1), `threads` at a time; each thread makes a machine of its own. The first exception is thrown again.
template <class Work>
void in_parallel(size_t count, unsigned threads, const Target& target, const FatalReport& on_fatal, const Work& work) {
  threads = static_cast<unsigned>(std::min<size_t>(threads, count));
  std::atomic<size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr failure;
  auto run = [&] {
    FatalErrorScope scope(on_fatal);
    try {
      auto machine = machine_for(target);
      for (size_t i = next++; i < count; i = next++) work(i, *machine);
    } catch (...) {
      std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      next = count;
    }
  };
  std::vector<std::jthread> helpers;
  try {
    for (unsigned i = 1; i < threads; ++i) helpers.emplace_back(run);
  } catch (const std::system_error&) {
    // No more threads to be had: fewer do.
  }
  run();
  helpers.clear();
  if (failure) std::rethrow_exception(failure);
}

// What is compiled as one module.
struct Part {
  std::vector<size_t> kernels;
  bool has_graph = false;  // the graph's own function
};

// LLVM takes 1 to 2 ms for a module beside what it takes for its kernels: a few for each thread are enough that none waits long for another's
// last one. The kinds of kernels that take longest to compile are dealt out first.
std::vector<Part> parts_of(const std::vector<Kernel>& kernels, unsigned threads) {
  auto cost = [&](size_t i) { return std::holds_alternative<ContractionKernel>(kernels[i].body) ? 2 : std::holds_alternative<LoopKernel>(kernels[i].body) ? 0 : 1; };
  std::vector<size_t> order(kernels.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return std::pair(cost(b), a) < std::pair(cost(a), b); });
  const size_t most = threads == 1 ? 1 : 2 * threads, fewest = kernels.size() / 32 + 1;
  std::vector<Part> parts(std::min(std::max(most, fewest), kernels.size() + 1));
  for (size_t k = 0; k < order.size(); ++k) parts[k % parts.size()].kernels.push_back(order[k]);
  parts.back().has_graph = true;
  return parts;
}

// As it stands in the text forms, where a part is one kernel or the graph's function.
std::string name_of(const Part& part, const std::vector<Kernel>& kernels) {
  if (part.has_graph || part.kernels.size() != 1) return part.has_graph ? graph_symbol : "kernels";
  const std::string& name = kernels[part.kernels[0]].name;
  return name.empty() ? kernel_symbol(part.kernels[0]) : name;
}

enum class Form : uint8_t { here, assembly, ir };  // here: an object to run in this process, watched by the sanitizer that watches the process

Object make(const Part& part, Form form, llvm::TargetMachine& machine, const std::vector<Kernel>& kernels, const std::vector<CallStep>& steps,
            const Target& target, CompileTimes& times) {
  Object text;
  auto build = [&](std::span<const Target> targets, bool instrumented) {
    auto mark = Clock::now();
    llvm::LLVMContext context;
    auto module = empty_module(context, machine, name_of(part, kernels));
    for (size_t k = 0; k < part.kernels.size(); ++k) add_kernel(*module, kernels[part.kernels[k]], targets[k], kernel_symbol(part.kernels[k]));
    if (part.has_graph) add_graph(*module, steps, target, graph_symbol);
    times.emit += since(mark);
    optimize(*module, machine);
    if (instrumented) instrument(*module, machine);
    times.optimize += since(mark);
    text.clear();
    if (form == Form::ir) llvm::raw_svector_ostream(text) << *module;
    // Calls at every access leave little to optimise, and would take three times as long to compile as the kernel without.
    machine.setOptLevel(instrumented ? llvm::CodeGenOptLevel::None : llvm::CodeGenOptLevel::Default);
    Generated generated = generate(*module, machine, form == Form::assembly);
    times.generate += since(mark);
    return generated;
  };
  bool instrumented = instruments && form == Form::here;
  Generated generated = make_within_stack(part.kernels, target, [&](std::span<const Target> targets) {
    Generated made = build(targets, instrumented);
    // What calls a sanitizer takes more stack. How wide vectors are follows from the code without, so that the bits are those of other builds.
    if (instrumented && !made.too_large.empty()) made.too_large = build(targets, false).too_large;
    return made;
  });
  return form == Form::ir ? text : generated.bytes;
}

std::string as_text(const std::vector<Kernel>& kernels, const std::vector<CallStep>& steps, const Target& target, Form form) {
  std::string text;
  auto machine = machine_for(target);
  CompileTimes times;
  for (size_t i = 0; i <= kernels.size(); ++i) {
    Part part = i < kernels.size() ? Part{{i}, false} : Part{{}, true};
    Object made = make(part, form, *machine, kernels, steps, target, times);
    text.append(made.data(), made.size());
  }
  return text;
}

}  // namespace

Compiled jit_compile(const std::vector<Kernel>& kernels, const std::vector<CallStep>& steps, const Target& target, unsigned threads,
                     const FatalReport& on_fatal) {
  auto start = Clock::now();
  check_runs_here(target);
  check_steps(steps, kernels.size());
  threads = threads == 0 ? available_cpus() : std::min(threads, available_cpus());
  const std::vector<Part> parts = parts_of(kernels, threads);
  std::vector<Object> objects(parts.size());
  std::vector<CompileTimes> times(parts.size());
  in_parallel(parts.size(), threads, target, on_fatal,
              [&](size_t i, llvm::TargetMachine& machine) { objects[i] = make(parts[i], Form::here, machine, kernels, steps, target, times[i]); });

  Compiled result;
  for (const CompileTimes& one : times) {
    result.times.emit += one.emit;
    result.times.optimize += one.optimize;
    result.times.generate += one.generate;
  }
  auto mark = Clock::now();
  auto linked = std::make_shared<Linked>(objects);
  std::vector<std::string> names;
  for (size_t i = 0; i < kernels.size(); ++i) names.push_back(kernel_symbol(i));
  names.push_back(graph_symbol);
  std::vector<void*> addresses = linked->addresses(names);
  for (size_t i = 0; i < kernels.size(); ++i) result.kernels.push_back(reinterpret_cast<KernelFunction>(addresses[i]));
  result.run = reinterpret_cast<GraphFunction>(addresses.back());
  result.code = linked;
  result.times.link = since(mark);
  result.times.total = since(start);
  return result;
}

std::string emit_llvm(const std::vector<Kernel>& kernels, const std::vector<CallStep>& steps, const Target& target) {
  return as_text(kernels, steps, target, Form::ir);
}
std::string emit_asm(const std::vector<Kernel>& kernels, const std::vector<CallStep>& steps, const Target& target) {
  return as_text(kernels, steps, target, Form::assembly);
}

}  // namespace sinter
