// Trains a classifier on Fashion-MNIST by a compiled training step, then shows what the compiler made of it.
//   01-fashion-mnist [FOLDER [EPOCHS]]   FOLDER holds the gzipped IDX files (Debian's package dataset-fashion-mnist)
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <sinter/sinter.h>

using namespace sinter;

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Data {
  Tensor images, labels;  // u8 [rows, 784], u8 [rows]
};

Data read(const std::string& folder, const std::string& which) {
  Tensor images = read_idx(folder + "/" + which + "-images-idx3-ubyte.gz"), labels = read_idx(folder + "/" + which + "-labels-idx1-ubyte.gz");
  return {images.reshaped({images.sizes()[0], 784}), labels};
}

void progress(int epoch, int64_t batch, int64_t batches, double loss) {
  constexpr int width = 30;
  int done = static_cast<int>(width * (batch + 1) / batches);
  std::printf("\repoch %2d [%s%s] loss %.4f ", epoch + 1, std::string(static_cast<size_t>(done), '#').c_str(), std::string(static_cast<size_t>(width - done), '.').c_str(), loss);
  std::fflush(stdout);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& w : words) text += (text.empty() ? "" : " ") + w;
  return text;
}

void show(const Function& train, const NamedTensors& batch, double seconds_a_step) {
  Report report = train.report();
  Memory memory = train.memory();
  std::printf("\nwhat the compiler made of the training step:\n");
  std::printf("  nodes         %zu declared and differentiated, %zu after the passes\n", report.nodes_before, report.nodes_after);
  std::printf("  compile time  %.1f ms: %zu kernel calls, %zu distinct kernels\n", report.compile_seconds * 1e3, train.steps().size(), report.kernels);
  std::printf("  memory        %.2f MB planned (no plan is below %.2f MB), %.2f MB measured\n", static_cast<double>(memory.planned) / 1e6,
              static_cast<double>(memory.lower_bound) / 1e6, static_cast<double>(memory.high_water) / 1e6);
  std::printf("  a step        %.3f ms\n", seconds_a_step * 1e3);
  std::vector<Step> steps = train.steps();
  for (const StepTime& time : train.profile(batch)) {
    const Step& step = steps[time.step];
    std::string line = step.origins.empty() ? "" : "  (" + to_string(step.origins.front()) + ")";
    std::printf("  %8.1f us  %-12s %s%s\n", time.seconds * 1e6, step.name.c_str(), joined(step.fused).c_str(), line.c_str());
  }
}

void run(const std::string& folder, int epochs) {
  Data training = read(folder, "train"), test = read(folder, "t10k");

  // The model: pixels to [0, 1], one hidden layer.
  Variable x("x", u8, {"batch", 784}), y("y", u8, {"batch"});
  Parameter w1("w1", normal({784, 256}, 1, 0.05)), b1("b1", zeros({256}));
  Parameter w2("w2", normal({256, 10}, 2, 0.09)), b2("b2", zeros({10}));
  Expr hidden = relu(linear(convert(x, f32) / 255, w1, b1));
  Expr logits = linear(hidden, w2, b2);
  Expr loss = cross_entropy(logits, y);

  Function train = compile(loss, adam(loss, {w1, b1, w2, b2}, {.rate = 1e-3}));
  Function evaluate = compile(accuracy(logits, y));  // shares the parameters

  Batches batches({training.images, training.labels}, {.size = 128, .seed = 7, .keep_last = false});
  double in_steps = 0, start = now();
  int64_t steps = 0;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    double mean = 0;
    int64_t batch = 0;
    for (const std::vector<Tensor>& rows : batches.epoch(epoch)) {
      double before = now();
      mean += train({{"x", rows[0]}, {"y", rows[1]}}).item();
      in_steps += now() - before;
      ++steps, ++batch;
      if (batch % 20 == 0 || batch == batches.size()) progress(epoch, batch - 1, batches.size(), mean / static_cast<double>(batch));
    }
    std::printf("test accuracy %.1f %%\n", 100 * evaluate({{"x", test.images}, {"y", test.labels}}).item());
  }
  std::printf("trained in %.1f s\n", now() - start);
  std::printf("test accuracy: %.1f %%\n", 100 * evaluate({{"x", test.images}, {"y", test.labels}}).item());
  std::vector<Tensor> rows = batches.epoch(0)[0];
  show(train, {{"x", rows[0]}, {"y", rows[1]}}, in_steps / static_cast<double>(steps));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(argc > 1 ? argv[1] : "/usr/share/datasets/fashion-mnist", argc > 2 ? std::atoi(argv[2]) : 15);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
