/* SPDX-License-Identifier: MIT */
#include "hip/core/r1_pool.h"

#include <stdlib.h>

/* #I is an HMAC, so a part of it tells one from another; SHA-1's is the shortest. */
#define SOLVED_KEY_LENGTH 20

static void generation_free(struct r1_generation *generation)
{
	for (size_t i = 0; i < HOST_ALGORITHMS_MAXIMUM; i++) {
		if (generation->entries[i])
			diffie_hellman_free(generation->entries[i]->key);
		free(generation->entries[i]);
		generation->entries[i] = NULL;
	}
	map_free(&generation->solved);
	generation->counter = 0;
}

static void generation_start(struct r1_pool *pool, struct r1_generation *generation, instant now)
{
	generation->counter = pool->counter++;
	generation->made = now;
	generation->retired = 0;
	generation->used = false;
	map_start(&generation->solved, SOLVED_KEY_LENGTH, pool->random);
}

void r1_pool_start(struct r1_pool *pool, const struct random_source *random, uint64_t first_counter, instant now)
{
	pool->random = random;
	pool->counter = first_counter;
	pool->current = 0;
	generation_start(pool, &pool->generations[0], now);
}

void r1_pool_free(struct r1_pool *pool)
{
	for (size_t i = 0; i < R1_POOL_GENERATIONS; i++) {
		if (pool->generations[i].counter)
			generation_free(&pool->generations[i]);
	}
}

static bool has_had_its_time(const struct r1_generation *generation, instant now)
{
	duration offered = generation->used ? R1_POOL_OFFERED_USED : R1_POOL_OFFERED;

	return now >= instant_after(generation->made, offered);
}

struct r1_generation *r1_pool_offered(struct r1_pool *pool, instant now)
{
	struct r1_generation *current = &pool->generations[pool->current];

	if (!has_had_its_time(current, now))
		return current;
	current->retired = now;
	pool->current = (pool->current + 1) % R1_POOL_GENERATIONS;
	current = &pool->generations[pool->current];
	if (current->counter)
		generation_free(current);
	generation_start(pool, current, now);
	return current;
}

struct r1_generation *r1_pool_find(struct r1_pool *pool, uint64_t counter, instant now)
{
	for (size_t i = 0; i < R1_POOL_GENERATIONS; i++) {
		struct r1_generation *generation = &pool->generations[i];

		if (!counter || generation->counter != counter)
			continue;
		if (generation->retired && now > instant_after(generation->retired, R1_POOL_ACCEPTED))
			return NULL;
		return generation;
	}
	return NULL;
}

bool r1_generation_is_solved(const struct r1_generation *generation, struct span i)
{
	return i.length >= SOLVED_KEY_LENGTH && map_get(&generation->solved, i.data) != NULL;
}

hiphop_error r1_generation_note_solved(struct r1_generation *generation, struct span i)
{
	static char present;

	if (i.length < SOLVED_KEY_LENGTH)
		return HIPHOP_INVALID_ARGUMENT;
	if (generation->solved.count >= R1_POOL_SOLVED_MAXIMUM)
		return HIPHOP_LIMITED;
	generation->used = true;
	return map_put(&generation->solved, i.data, &present);
}
