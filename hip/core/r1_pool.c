/* SPDX-License-Identifier: MIT */
#include "hip/core/r1_pool.h"

#include <stdlib.h>

/* #I is an HMAC, so a part of it tells one from another; SHA-1's is the shortest. */
#define SOLVED_KEY_LENGTH 20

static void entry_free(struct r1_entry *entry)
{
	if (!entry)
		return;
	for (size_t level = 0; level < PUZZLE_LEVELS; level++)
		buffer_free(&entry->r1[level]);
	diffie_hellman_free(entry->key);
	free(entry);
}

static void generation_free(struct r1_generation *generation)
{
	for (size_t i = 0; i < HOST_ALGORITHMS_MAXIMUM; i++) {
		entry_free(generation->entries[i]);
		generation->entries[i] = NULL;
	}
	map_free(&generation->solved);
	generation->counter = 0;
}

static void generation_start(struct r1_pool *pool, struct r1_generation *generation)
{
	generation->counter = pool->counter++;
	generation->offered = generation->retired = 0;
	generation->used = false;
	map_start(&generation->solved, SOLVED_KEY_LENGTH, pool->random);
}

void r1_pool_start(struct r1_pool *pool, const struct random_source *random, uint64_t first_counter)
{
	pool->random = random;
	pool->counter = first_counter;
	pool->current = 0;
	generation_start(pool, &pool->generations[0]);
}

void r1_pool_free(struct r1_pool *pool)
{
	for (size_t i = 0; i < R1_POOL_GENERATIONS; i++) {
		if (pool->generations[i].counter)
			generation_free(&pool->generations[i]);
	}
}

struct r1_generation *r1_pool_current(struct r1_pool *pool)
{
	return &pool->generations[pool->current];
}

void r1_pool_note_offer(struct r1_pool *pool, instant now)
{
	struct r1_generation *current = r1_pool_current(pool);

	if (!current->offered)
		current->offered = now ? now : 1;
}

instant r1_pool_due(const struct r1_pool *pool)
{
	const struct r1_generation *current = &pool->generations[pool->current];

	if (!current->offered)
		return INSTANT_NEVER;
	return instant_after(current->offered, current->used ? R1_POOL_OFFERED_USED : R1_POOL_OFFERED);
}

static size_t next_place(const struct r1_pool *pool)
{
	return (pool->current + 1) % R1_POOL_GENERATIONS;
}

struct r1_generation *r1_pool_next(struct r1_pool *pool)
{
	struct r1_generation *next = &pool->generations[next_place(pool)];

	/* One that was offered is the oldest, not the one being made. */
	if (next->counter && next->offered)
		generation_free(next);
	if (!next->counter)
		generation_start(pool, next);
	return next;
}

void r1_pool_turn(struct r1_pool *pool, instant now)
{
	r1_pool_next(pool);
	r1_pool_current(pool)->retired = now ? now : 1;
	pool->current = next_place(pool);
}

const struct buffer *r1_entry_find(const struct r1_entry *entry, unsigned *level)
{
	for (unsigned easier = *level + 1; easier-- > 0;) {
		if (entry->r1[easier].length) {
			*level = easier;
			return &entry->r1[easier];
		}
	}
	for (unsigned harder = *level + 1; harder < PUZZLE_LEVELS; harder++) {
		if (entry->r1[harder].length) {
			*level = harder;
			return &entry->r1[harder];
		}
	}
	return NULL;
}

struct r1_generation *r1_pool_find(struct r1_pool *pool, uint64_t counter, instant now)
{
	for (size_t i = 0; i < R1_POOL_GENERATIONS; i++) {
		struct r1_generation *generation = &pool->generations[i];

		if (!counter || generation->counter != counter || !generation->offered)
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
