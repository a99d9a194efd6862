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
  if (threads == 0) threads = available_cpus();
  threads = static_cast<unsigned>(std::min<size_t>({threads, count, available_cpus()}));
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

// The modules' numbers, the kinds of kernels that take longest to compile first, so that no thread waits long for another's last one.
std::vector<size_t> longest_first(const std::vector<Kernel>& kernels) {
  auto cost = [&](size_t i) {
    if (i == kernels.size() || std::holds_alternative<LoopKernel>(kernels[i].body)) return 0;
    return std::holds_alternative<ContractionKernel>(kernels[i].body) ? 2 : 1;
  };
  std::vector<size_t> order(kernels.size() + 1);
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return std::pair(cost(b), a) < std::pair(cost(a), b); });
  return order;
}

enum class Form : uint8_t { here, assembly, ir };  // here: an object to run in this process, watched by the sanitizer that watches the process

// What becomes of module `number`: the kernels', then the graph's.
Object make(size_t number, Form form, llvm::TargetMachine& machine, const std::vector<Kernel>& kernels, const std::vector<CallStep>& steps,
            Target target, CompileTimes& times) {
  Object text;
  auto build = [&](bool instrumented) {
    auto mark = Clock::now();
    llvm::LLVMContext context;
    bool is_graph = number == kernels.size();
    std::string symbol = is_graph ? graph_symbol : kernel_symbol(number);
    auto module = empty_module(context, machine, is_graph || kernels[number].name.empty() ? symbol : kernels[number].name);
    is_graph ? add_graph(*module, steps, target, symbol) : add_kernel(*module, kernels[number], target, symbol);
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
  for (;; narrow(target)) {
    Generated generated = build(instrumented);
    // What calls a sanitizer takes more stack. How wide vectors are follows from the code without, so that the bits are those of other builds.
    bool fits = generated.too_large.empty() || (instrumented && build(false).too_large.empty());
    if (fits) return form == Form::ir ? text : generated.bytes;
  }
}

std::string as_text(const std::vector<Kernel>& kernels, const std::vector<CallStep>& steps, const Target& target, Form form) {
  std::string text;
  auto machine = machine_for(target);
  CompileTimes times;
  for (size_t i = 0; i <= kernels.size(); ++i) {
    Object part = make(i, form, *machine, kernels, steps, target, times);
    text.append(part.data(), part.size());
  }
  return text;
}

}  // namespace

Compiled jit_compile(const std::vector<Kernel>& kernels, const std::vector<CallStep>& steps, const Target& target, unsigned threads,
                     const FatalReport& on_fatal) {
  auto start = Clock::now();
  check_runs_here(target);
  check_steps(steps, kernels.size());
  std::vector<Object> objects(kernels.size() + 1);
  std::vector<CompileTimes> times(objects.size());
  std::vector<size_t> order = longest_first(kernels);
  in_parallel(objects.size(), threads, target, on_fatal, [&](size_t k, llvm::TargetMachine& machine) {
    size_t i = order[k];
    objects[i] = make(i, Form::here, machine, kernels, steps, target, times[i]);
  });

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
