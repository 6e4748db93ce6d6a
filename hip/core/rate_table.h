/* SPDX-License-Identifier: MIT */
/**
 * One token bucket per HIT, in a table of bounded size: what one neighbour or sender may make this host do. When the
 * table is full, the entry that was used longest ago makes room.
 */
#ifndef HIPHOP_HIP_CORE_RATE_TABLE_H
#define HIPHOP_HIP_CORE_RATE_TABLE_H

#include "hip/base/error.h"
#include "hip/base/identifier.h"
#include "hip/base/random.h"
#include "hip/base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rate_table;

/** `per_second` and `burst` hold for each HIT; `entries` >= 1. `*table` is owned by the caller; rate_table_free.
 *  `random` (for the hash key) is used only during the call. HIPHOP_NO_MEMORY, HIPHOP_INVALID_ARGUMENT. */
hiphop_error rate_table_create(uint32_t per_second, uint32_t burst, size_t entries, const struct random_source *random,
	struct rate_table **table);
/** NULL is allowed. */
void rate_table_free(struct rate_table *table);
/** Takes one token of `hit`; a HIT seen for the first time has a full bucket. False when there is none left, and when
 *  there is no memory for a new entry. */
bool rate_table_take(struct rate_table *table, const struct hit *hit, instant now);
/** Entries in use, never more than asked for at creation. */
size_t rate_table_count(const struct rate_table *table);

#endif
