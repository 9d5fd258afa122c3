/* Outcome of every call across the C ABI: a code, and one sentence for the user where it is not LC_OK. */
#ifndef LONGCONV_STATUS_H
#define LONGCONV_STATUS_H

#include <stdint.h>

typedef enum lc_code {
  LC_OK = 0,
  LC_INVALID_ARGUMENT = 1,
  LC_OUT_OF_MEMORY = 2,
  LC_CANCELLED = 3,
  LC_NOT_SUPPORTED = 4,
  LC_INTERNAL = 5
} lc_code;

typedef struct lc_status {
  int32_t code;      /* lc_code */
  char message[320]; /* UTF-8, zero-terminated; empty when code is LC_OK */
} lc_status;

#endif
