/* SPDX-License-Identifier: MIT */
/**
 * Lifetimes of registrations as they travel (RFC 8003 section 4.2): one octet x stands for 2^((x - 64) / 8) seconds, 0
 * for none.
 */
#ifndef HIPHOP_HIP_CORE_REGISTRATION_H
#define HIPHOP_HIP_CORE_REGISTRATION_H

#include "hip/base/time.h"

#include <stdint.h>

/** How long `value` is; 0 for 0. */
duration registration_lifetime(uint8_t value);
/** The greatest value that is no longer than `lifetime`; 0 below the least. */
uint8_t registration_value(duration lifetime);

#endif
