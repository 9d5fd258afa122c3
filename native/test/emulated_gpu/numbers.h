// 16-bit numbers in software, rounded to nearest even like the GPU's conversions.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

namespace longconv::emulated {

inline uint32_t bits_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}
inline float float_of(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

struct bf16_t {
  uint16_t bits = 0;
  bf16_t() = default;
  explicit bf16_t(float value) {
    const uint32_t b = bits_of(value);
    bits = std::isnan(value) ? 0x7fff : static_cast<uint16_t>((b + 0x7fff + (b >> 16 & 1)) >> 16);
  }
  static bf16_t from_bits(uint16_t b) {
    bf16_t number;
    number.bits = b;
    return number;
  }
  float value() const { return float_of(static_cast<uint32_t>(bits) << 16); }
};

struct half_t {
  uint16_t bits = 0;
  half_t() = default;
  explicit half_t(float value) {
    const uint32_t b = bits_of(value);
    const uint16_t sign = static_cast<uint16_t>(b >> 16 & 0x8000);
    const float magnitude = std::fabs(value);
    if (std::isnan(value)) bits = 0x7fff;
    else if (magnitude >= 65520.0f) bits = sign | 0x7c00;
    else if (magnitude < 6.103515625e-05f) bits = static_cast<uint16_t>(sign | static_cast<uint16_t>(std::nearbyint(magnitude * 16777216.0f)));  // subnormal
    else {
      const uint32_t m = b & 0x7fffffff;
      bits = static_cast<uint16_t>(sign | ((m + 0xfff + (m >> 13 & 1) - (112u << 23)) >> 13));
    }
  }
  static half_t from_bits(uint16_t b) {
    half_t number;
    number.bits = b;
    return number;
  }
  float value() const {
    const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16, exponent = bits >> 10 & 31, fraction = bits & 1023;
    if (exponent == 31) return float_of(sign | 0x7f800000 | fraction << 13);
    if (exponent == 0) return std::copysign(static_cast<float>(fraction) / 16777216.0f, sign ? -1.0f : 1.0f);
    return float_of(sign | (exponent + 112) << 23 | fraction << 13);
  }
};

}  // namespace longconv::emulated
