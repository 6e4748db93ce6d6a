/* SPDX-License-Identifier: MIT */
#include "hip/core/returning_senders.h"

#include "hip/base/map.h"

#include <stdlib.h>

/* A mark is a fingerprint above and a time, in units, below. 0 is no mark. */
#define TIME_BITS   12
#define TIME_MASK   ((1U << TIME_BITS) - 1)
#define TIME_UNIT   MILLISECONDS(62)
#define WAYS        4
#define SETS        (RETURNING_SENDERS_OCTETS / sizeof(uint32_t) / WAYS)
#define UNITS(time) ((uint32_t)((time) / TIME_UNIT))

void returning_senders_start(struct returning_senders *senders, const struct random_source *random)
{
	senders->marks = NULL;
	random_fill(random, senders->hash_key, sizeof senders->hash_key);
}

void returning_senders_free(struct returning_senders *senders)
{
	free(senders->marks);
	senders->marks = NULL;
}

static uint32_t age_of(uint32_t mark, uint32_t time)
{
	return (time - mark) & TIME_MASK;
}

/* The mark with this fingerprint that is young enough to count, or the one to put a new mark in place of. */
static uint32_t *find(uint32_t *set, uint32_t fingerprint, uint32_t time, bool *known)
{
	uint32_t *oldest = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (!set[i])
			oldest = &set[i];
		else if (set[i] >> TIME_BITS == fingerprint && age_of(set[i], time) <= UNITS(RETURNING_NOT_AFTER)) {
			*known = true;
			return &set[i];
		} else if (*oldest && age_of(set[i], time) > age_of(*oldest, time))
			oldest = &set[i];
	}
	*known = false;
	return oldest;
}

bool returning_senders_note(struct returning_senders *senders, const void *key, size_t length, instant now)
{
	uint64_t hash = map_hash(senders->hash_key, key, length);
	uint32_t fingerprint = (uint32_t)(hash >> 44) | 1, time = UNITS(now) & TIME_MASK, *mark;
	bool known;

	if (!senders->marks)
		senders->marks = calloc(SETS * WAYS, sizeof *senders->marks);
	if (!senders->marks)
		return false;
	mark = find(&senders->marks[hash % SETS * WAYS], fingerprint, time, &known);
	if (!known) {
		*mark = fingerprint << TIME_BITS | time;
		return false;
	}
	if (age_of(*mark, time) < UNITS(RETURNING_NOT_BEFORE))
		return false;
	*mark = 0;
	return true;
}
