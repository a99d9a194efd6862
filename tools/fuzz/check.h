// What must hold of any program: a table of checks, each of which says what is wrong.
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "codegen/compile.h"
#include "tools/fuzz/program.h"

namespace sinter::fuzz {

// A program and the calls to make of it. What is done with it beside follows from `variant`, modulo `variants`.
constexpr uint64_t variants = 8;
struct Case {
  Program program;
  std::vector<NamedTensors> calls;
  uint64_t variant = 0;
  bool whole = false;  // every value is a small whole number
};
Case case_of(const RandomProgram&);

struct Counts {
  int64_t elements = 0, known = 0;  // compared with the interpreter's, and of those the ones of which something was known
};

// A case under test: the function that it is compiled to, made when first asked for, and the parameters as they were, to begin each call with.
class Subject {
 public:
  explicit Subject(const Case&);
  ~Subject() { restore(); }
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  const Case& given;
  Counts counts;
  const Function& function();                  // compiled for one thread
  Function with_threads(unsigned);             // the same code
  void restore() const;

  struct Results {
    std::vector<Tensor> outputs, parameters;   // those of the updates, after the call
    std::string refused;                       // what a UserError said; nothing was computed then
  };
  Results run(const Function&, const NamedTensors&) const;
  std::vector<std::shared_ptr<ParameterStorage>> parameters;
  std::vector<Tensor> before;

 private:
  std::shared_ptr<const Executable> executable_;
  Function function_;
};

struct Check {
  std::string_view name;
  std::string_view rule;
  std::string (*run)(Subject&);  // what is wrong; "" where all holds
};
std::span<const Check> checks();

struct Failure {
  std::string check, what;
};
// The first that fails of all checks, or of the named ones. What is thrown is a failure, too.
std::optional<Failure> failure_of(const Case&, std::span<const std::string_view> only = {}, Counts* counts = nullptr);

}  // namespace sinter::fuzz
