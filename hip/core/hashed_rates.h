/* SPDX-License-Identifier: MIT */
/**
 * One rate limit for each of very many keys that strangers choose (source prefixes, puzzles), in a table of fixed size
 * that nothing is added to or pushed out of: a key is hashed, with a secret, to one of the cells. Keys that meet in a
 * cell share its rate, which is rare and cannot be aimed at. So a flood of fresh keys costs no memory and wins no fresh
 * allowance for an old one.
 */
#ifndef HIPHOP_HIP_CORE_HASHED_RATES_H
#define HIPHOP_HIP_CORE_HASHED_RATES_H

#include "hip/base/error.h"
#include "hip/base/random.h"
#include "hip/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hashed_rates {
	uint8_t hash_key[16];
	instant *cells; /**< when the cell has paid back what was taken from it */
	size_t count;   /**< a power of two */
	duration interval, burst;
};

/** One token every `interval` for each key, and `burst` >= 1 at once. `cells` is rounded up to a power of two; each is
 * 8 octets. `random` is used during the call. HIPHOP_NO_MEMORY, HIPHOP_INVALID_ARGUMENT. */
hiphop_error hashed_rates_start(struct hashed_rates *rates, duration interval, uint32_t burst, size_t cells,
	const struct random_source *random);
/** Also for one that is all zero. */
void hashed_rates_free(struct hashed_rates *rates);
/** Takes one token of a key, or, with `share` > 1, only that part of one (and the burst is as many times greater).
 *  False when there is none left. */
bool hashed_rates_take(struct hashed_rates *rates, const void *key, size_t length, instant now, uint32_t share);

#endif
