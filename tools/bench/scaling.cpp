#include "tools/bench/scaling.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <span>

#include "runtime/cpu_count.h"
#include "tools/bench/measure.h"
#include "tools/bench/workloads.h"

namespace bench {
namespace {

using namespace sinter;

struct Point {
  double x = 0, ms = 0, compile_ms = 0, peak_mb = 0, work = 0;  // work: floating-point operations or elements of one call, if counted
  int64_t kernels = 0;                                          // distinct ones: each is compiled once
};

struct Subject {
  Function function;
  NamedTensors inputs;
  double work = 0;
};

struct Series {
  std::string name;
  std::vector<int64_t> at;
  std::function<Subject(int64_t x, unsigned threads)> make;
};

struct Sweep {
  std::string name, axis, rate;  // rate: what work in a time is called, where it is counted
  double rate_scale = 0;         // of it by the work of a millisecond
  bool of_threads = false;
  std::vector<Series> series;
};

Subject elementwise(int64_t n, unsigned threads) {
  GraphScope scope;
  Variable x("x", f32, {n}), y("y", f32, {n}), z("z", f32, {n});
  return {compile(chain(x, y, z), {}, {.threads = threads}), {{"x", fill(1, {n}, 3)}, {"y", fill(2, {n}, 3)}, {"z", fill(3, {n}, 3)}}, static_cast<double>(n)};
}

Subject product(int64_t n, unsigned threads) {
  GraphScope scope;
  Variable x("x", f32, {n, n}), y("y", f32, {n, n});
  return {compile(matmul(x, y), {}, {.threads = threads}), {{"x", fill(1, {n, n})}, {"y", fill(2, {n, n})}}, 2.0 * static_cast<double>(n * n * n)};
}

// A training step of a perceptron. Layers of widths of their own share no kernel.
Subject perceptron(int64_t depth, int64_t width, int64_t wider, int64_t batch, unsigned threads) {
  GraphScope scope;
  auto width_of = [&](int64_t layer) { return width + wider * layer; };
  Variable x("x", f32, {batch, width}), y("y", f32, {batch, width_of(depth)});
  std::vector<Parameter> weights;
  Expr h = x;
  for (int64_t i = 0; i < depth; ++i) {
    weights.emplace_back("w" + std::to_string(i), fill(static_cast<uint32_t>(i), {width_of(i), width_of(i + 1)}, 0.1));
    h = tanh(matmul(h, weights.back()));
  }
  Expr loss = mse(h, y);
  return {compile(loss, sgd(loss, weights, {.rate = 1e-3}), {.threads = threads}), {{"x", fill(90, {batch, width})}, {"y", fill(91, {batch, width_of(depth)})}}};
}

std::vector<int64_t> doubling(int64_t from, int64_t to, int64_t by = 2) {
  std::vector<int64_t> all;
  for (int64_t x = from; x <= to; x *= by) all.push_back(x);
  return all;
}

std::vector<Sweep> sweeps() {
  std::vector<int64_t> threads;
  for (int64_t t = 1; t <= static_cast<int64_t>(available_cpus()); ++t) threads.push_back(t);
  const auto of_threads = [](Subject (*make)(int64_t, unsigned), int64_t n) { return [=](int64_t t, unsigned) { return make(n, static_cast<unsigned>(t)); }; };
  return {
      {"elements", "elements", "elements a µs", 1e-3, false, {{"a chain of elementwise operations", doubling(1 << 10, 1 << 24, 4), elementwise}}},
      {"contraction", "rows of square matrices", "GFLOP/s", 1e-6, false, {{"a product of two", doubling(32, 2048), product}}},
      {"depth", "layers", "", 0, false,
       {{"every layer as wide", doubling(1, 64), [](int64_t depth, unsigned t) { return perceptron(depth, 64, 0, 32, t); }},
        {"every layer wider", doubling(1, 64), [](int64_t depth, unsigned t) { return perceptron(depth, 64, 8, 32, t); }}}},
      {"threads", "threads", "", 0, true,
       {{"4 Mi elements", threads, of_threads(elementwise, 1 << 22)},
        {"a product, 1024 rows", threads, of_threads(product, 1024)},
        {"training, 4 layers of 512", threads, [](int64_t t, unsigned) { return perceptron(4, 512, 0, 128, static_cast<unsigned>(t)); }}}},
  };
}

Point measured(const Series& series, int64_t x, unsigned threads, double seconds) {
  forget_peak();
  const double before = resident_mb();
  Subject subject = series.make(x, threads);
  BoundFunction call = subject.function.bind(subject.inputs);
  const Report report = subject.function.report();
  const double ms = times_of([&] { call(); }, seconds).median * 1e3;
  return {static_cast<double>(x), ms, report.compile_seconds * 1e3, peak_resident_mb() - before, subject.work, static_cast<int64_t>(report.kernels)};
}

// In a process of its own: its memory, and LLVM's, go with it.
Point in_child(const Series& series, int64_t x, unsigned threads, double seconds) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw SystemError("no pipe for a child");
  std::fflush(stdout);
  const pid_t child = fork();
  if (child < 0) throw SystemError("no process for a child");
  if (child == 0) {
    try {
      const Point point = measured(series, x, threads, seconds);
      _exit(write(ends[1], &point, sizeof point) != sizeof point);
    } catch (const std::exception& error) {
      fmt::print(stderr, "sinter-bench: {}\n", error.what());
      _exit(1);
    }
  }
  close(ends[1]);
  Point point;
  const bool whole = read(ends[0], &point, sizeof point) == sizeof point;
  close(ends[0]);
  waitpid(child, nullptr, 0);
  if (!whole) throw SystemError(fmt::format("{} at {} could not be measured", series.name, x));
  return point;
}

// `number` with three digits.
std::string short_of(double number) { return number >= 100 ? fmt::format("{:.0f}", number) : fmt::format("{:.3g}", number); }

void print(const Sweep& sweep, const Series& series, std::span<const Point> points) {
  fmt::print("\n{}\n\n| {} | ms |{}{} compile, ms | kernels | ms a kernel | peak MB |\n|---|---|{}{}---|---|---|---|\n", series.name, sweep.axis,
             sweep.rate.empty() ? "" : " " + sweep.rate + " |", sweep.of_threads ? " times as fast |" : "", sweep.rate.empty() ? "" : "---|", sweep.of_threads ? "---|" : "");
  for (const Point& p : points) {
    const std::string rate = sweep.rate.empty() ? "" : " " + short_of(p.work / p.ms * sweep.rate_scale) + " |";
    const std::string speed = sweep.of_threads ? " " + short_of(points[0].ms / p.ms) + " |" : "";
    fmt::print("| {} | {} |{}{} {} | {} | {} | {} |\n", p.x, short_of(p.ms), rate, speed, short_of(p.compile_ms), p.kernels,
               short_of(p.compile_ms / static_cast<double>(std::max<int64_t>(p.kernels, 1))), short_of(p.peak_mb));
  }
  std::fflush(stdout);
}

// gnuplot's indexed blocks, a series each: x, ms, compile ms, peak MB.
void write_data(const std::string& file, const Sweep& sweep, const std::vector<std::vector<Point>>& all) {
  std::ofstream data(file);
  for (size_t s = 0; s < all.size(); ++s) {
    data << (s ? "\n\n" : "") << fmt::format("# {}\n# {}\tms\tcompile ms\tpeak MB\tkernels\n", sweep.series[s].name, sweep.axis);
    for (const Point& p : all[s]) data << fmt::format("{}\t{:.6g}\t{:.6g}\t{:.6g}\t{}\n", p.x, p.ms, p.compile_ms, p.peak_mb, p.kernels);
  }
  if (!data.flush()) throw SystemError("cannot write " + file);
}

void write_script(const std::string& file, const std::string& data, const std::string& picture, const Sweep& sweep) {
  const std::pair<const char*, int> panels[] = {{"a call, ms", 2}, {"compiling, ms", 3}, {"peak memory, MB", 4}};
  std::ofstream script(file);
  script << fmt::format("set terminal svg size 1200,420 font 'sans,12' background 'white'\nset output '{}'\nset multiplot layout 1,3\nset grid\n", picture);
  script << fmt::format("set xlabel '{}'\nset key top left Left reverse\nset offsets graph 0, 0, graph 0.25, 0\n", sweep.axis);  // room for the key
  script << (sweep.of_threads ? "set xtics 1\nset yrange [0:*]\n" : "set logscale x 2\nset logscale y\nset format x '2^{%L}'\n");
  for (const auto& [title, column] : panels) {
    script << fmt::format("set title '{}'\nplot", title);
    for (size_t s = 0; s < sweep.series.size(); ++s) {
      const std::string key = column == panels[0].second ? fmt::format("title '{}'", sweep.series[s].name) : "notitle";
      script << fmt::format("{} '{}' index {} using 1:{} with linespoints linewidth 2 pointtype 7 {}", s ? "," : "", data, s, column, key);
    }
    script << "\n";
  }
  if (!script.flush()) throw SystemError("cannot write " + file);
}

}  // namespace

