/* SPDX-License-Identifier: MIT */
/** cmocka with the headers that it wants before it. */
#ifndef HIPHOP_TESTS_UNIT_CMOCKA_H
#define HIPHOP_TESTS_UNIT_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
