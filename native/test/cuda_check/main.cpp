// cuda_check LIBRARY [--quick] [--time] [--json FILE]: checks every operation of a liblongconv_cuda against float64; exit code 1 when one fails.
// --quick leaves out the large sizes (for sanitizers and the emulated GPU); --time adds times.
#include <cstdio>
#include <cstring>
#include <string>

#include "library.h"

namespace {

std::string number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.6g", value);
  return std::string(text).find_first_of("ni") == std::string::npos ? text : "null";
}

bool write_report(const char* path, const lc_cuda_device& device, const std::vector<check::Timing>& timings) {
  FILE* file = std::fopen(path, "w");
  if (!file) return false;
  std::fprintf(file, "{\"device\": \"%s\", \"computeCapability\": \"%d.%d\",\n \"checks\": [", device.name, device.major, device.minor);
  const char* separator = "";
  for (const auto& result : check::results()) {
    std::fprintf(file, "%s\n  {\"name\": \"%s\", \"error\": %s, \"limit\": %s, \"passed\": %s}", separator, result.name.c_str(), number(result.error).c_str(),
                 number(result.limit).c_str(), result.passed ? "true" : "false");
    separator = ",";
  }
  std::fprintf(file, "],\n \"times\": [");
  separator = "";
  for (const auto& timing : timings) {
    std::fprintf(file, "%s\n  {\"name\": \"%s\", \"median_ms\": %s, \"gigabytesPerSecond\": %s, \"teraflops\": %s}", separator, timing.name.c_str(),
                 number(timing.seconds * 1e3).c_str(), number(timing.bytes / timing.seconds * 1e-9).c_str(), number(timing.flops / timing.seconds * 1e-12).c_str());
    separator = ",";
  }
  std::fprintf(file, "]}\n");
  return std::fclose(file) == 0;
}

}  // namespace

int main(int count, char** arguments) {
  bool quick = false, timed = false;
  const char *library = nullptr, *report = nullptr;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(arguments[i], "--quick") == 0) quick = true;
    else if (std::strcmp(arguments[i], "--time") == 0) timed = true;
    else if (std::strcmp(arguments[i], "--json") == 0 && i + 1 < count) report = arguments[++i];
    else library = arguments[i];
  }
  if (!library) {
    std::fprintf(stderr, "usage: cuda_check LIBRARY [--quick] [--time] [--json FILE]\n");
    return 2;
  }
  lc_status status{};
  lc_cuda_device device{};
  if (check::load(library).open(&device, &status) != LC_OK) {
    std::fprintf(stderr, "CUDA is not usable: %s\n", status.message);
    return 3;
  }
  std::printf("%s, compute capability %d.%d\n", device.name, device.major, device.minor);
  check::check_convolutions(quick);
  check::check_model_operations(quick);
  int failed = 0;
  for (const auto& result : check::results()) failed += !result.passed;
  std::vector<check::Timing> timings;
  if (timed) timings = check::time_everything();
  for (const auto& timing : timings) {
    std::printf("%-78s %9.3f ms %8.0f GB/s %7.1f TFLOP/s\n", timing.name.c_str(), timing.seconds * 1e3, timing.bytes / timing.seconds * 1e-9, timing.flops / timing.seconds * 1e-12);
  }
  if (report && !write_report(report, device, timings)) {
    std::fprintf(stderr, "%s could not be written.\n", report);
    return 1;
  }
  std::printf("%zu checks, %d failed\n", check::results().size(), failed);
  return failed ? 1 : 0;
}