void scaling(const std::string& folder, const std::vector<std::string>& only, unsigned threads, double seconds) {
  const std::vector<Sweep> known = sweeps();
  for (const std::string& name : only)
    if (std::none_of(known.begin(), known.end(), [&](const Sweep& sweep) { return sweep.name == name; })) {
      std::string names;
      for (const Sweep& sweep : known) names += (names.empty() ? "" : ", ") + sweep.name;
      throw UserError(fmt::format("there is no sweep '{}'; there are {}", name, names));
    }
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) throw SystemError(fmt::format("cannot make the folder {}: {}", folder, failed.message()));
  bool drawn = true;
  for (const Sweep& sweep : known) {
    if (!only.empty() && std::find(only.begin(), only.end(), sweep.name) == only.end()) continue;
    std::vector<std::vector<Point>> all;
    for (const Series& series : sweep.series) {
      std::vector<Point>& points = all.emplace_back();
      for (int64_t x : series.at) points.push_back(in_child(series, x, threads, seconds));
      print(sweep, series, points);
    }
    const std::string path = folder + "/" + sweep.name;
    write_data(path + ".tsv", sweep, all);
    write_script(path + ".gnuplot", path + ".tsv", path + ".svg", sweep);
    const pid_t child = fork();
    if (child == 0) {
      execlp("gnuplot", "gnuplot", (path + ".gnuplot").c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
    int status = 0;
    drawn = child > 0 && waitpid(child, &status, 0) == child && status == 0 && drawn;
  }
  if (!drawn) fmt::print("\nno pictures: gnuplot (Debian's gnuplot-nox) is missing or failed; {}/*.gnuplot draw them\n", folder);
}

}  // namespace bench
