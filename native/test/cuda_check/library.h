// The library under test, device arrays, random data and the comparison with float64.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "longconv/cuda.h"

namespace check {

/// Loads the library or ends the program with a sentence.
const lc_cuda_api& load(const char* path);
const lc_cuda_api& api();
/// Ends the program when a call failed.
void require(int32_t code, const lc_status& status);

int64_t element_bytes(int32_t element);
const char* element_name(int32_t element);

/// A device array with its values as the device has them (rounded to the element type).
class Array {
 public:
  Array(int32_t element, std::vector<double> values);
  /// Room for results, full of NaN.
  Array(int32_t element, int64_t count);
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;
  ~Array();
  void* data() const { return data_; }
  int32_t element() const { return element_; }
  const std::vector<double>& values() const { return values_; }
  std::vector<double> download() const;

 private:
  int32_t element_;
  std::vector<double> values_;
  int64_t count_;
  void* data_ = nullptr;
};

/// Normal numbers of this scale, different for every call.
std::vector<double> random_values(int64_t count, double scale = 1);
std::mt19937_64& generator();

/// One line of the report.
struct Result {
  std::string name;
  double error = 0;  // relative L2 against float64
  double limit = 0;
  bool passed = false;
};
std::vector<Result>& results();
/// ||got - want|| / ||want||; NaN or a zero reference never passes.
void compare(const std::string& name, const std::vector<double>& got, const std::vector<double>& want, double limit);
void record(const std::string& name, double error, double limit);

void check_convolutions(bool quick);
void check_model_operations(bool quick);

struct Timing {
  std::string name;
  double seconds, bytes, flops;
};
std::vector<Timing> time_everything();

}  // namespace check
