// C++ side of the status codes: errors travel as exceptions inside a library and become an lc_status at its C boundary.
#pragma once

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>

#include "longconv/status.h"

namespace longconv {

class Error : public std::exception {
 public:
  Error(lc_code code, const char* message) : code_(code) { std::snprintf(message_, sizeof message_, "%s", message); }
  const char* what() const noexcept override { return message_; }
  lc_code code() const noexcept { return code_; }

 private:
  lc_code code_;
  char message_[sizeof(lc_status::message)];
};

[[noreturn]] __attribute__((format(printf, 2, 3))) inline void fail(lc_code code, const char* format, ...) {
  char message[sizeof(lc_status::message)];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  throw Error(code, message);
}

inline int32_t set_status(lc_status* status, lc_code code, const char* message) {
  status->code = code;
  std::snprintf(status->message, sizeof status->message, "%s", message);
  return code;
}

/// Runs `body` and turns whatever it throws into a status: nothing is thrown out of here.
template <class Body>
int32_t guarded(lc_status* status, Body&& body) noexcept {
  try {
    body();
    return set_status(status, LC_OK, "");
  } catch (const Error& error) {
    return set_status(status, error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return set_status(status, LC_OUT_OF_MEMORY, "There is not enough memory for this operation.");
  } catch (const std::exception& error) {
    return set_status(status, LC_INTERNAL, error.what());
  } catch (...) {
    return set_status(status, LC_INTERNAL, "The native library failed for an unknown reason.");
  }
}

}  // namespace longconv
