/* SPDX-License-Identifier: MIT */
/**
 * A hash map from short fixed-size keys to pointers, keyed by SipHash with a secret so that strangers cannot aim at
 * one bucket. Walks go in the order of insertion, so that a simulation repeats.
 */
#ifndef HIPHOP_HIP_BASE_MAP_H
#define HIPHOP_HIP_BASE_MAP_H

#include "hip/base/error.h"
#include "hip/base/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Longest key, in octets. */
#define MAP_KEY_MAXIMUM 48

struct map_entry;
struct map {
	struct map_entry **buckets;
	struct map_entry *first, *last; /* order of insertion */
	size_t bucket_count;
	size_t count;
	size_t key_length;
	uint8_t hash_key[16];
};

/** `key_length` 1 to MAP_KEY_MAXIMUM octets. Allocates nothing yet. */
void map_start(struct map *map, size_t key_length, const struct random_source *random);
/** Frees the map's own memory, not the values. */
void map_free(struct map *map);
/** The value, or NULL. */
void *map_get(const struct map *map, const void *key);
/** Adds, or replaces the value. HIPHOP_NO_MEMORY leaves the map as it was. `value` must not be NULL. */
hiphop_error map_put(struct map *map, const void *key, void *value);
/** Takes the entry out and returns its value, or NULL. */
void *map_remove(struct map *map, const void *key);
/** Walk: `struct map_walk walk = map_walk_start(map); while ((value = map_walk_next(&walk, &key)))`. The entry just
 *  returned may be removed during the walk; no other change is allowed. `key` may be NULL. */
struct map_walk {
	struct map_entry *next;
};
struct map_walk map_walk_start(const struct map *map);
void *map_walk_next(struct map_walk *walk, const void **key);

/** SipHash-2-4 of `data` under a 16-octet key, as the map uses it; also for load spreading and cookies. */
uint64_t map_hash(const uint8_t key[static 16], const void *data, size_t length);

#endif
