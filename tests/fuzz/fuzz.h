/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A fuzz target, as libFuzzer calls it.  Returns 0. */
#ifndef NOTRAP_TESTS_FUZZ_FUZZ_H
#define NOTRAP_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
